// Calls without media: the whole path (digest, plan, limits, events, CDR) against the stock Kamailio of loadtest/baseline
// (digest, look-up, dialogs written to PostgreSQL by a timer, or at once), in turns.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { between, histogram } from './histogram.mjs';
import { allServed, inTurns, median, othersOf, pairs } from './load.mjs';
import { PORTS } from './ports.mjs';
import { indexed, reshape } from './shape.mjs';
import { startStock } from './stock.mjs';

const run = promisify(execFile);
const USERS = 2_000;
const PLANS_PER_SECOND = 1_000;
// tm keeps the memory of a call's transactions for wt_timer, 5 s, after it. What is measured on full cores begins when those of the round
// before are forgotten, which is work too.
const FORGOTTEN_MS = 5_500;
const SETTLE_MS = 1_000;
// Longer than two turns of the timer by which stock writes dialogs: each is written before it ends, like that of a real call.
const TALK_MS = 2_500; // at least, twice that at most
// While its timer writes a dialog, the workers of stock that want one of the same hash entry wait, and phones behind them.
const PATIENCE_MS = 20_000;
const TALKING_MAX = 32_000; // more than either side can have within a call: what limits the rate are those being set up or ended
const STOCK_MEMORY_MIB = 4096; // at its rate transactions of 5 s and the dialogs take more than the edge's 2048
const PACED_PER_SECOND = 400; // stock's timer writes about 1,000 dialogs a second
const WRITTEN_MIN = 0.95;
const RING_MS = 20; // so that a 180 is not overtaken where its time is measured

export async function measureCalls(context) {
  await reshape(context, 1);
  const { report, load, instance } = context;
  const edge = { name: 'edge', ...context.edge, callee_port: instance.port(PORTS.edge_callees), helpers: {} };
  for (const name of ['call-control', 'redis', 'tenant-registry', 'event-fanout', 'rtpengine']) edge.helpers[name] = await instance.pid(name);
  const callees = async (side, expires) => allServed(
    await load.run({ ...side, local_port: side.callee_port }, { mode: 'register', seconds: 60, count: USERS, users: USERS, expires }),
    `REGISTER of the callees at the ${side.name}`);
  const calls = async (side, settle_ms, options) => {
    await delay(settle_ms);
    return allServed(await load.run(side, { mode: 'calls', users: USERS, callee_port: side.callee_port, ...options }), `calls of the ${side.name}`);
  };
  const against = async (how, measure) => {
    const server = await startStock({ ...context, users: USERS, memory_mib: STOCK_MEMORY_MIB, ...how });
    const stock = { name: 'stock', pid: server.pid, port: server.port, callee_port: instance.port(PORTS.stock_callees) };
    try {
      await callees(stock, 3600);
      await measure([stock, edge]);
    } finally {
      await server.stop();
    }
  };
  await callees(edge, 3600);
  report.section('Calls without media, the edge with call-control and a stock Kamailio (auth_db, usrloc, dialog on PostgreSQL)');
  // Its timer writes one dialog after the other: with the disk in each it would not get to most of them before they end.
  await against({ dialog_db_mode: 2, synchronous_commit: false }, async (sides) => {
    await measureCost(context, sides, calls);
    await measureRinging(context, sides, calls, await measureWriteBack(context, sides, calls) / 2);
    await measureOvertaken(context, sides, calls);
  });
  await against({ dialog_db_mode: 1 }, (sides) => measureAtOnce(context, sides, calls));
  await measurePlan(context);
  await measurePlanAmidCalls(context, edge, calls);
  await callees(edge, 0);
}

const cpuOf = (rounds, side) => {
  const part = (figure) => median(rounds.map((pair) => figure(pair[side]))).toFixed(0);
  return Object.keys(rounds[0][side].cpu_us).map((program) => `${program} ${part(({ cpu_us }) => cpu_us[program])}`).join(', ');
};
const middle = (rounds, side, figure) => median(rounds.map((pair) => pair[side][figure]));
const ratioOfRates = (rounds) => median(rounds.map(([a, b]) => b.rate / a.rate));
const bothRates = (rounds) => `${Math.round(middle(rounds, 1, 'rate'))}/s and ${Math.round(middle(rounds, 0, 'rate'))}/s`;

/**
 * Calls that last, as fast as they go. Stock takes calls faster than its timer writes their dialogs one by one, and what ends before its turn
 * is never written: what counts is what it wrote. The edge's round is over when call-control has taken all, and nothing may be dropped.
 * The first round of either side does not count: each page of shared memory that nobody has touched yet costs its first call.
 * Returns the rate of the slower side.
 */
async function measureWriteBack({ report, instance, database, quick }, sides, calls) {
  const seconds = 6 * TALK_MS / 1000; // the rate is that of the second half, when as many end as begin
  const round = (side) => calls(side, FORGOTTEN_MS, { seconds, outstanding: TALKING_MAX, busy: 64, talk_ms: TALK_MS, timeout_ms: PATIENCE_MS });
  const stock = () => written(database, () => round(sides[0]));
  const edge = () => round({ ...sides[1], settled: () => indexed(instance) });
  for (const first of [stock, edge]) await first();
  const { pairs: rounds, seen, note } = await pairs(quick ? 2 : 3, stock, edge);

  report.figure({
    name: 'calls: rate of the edge / stock (write-back)', value: median(rounds.map(([a, b]) => b.rate / (a.rate * a.written))), unit: '', at_least: 1,
    note: `${note}; calls of ${TALK_MS / 1000} to ${TALK_MS / 500} s, 64 being set up or ended; ${bothRates(rounds)}, of which stock wrote`
      + ` ${(100 * middle(rounds, 0, 'written')).toFixed(0)} %: with those that it forgot ${ratioOfRates(rounds).toFixed(2)}`,
    pairs: seen,
  });
  return Math.min(median(rounds.map(([{ rate, written: part }]) => rate * part)), middle(rounds, 1, 'rate'));
}

/** The same at a rate at which stock does write them: what a call costs either side, free of drift. */
async function measureCost({ report, database, quick }, sides, calls) {
  const seconds = quick ? 10 : 14;
  const round = (side) => calls(side, SETTLE_MS, { seconds, outstanding: TALKING_MAX, rate: PACED_PER_SECOND, talk_ms: TALK_MS, timeout_ms: PATIENCE_MS });
  const { pairs: rounds, seen, note } = await pairs(2, () => written(database, () => round(sides[0])), () => round(sides[1]));
  const share = Math.min(...rounds.map(([stock]) => stock.written));
  if (share < WRITTEN_MIN) throw new Error(`stock wrote only ${(100 * share).toFixed(0)} % of its dialogs at ${PACED_PER_SECOND} calls/s: no write-back to compare with`);

  report.figure({
    name: 'calls: CPU of stock / all of Belfry (write-back)', value: middle(rounds, 0, 'all_cpu_us') / middle(rounds, 1, 'all_cpu_us'), unit: '',
    note: `${note}; ${PACED_PER_SECOND} calls/s of ${TALK_MS / 1000} to ${TALK_MS / 500} s, of which stock wrote ${(100 * share).toFixed(0)} %; all servers; free of drift`, pairs: seen,
  });
  for (const [i, { name }] of sides.entries()) {
    report.figure({ name: `calls: CPU of a call, ${name}`, value: middle(rounds, i, 'all_cpu_us'), unit: 'us', note: cpuOf(rounds, i) });
  }
}

/** A round of stock, with the part of its dialogs that came to be in its database. */
async function written(database, round) {
  const before = await database.dialogsWritten();
  const result = await round();
  return { ...result, written: Math.min(1, (await database.dialogsWritten() - before) / result.succeeded) };
}

const burst = (calls, sides, quick, count) => {
  const round = (side) => () => calls(side, quick ? SETTLE_MS : FORGOTTEN_MS, { seconds: quick ? 2 : 3, outstanding: 64 });
  return pairs(count, round(sides[0]), round(sides[1]));
};

/** No target: that stock keeps no call that a restart takes, and waits for the disk three times a call. */
async function measureAtOnce({ report, quick }, sides, calls) {
  const { pairs: rounds, seen, note } = await burst(calls, sides, quick, quick ? 2 : 3);
  report.figure({
    name: 'calls: rate of the edge / stock (each change written at once)', value: ratioOfRates(rounds), unit: '',
    note: `${note}; calls that end at once; ${bothRates(rounds)}; CPU of a call ${middle(rounds, 1, 'all_cpu_us').toFixed(0)} and`
      + ` ${middle(rounds, 0, 'all_cpu_us').toFixed(0)} us`,
    pairs: seen,
  });
}

/** Against the stock Kamailio that has no disk on the way to a ringing phone: the harder one. */
async function measureRinging({ report, quick }, sides, calls, rate) {
  const round = (side) => () => calls(side, SETTLE_MS, { seconds: quick ? 2 : 6, outstanding: 256, rate: Math.round(rate), answer_ms: RING_MS });
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]), ({ ring_us }) => ({ ring_us }));
  const ms = (side, part) => (median(rounds.map((pair) => pair[side].ring_us[part])) / 1000).toFixed(2);

  report.figure({
    name: 'INVITE to ringing, p99 above stock', value: median(rounds.map(([a, b]) => b.ring_us.p99 - a.ring_us.p99)) / 1000, unit: 'ms', at_most: 3,
    note: `${note}; ${Math.round(rate)} calls/s, half of the slower side's rate, stock with db_mode 2; p99 ${ms(1, 'p99')} and ${ms(0, 'p99')} ms,`
      + ` p50 ${ms(1, 'p50')} and ${ms(0, 'p50')} ms`,
    pairs: seen,
  });
}

/** One call at a time; the callee sends 180 and 200 back to back. */
async function measureOvertaken({ report, quick }, sides, calls) {
  const count = quick ? 100 : 200;
  const round = (side) => () => calls(side, SETTLE_MS, { seconds: 60, count, outstanding: 1, rate: 50 });
  const rounds = await inTurns(quick ? 4 : 5, round(sides[0]), round(sides[1]));

  for (const [i, { name }] of sides.entries()) {
    const overtaken = rounds.reduce((sum, pair) => sum + pair[i].overtaken, 0);
    const completed = rounds.reduce((sum, pair) => sum + pair[i].completed, 0);
    report.figure({
      name: `180 overtaken by its 200, idle, ${name}`, value: 100 * overtaken / completed, unit: '%',
      ...(name === 'edge' ? { at_most: 1 } : {}), note: `${overtaken} of ${completed} calls, one at a time, in ${rounds.length} turns${othersOf(rounds.flat())}`,
    });
  }
}

/** Plans alone, as an edge asks for them: what call-control itself measures, and what who asks sees. */
async function measurePlan({ report, instance, quick }) {
  const spans = [];
  await delay(FORGOTTEN_MS);
  for (let i = 0; i < (quick ? 3 : 5); i++) {
    const before = await scrapePlans(instance);
    const { stdout } = await run(process.env.BENCH_PLANLOAD, ['--bus', instance.env.BELFRY_CALL_CONTROL_BUS, '--rate', String(PLANS_PER_SECOND), '--seconds', '4', '--tenants', String(USERS / 10)]);
    const result = JSON.parse(stdout);
    if (result.rung !== result.asked) throw new Error(`of ${result.asked} plans ${result.rung} ring somebody: ${stdout}`);
    spans.push({ ...result, plans: between(before, await scrapePlans(instance)) });
  }
  const ms = (part) => 1000 * median(spans.map(({ plans }) => plans.quantile(part)));
  const asker = (part) => (median(spans.map(({ took_us }) => took_us[part])) / 1000).toFixed(2);

  report.figure({
    name: `a plan at ${PLANS_PER_SECOND} plans/s, p99`, value: ms(0.99), unit: 'ms', at_most: 2,
    note: `median of ${spans.length} spans of 4 s: ${spans.map(({ plans }) => (1000 * plans.quantile(0.99)).toFixed(2)).join(', ')}; p50 ${ms(0.5).toFixed(2)} ms;`
      + ` with the bus, at who asks: p99 ${asker('p99')} ms, p50 ${asker('p50')} ms`,
    spans: spans.map(({ took_us, plans }) => ({ took_us, buckets: plans.buckets.map(({ le, count }) => [String(le), count]) })),
  });
}

/** The same while so many whole calls come, whose phones, edge and databases share the cores. */
async function measurePlanAmidCalls({ report, instance, quick }, edge, calls) {
  const spans = [];
  await delay(FORGOTTEN_MS);
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    const before = await scrapePlans(instance);
    const result = await calls(edge, 0, { seconds: 4, outstanding: 1024, rate: PLANS_PER_SECOND, answer_ms: RING_MS });
    spans.push({ ...result, plans: between(before, await scrapePlans(instance)) });
    if (spans.at(-1).plans.count < result.started) throw new Error(`call-control counts ${spans.at(-1).plans.count} plans of ${result.started} calls`);
  }
  const ms = (part) => 1000 * median(spans.map(({ plans }) => plans.quantile(part)));

  report.figure({
    name: `a plan amid ${PLANS_PER_SECOND} calls/s, p99`, value: ms(0.99), unit: 'ms',
    note: `${spans.length > 1 ? `median of ${spans.length} spans` : 'one span'}${othersOf(spans)}; ${Math.round(median(spans.map(({ rate }) => rate)))} calls/s came about;`
      + ` p50 ${ms(0.5).toFixed(2)} ms, p90 ${ms(0.9).toFixed(2)} ms, ${(100 * median(spans.map(({ plans }) => plans.upTo(0.002)))).toFixed(2)} % within 2 ms`,
    spans: spans.map(({ rate, others, plans }) => ({ rate, others, buckets: plans.buckets.map(({ le, count }) => [String(le), count]) })),
  });
}

const scrapePlans = (instance) => histogram(`${instance.admin('call-control')}/metrics`, 'belfry_control_plan_seconds');
