// REGISTER with digest: the edge with warm credentials against the stock Kamailio of loadtest/baseline, in turns.
import { allServed, median, pairs } from './load.mjs';
import { startStock } from './stock.mjs';

const WAYS = [
  { mode: 'register', title: 'challenged each time (REGISTER, 401, REGISTER, 200)', target: 2 },
  { mode: 'reuse', title: 'with the nonce that the phone still holds (REGISTER, 200)', target: 2 },
];

export async function measureRegister({ report, load, instance, edge, database, scratch, users, workers, quick }) {
  report.section('REGISTER with digest, the edge (warm credentials) and a stock Kamailio (domain, auth_db, usrloc)');
  const stock = await startStock({ instance, database, scratch, users, workers });
  // A phone keeps its address, or each round would add a contact: one local port for each server.
  const sides = [{ ...place(stock), local_port: instance.port(250) }, { ...edge, local_port: instance.port(251) }];
  try {
    for (const side of sides) await warm(load, side, users);
    for (const way of WAYS) await measureWay({ report, load, sides, way, users, quick });
  } finally {
    await stock.stop();
  }
}

const place = ({ pid, port }) => ({ pid, port });

/** Every user once: credentials and bindings are there when the clock starts, on both sides. */
async function warm(load, side, users) {
  allServed(await load.run(side, { mode: 'register', seconds: 120, count: users, users }), `the first REGISTER of each user at port ${side.port}`);
}

async function measureWay({ report, load, sides, way, users, quick }) {
  const options = { mode: way.mode, seconds: quick ? 3 : 6, users };
  const round = (side) => async () => allServed(await load.run(side, options), `REGISTER (${way.mode}) at port ${side.port}`);
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, round(sides[0]), round(sides[1]));
  const middle = (side, figure) => median(rounds.map((each) => figure(each[side])));
  const cpu = (result) => result.server_cpu_us + result.postgres_cpu_us;

  report.figure({
    name: `${way.mode}: rate of the edge / stock`, value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: way.target,
    note: `${note}; ${way.title}; ${Math.round(middle(1, ({ rate }) => rate))}/s and ${Math.round(middle(0, ({ rate }) => rate))}/s`,
    pairs: seen,
  });
  report.figure({ name: `${way.mode}: CPU of stock / the edge`, value: middle(0, cpu) / middle(1, cpu), unit: '', note: 'servers and PostgreSQL; free of drift' });
  for (const [side, name] of ['stock', 'edge'].entries()) {
    report.figure({
      name: `${way.mode}: CPU of ${name}`, value: middle(side, cpu), unit: 'us',
      note: `Kamailio ${middle(side, ({ server_cpu_us }) => server_cpu_us).toFixed(1)}, PostgreSQL ${middle(side, ({ postgres_cpu_us }) => postgres_cpu_us).toFixed(1)};`
        + ` p99 ${(middle(side, ({ whole_us }) => whole_us.p99) / 1000).toFixed(1)} ms with 64 outstanding`,
    });
  }
}

