// The stock Kamailio of loadtest/baseline, on a database of its own in the instance's PostgreSQL.
import path from 'node:path';
import { ROOT } from '../../tests/lib/instance.mjs';
import { PORTS } from './ports.mjs';
import { Kamailio } from './processes.mjs';

/**
 * `usrloc_db_mode` 0: bindings in memory; 1: each written to PostgreSQL before its REGISTER is answered. `dialog_db_mode` 1: each change
 * of a call is written at once; 2: by a timer, each second. `synchronous_commit`: of its database.
 */
export async function startStock({ instance, database, scratch, users, workers, usrloc_db_mode = 0, dialog_db_mode = 1, synchronous_commit, memory_mib }) {
  const url = await database.makeBaseline(Math.ceil(users / 10), { synchronous_commit });
  const port = instance.port(PORTS.stock);
  return Kamailio.start({
    name: 'stock', port, memory_mib, directory: scratch, config: path.join(ROOT, 'loadtest/baseline/kamailio.cfg'),
    env: {
      BASELINE_LISTEN: '127.0.0.1', BASELINE_SIP_PORT: port, BASELINE_UDP_WORKERS: workers, BASELINE_USRLOC_DB_MODE: usrloc_db_mode,
      BASELINE_DIALOG_DB_MODE: dialog_db_mode, BASELINE_DB_URL: url, BASELINE_CTL: `unixs:${scratch}/stock.ctl`, PGHOST: instance.env.BELFRY_PGHOST,
    },
  });
}
