// Calls without media: the whole path (digest, plan, limits, events, CDR) against the stock Kamailio of loadtest/baseline
// (digest, look-up, dialogs written to PostgreSQL at once), in turns.
import { setTimeout as delay } from 'node:timers/promises';
import { between, histogram } from './histogram.mjs';
import { allServed, inTurns, median, othersOf, pairs } from './load.mjs';
import { PORTS } from './ports.mjs';
import { reshape } from './shape.mjs';
import { startStock } from './stock.mjs';

const USERS = 2_000;
const PLANS_PER_SECOND = 1_000;
// tm keeps the memory of a call's transactions for wt_timer, 5 s, after it. What is measured on full cores begins when those of the round
// before are forgotten, which is work too.
const FORGOTTEN_MS = 5_500;
const SETTLE_MS = 1_000;
const RING_MS = 20; // so that a 180 is not overtaken where its time is measured

export async function measureCalls(context) {
  await reshape(context, 1);
  const { report, load, instance } = context;
  const edge = { name: 'edge', ...context.edge, callee_port: instance.port(PORTS.edge_callees), helpers: {} };
  for (const name of ['call-control', 'redis', 'tenant-registry', 'rtpengine']) edge.helpers[name] = await instance.pid(name);
  const callees = async (side, expires) => allServed(
    await load.run({ ...side, local_port: side.callee_port }, { mode: 'register', seconds: 60, count: USERS, users: USERS, expires }),
    `REGISTER of the callees at the ${side.name}`);
  const calls = async (side, settle_ms, options) => {
    await delay(settle_ms);
    return allServed(await load.run(side, { mode: 'calls', users: USERS, callee_port: side.callee_port, ...options }), `calls of the ${side.name}`);
  };
  const against = async (dialog_db_mode, measure) => {
    const server = await startStock({ ...context, users: USERS, dialog_db_mode });
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
  await against(1, (sides) => measureRate(context, sides, calls));
  await against(2, async (sides) => {
    const most = await measureWriteBack(context, sides, calls);
    await measureRinging(context, sides, calls, most / 2);
    await measureOvertaken(context, sides, calls);
  });
  await measurePlan(context, edge, calls);
  await callees(edge, 0);
}

const rateRounds = (calls, sides, quick, count) => {
  const round = (side) => () => calls(side, quick ? SETTLE_MS : FORGOTTEN_MS, { seconds: quick ? 2 : 3, outstanding: 64 });
  return pairs(count, round(sides[0]), round(sides[1]));
};

async function measureRate({ report, quick }, sides, calls) {
  const { pairs: rounds, seen, note } = await rateRounds(calls, sides, quick, quick ? 3 : 5);
  const middle = (side, figure) => median(rounds.map((pair) => figure(pair[side])));
  const cpu = ({ all_cpu_us }) => all_cpu_us;
  const rates = sides.map((_, side) => middle(side, ({ rate }) => rate));

  report.figure({
    name: 'calls: rate of the edge / stock', value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: 1,
    note: `${note}; 64 under way; ${Math.round(rates[1])}/s and ${Math.round(rates[0])}/s`, pairs: seen,
  });
  report.figure({ name: 'calls: CPU of stock / all of Belfry', value: middle(0, cpu) / middle(1, cpu), unit: '', note: 'all servers; free of drift' });
  for (const [i, { name }] of sides.entries()) {
    report.figure({
      name: `calls: CPU of a call, ${name}`, value: middle(i, cpu), unit: 'us',
      note: Object.keys(rounds[0][i].cpu_us).map((program) => `${program} ${middle(i, ({ cpu_us }) => cpu_us[program]).toFixed(0)}`).join(', '),
    });
  }
}

/**
 * No target: a call that ends between two turns of the timer is never written, so this is stock without a database for calls. Gives the
 * lower of both rates.
 */
async function measureWriteBack({ report, quick }, sides, calls) {
  const { pairs: rounds, seen, note } = await rateRounds(calls, sides, quick, quick ? 2 : 3);
  const middle = (side, figure) => median(rounds.map((pair) => pair[side][figure]));

  report.figure({
    name: 'calls: rate of the edge / stock with db_mode 2', value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '',
    note: `${note}; ${Math.round(middle(1, 'rate'))}/s and ${Math.round(middle(0, 'rate'))}/s; CPU of a call ${middle(1, 'all_cpu_us').toFixed(0)} and ${middle(0, 'all_cpu_us').toFixed(0)} us`,
    pairs: seen,
  });
  return Math.min(middle(0, 'rate'), middle(1, 'rate'));
}

/** Against the stock Kamailio that has no disk on the way to a ringing phone: the harder one. */
async function measureRinging({ report, quick }, sides, calls, rate) {
  const round = (side) => () => calls(side, SETTLE_MS, { seconds: quick ? 2 : 6, outstanding: 256, rate: Math.round(rate), answer_ms: RING_MS });
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]), ({ ring_us }) => ({ ring_us }));
  const ms = (side, part) => (median(rounds.map((pair) => pair[side].ring_us[part])) / 1000).toFixed(2);

  report.figure({
    name: 'INVITE to ringing, p99 above stock', value: median(rounds.map(([a, b]) => b.ring_us.p99 - a.ring_us.p99)) / 1000, unit: 'ms', at_most: 3,
    note: `${note}; ${Math.round(rate)} calls/s, half of the slower side's most, stock with db_mode 2; p99 ${ms(1, 'p99')} and ${ms(0, 'p99')} ms,`
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

/** What call-control itself measures, while calls come at that rate; all its programs and the phones share the cores. */
async function measurePlan({ report, instance, quick }, edge, calls) {
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
    name: `a plan in call-control at ${PLANS_PER_SECOND}/s, p99`, value: ms(0.99), unit: 'ms', at_most: 2,
    note: `${spans.length > 1 ? `median of ${spans.length} spans` : 'one span'}${othersOf(spans)}; ${Math.round(median(spans.map(({ rate }) => rate)))} calls/s came about;`
      + ` p50 ${ms(0.5).toFixed(2)} ms, p90 ${ms(0.9).toFixed(2)} ms, ${(100 * median(spans.map(({ plans }) => plans.upTo(0.002)))).toFixed(2)} % within 2 ms`,
    spans: spans.map(({ rate, others, plans }) => ({ rate, others, buckets: plans.buckets.map(({ le, count }) => [String(le), count]) })),
  });
}

const scrapePlans = (instance) => histogram(`${instance.admin('call-control')}/metrics`, 'belfry_control_plan_seconds');
