// What a tenant look-up costs: the same small script with tenant_match() and without, both with the whole table loaded.
import path from 'node:path';
import { ROOT } from '../../tests/lib/instance.mjs';
import { allServed, median, pairs } from './load.mjs';
import { PORTS } from './ports.mjs';
import { Kamailio } from './processes.mjs';

export async function measureLookup({ report, load, instance, scratch, domains, last_domain, workers, quick }) {
  report.section('A stateless reply, with a tenant look-up and without');
  const start = (name, port, lookup) => Kamailio.start({
    name, port, directory: scratch, config: path.join(ROOT, 'loadtest/lookup/kamailio.cfg'), modules: [path.join(instance.run, 'modules')],
    env: {
      LOOKUP_PORT: port, LOOKUP_UDP_WORKERS: workers, LOOKUP_CTL: `unixs:${scratch}/${name}.ctl`, ...lookup,
      LOOKUP_BUS: instance.env.BELFRY_REGISTRY_BUS, LOOKUP_FEED: instance.env.BELFRY_REGISTRY_FEED,
    },
  });
  const without = await start('without', instance.port(PORTS.lookup_without), {});
  const with_lookup = await start('with', instance.port(PORTS.lookup_with), { LOOKUP: '1' });
  try {
    const loaded_ms = await with_lookup.answers(last_domain, (status) => status === 200);
    const options = { mode: 'options', seconds: 1, users: domains, users_per_domain: 1, flags: ['shuffle'] };
    const round = (server) => async () => allServed(await load.run(server, options), `OPTIONS ${server.name}`);
    show(report, await pairs(quick ? 8 : 30, round(without), round(with_lookup)));
    return { loaded_ms };
  } finally {
    await Promise.all([without.stop(), with_lookup.stop()]);
  }
}

function show(report, { pairs: rounds, seen, note }) {
  const middle = (side, field) => median(rounds.map((round) => round[side][field]));
  report.figure({
    name: 'rate with look-up / without', value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: 0.95,
    note: `${note}; ${Math.round(middle(1, 'rate'))}/s and ${Math.round(middle(0, 'rate'))}/s`,
    pairs: seen,
  });
  report.figure({ name: 'CPU of a reply without look-up', value: middle(0, 'all_cpu_us'), unit: 'us' });
  report.figure({ name: 'CPU of a reply with look-up', value: middle(1, 'all_cpu_us'), unit: 'us' });
}
