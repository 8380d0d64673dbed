// Calls without media: the whole path (digest, plan, limits, events, CDR) against the stock Kamailio of loadtest/baseline
// (digest, look-up, dialogs written to PostgreSQL at once), in turns.
import { setTimeout as delay } from 'node:timers/promises';
import { allServed, median, pairs } from './load.mjs';
import { startStock } from './stock.mjs';

const USERS = 2_000;
const PLANS_PER_SECOND = 1_000;
// tm keeps the memory of a call's transactions (about 66 kB on the edge) for wt_timer, 5 s, after it: with the 512 MiB of both sides
// a round must be short, and begin when the one before is forgotten.
const SETTLE_MS = 5_500;
const ROUND_SECONDS = 3;
const RING_MS = 20; // so that a 180 is not overtaken where its time is measured

export async function measureCalls(context) {
  const { report, load, instance, edge, database, scratch, workers } = context;
  report.section('Calls without media, the edge with call-control and a stock Kamailio (auth_db, usrloc, dialog on PostgreSQL)');
  const stock = await startStock({ instance, database, scratch, users: USERS, workers });
  const helpers = {};
  for (const name of ['call-control', 'redis', 'tenant-registry', 'rtpengine']) helpers[name] = await instance.pid(name);
  const sides = [
    { name: 'stock', pid: stock.pid, port: stock.port, callee_port: instance.port(450) },
    { name: 'edge', ...edge, callee_port: instance.port(451), helpers },
  ];
  try {
    for (const side of sides) {
      allServed(await load.run({ ...side, local_port: side.callee_port }, {
        mode: 'register', seconds: 60, count: USERS, users: USERS, expires: 3600,
      }), `REGISTER of the callees at the ${side.name}`);
    }
    const calls = async (side, options) => {
      await delay(SETTLE_MS);
      return load.run(side, { mode: 'calls', users: USERS, callee_port: side.callee_port, ...options });
    };
    const most = await measureRate(context, sides, calls);
    await measureRinging(context, sides, calls, most / 2);
    await measureOvertaken(context, sides, calls);
    await measurePlan(context, sides[1], calls);
  } finally {
    await stock.stop();
  }
}

/** Gives the lower of both rates. */
async function measureRate({ report, quick }, sides, calls) {
  const round = (side) => async () => allServed(await calls(side, { seconds: ROUND_SECONDS, outstanding: 64 }), `calls of the ${side.name}`);
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]));
  const middle = (side, figure) => median(rounds.map((each) => figure(each[side])));
  const cpu = (result) => result.server_cpu_us + result.postgres_cpu_us + Object.values(result.helpers_cpu_us).reduce((sum, us) => sum + us, 0);
  const rates = sides.map((_, side) => middle(side, ({ rate }) => rate));

  report.figure({
    name: 'calls: rate of the edge / stock', value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: 1,
    note: `${note}; 64 under way; ${Math.round(rates[1])}/s and ${Math.round(rates[0])}/s`, pairs: seen,
  });
  report.figure({ name: 'calls: CPU of stock / all of Belfry', value: middle(0, cpu) / middle(1, cpu), unit: '', note: 'all servers; free of drift' });
  for (const [side, { name, helpers = {} }] of sides.entries()) {
    const helping = Object.keys(helpers).map((helper) => `, ${helper} ${middle(side, (each) => each.helpers_cpu_us[helper]).toFixed(0)}`).join('');
    report.figure({
      name: `calls: CPU of a call, ${name}`, value: middle(side, cpu), unit: 'us',
      note: `Kamailio ${middle(side, (each) => each.server_cpu_us).toFixed(0)}, PostgreSQL ${middle(side, (each) => each.postgres_cpu_us).toFixed(0)}${helping}`,
    });
  }
  return Math.min(...rates);
}

async function measureRinging({ report, quick }, sides, calls, rate) {
  const round = (side) => async () => allServed(
    await calls(side, { seconds: quick ? 4 : 8, outstanding: 256, rate: Math.round(rate), answer_ms: RING_MS }), `calls of the ${side.name}`);
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]));
  const p99 = (side) => median(rounds.map((each) => each[side].ring_us.p99)) / 1000;
  const p50 = (side) => median(rounds.map((each) => each[side].ring_us.p50)) / 1000;

  report.figure({
    name: 'INVITE to ringing, p99 above stock', value: p99(1) - p99(0), unit: 'ms', at_most: 3,
    note: `${note}; ${Math.round(rate)} calls/s, half of the slower side's most; p99 ${p99(1).toFixed(2)} and ${p99(0).toFixed(2)} ms,`
      + ` p50 ${p50(1).toFixed(2)} and ${p50(0).toFixed(2)} ms`,
    pairs: seen,
  });
}

/** One call at a time; the callee sends 180 and 200 back to back. */
async function measureOvertaken({ report, quick }, sides, calls) {
  for (const side of sides) {
    const { overtaken, completed } = allServed(await calls(side, { seconds: quick ? 8 : 20, outstanding: 1, rate: 50 }), `idle calls of the ${side.name}`);
    report.figure({
      name: `180 overtaken by its 200, idle, ${side.name}`, value: 100 * overtaken / completed, unit: '%',
      ...(side.name === 'edge' ? { at_most: 1 } : {}), note: `${overtaken} of ${completed} calls, one at a time`,
    });
  }
}

/** What call-control itself measures, while calls come at that rate; all its programs and the phones share the cores. */
async function measurePlan({ report, instance, quick }, edge, calls) {
  const before = await buckets(instance);
  const result = await calls(edge, { seconds: quick ? 5 : 10, outstanding: 512, rate: PLANS_PER_SECOND, answer_ms: RING_MS });
  const after = await buckets(instance);
  const counts = after.map(({ le, count }, i) => ({ le, count: count - (before[i]?.count ?? 0) }));
  const share = (part) => 1000 * counts.find(({ count }) => count >= part * counts.at(-1).count).le;
  const under = (ms) => counts.findLast(({ le }) => le * 1000 <= ms)?.count / counts.at(-1).count;

  report.figure({
    name: 'a plan in call-control, p99', value: share(0.99), unit: 'ms', at_most: 2,
    note: `top of the histogram's bucket; ${Math.round(result.rate)} calls/s came about of ${PLANS_PER_SECOND}; p50 below ${share(0.5)} ms,`
      + ` ${(100 * under(1)).toFixed(1)} % below 1 ms`,
  });
}

async function buckets(instance) {
  const text = await (await fetch(`${instance.admin('call-control')}/metrics`)).text();
  return [...text.matchAll(/^belfry_control_plan_seconds_bucket\{le="([^"]+)"\} (\d+)/gm)]
    .map(([, le, count]) => ({ le: le === '+Inf' ? Infinity : Number(le), count: Number(count) }));
}
