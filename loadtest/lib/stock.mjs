// The stock Kamailio of loadtest/baseline, on a database of its own in the instance's PostgreSQL.
import path from 'node:path';
import { ROOT } from '../../tests/lib/instance.mjs';
import { Kamailio } from './processes.mjs';

export async function startStock({ instance, database, scratch, users, workers }) {
  const url = await database.makeBaseline(Math.ceil(users / 10));
  const port = instance.port(240);
  return Kamailio.start({
    name: 'stock', port, directory: scratch, config: path.join(ROOT, 'loadtest/baseline/kamailio.cfg'),
    env: {
      BASELINE_LISTEN: '127.0.0.1', BASELINE_SIP_PORT: port, BASELINE_UDP_WORKERS: workers, BASELINE_USRLOC_DB_MODE: 0,
      BASELINE_DIALOG_DB_MODE: 1, BASELINE_DB_URL: url, BASELINE_CTL: `unixs:${scratch}/stock.ctl`, PGHOST: instance.env.BELFRY_PGHOST,
    },
  });
}
