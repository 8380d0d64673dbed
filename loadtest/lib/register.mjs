// REGISTER with digest: the edge with warm credentials against the stock Kamailio of loadtest/baseline, in turns. Twice, like with
// like: bindings in memory alone on both sides, and bindings that are still there when their server was killed.
import { allServed, median, pairs } from './load.mjs';
import { PORTS } from './ports.mjs';
import { indexed, reshape } from './shape.mjs';
import { startStock } from './stock.mjs';

const COMPARISONS = [
  { name: 'memory', title: 'bindings in memory alone: the edge without call-control, stock usrloc with db_mode 0', controls: 0, stock: { usrloc_db_mode: 0 } },
  {
    name: 'kept', title: 'bindings that outlive kill -9: the edge with the location index in Redis, stock usrloc with db_mode 1', controls: 1,
    stock: { usrloc_db_mode: 1, synchronous_commit: false }, // Redis writes its log every second and PostgreSQL may too
  },
];

const WAYS = [
  { mode: 'register', title: 'challenged each time (REGISTER, 401, REGISTER, 200)', target: 2 },
  // Few users: in each round the first REGISTER of each one is still challenged.
  { mode: 'reuse', title: 'with the nonce that the phone still holds (REGISTER, 200)', target: 2, users: 2_000 },
];

export async function measureRegister(context) {
  const { report, load, instance, users } = context;
  for (const comparison of COMPARISONS) {
    report.section(`REGISTER with digest, ${comparison.title}`);
    await reshape(context, comparison.controls);
    const stock = await startStock({ ...context, ...comparison.stock });
    const sides = [
      { name: 'stock', pid: stock.pid, port: stock.port, local_port: instance.port(PORTS.stock_phones) },
      { name: 'edge', ...context.edge, local_port: instance.port(PORTS.edge_phones), ...await index(context, comparison) },
    ];
    try {
      for (const side of sides) await each(load, side, users, {}); // credentials and bindings are there when the clock starts
      for (const way of WAYS) await measureWay(context, comparison, way, sides);
      await each(load, sides[1], users, { expires: 0 });
    } finally {
      await stock.stop();
    }
  }
}

/** What else serves the edge's side, and when it is done: a round ends when the index has the last binding. */
async function index({ instance }, { controls }) {
  if (controls === 0) return {};
  return {
    helpers: { 'call-control': await instance.pid('call-control'), redis: await instance.pid('redis') },
    settled: () => indexed(instance),
  };
}

async function each(load, side, users, options) {
  allServed(await load.run(side, { mode: 'register', seconds: 120, count: users, users, ...options }), `REGISTER of each user once at the ${side.name}`);
}

async function measureWay({ report, load, users, quick }, comparison, way, sides) {
  const options = { mode: way.mode, seconds: quick ? 1 : 4, users: way.users ?? users };
  const round = (side) => async () => allServed(await load.run(side, options), `REGISTER (${way.mode}) at the ${side.name}`);
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]));
  const middle = (side, figure) => median(rounds.map((pair) => figure(pair[side])));
  const cpu = (result) => result.all_cpu_us;
  const name = `${way.mode}, ${comparison.name}`;

  report.figure({
    name: `${name}: rate of the edge / stock`, value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: way.target,
    note: `${note}; ${way.title}; ${Math.round(middle(1, ({ rate }) => rate))}/s and ${Math.round(middle(0, ({ rate }) => rate))}/s`,
    pairs: seen,
  });
  report.figure({ name: `${name}: CPU of stock / the edge`, value: middle(0, cpu) / middle(1, cpu), unit: '', note: 'all servers; free of drift' });
  for (const [i, side] of sides.entries()) {
    report.figure({
      name: `${name}: CPU of ${side.name}`, value: middle(i, cpu), unit: 'us',
      note: `${Object.keys(rounds[0][i].cpu_us).map((program) => `${program} ${middle(i, ({ cpu_us }) => cpu_us[program]).toFixed(1)}`).join(', ')};`
        + ` p99 ${(middle(i, ({ whole_us }) => whole_us.p99) / 1000).toFixed(1)} ms with 64 outstanding`
        + `${side.settled ? `; the index had the last binding ${middle(i, ({ settled_ms }) => settled_ms).toFixed(0)} ms after the round` : ''}`,
    });
  }
}
