// 100,000 registered contacts: what one costs the edge and Redis, and how fast all of them are told to call-control again.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { until } from '../../tests/lib/until.mjs';
import { allServed } from './load.mjs';
import { tenantStatus } from './scale.mjs';

const run = promisify(execFile);
const CONTACTS = 100_000;
const COLD_PER_SECOND = 2_500; // a look-up suspends the REGISTER in a transaction, whose 20 kB are kept for wt_timer, 5 s

export async function measureBindings({ report, load, instance, edge }) {
  report.section(`${CONTACTS} registered contacts`);
  // Once without binding: what a look-up remembers is no part of a contact. The second time some are looked up again, as the
  // edge does not remember that many, so it goes no faster.
  const options = { mode: 'register', seconds: 120, count: CONTACTS, users: CONTACTS, rate: COLD_PER_SECOND };
  const port = instance.port(452);
  allServed(await load.run({ ...edge, local_port: port }, { ...options, expires: 0 }), 'credentials of all users');
  await caughtUp(instance);
  await delay(6_000); // those transactions are forgotten
  const before = await memory(instance);
  allServed(await load.run({ ...edge, local_port: port }, { ...options, expires: 3600 }), 'REGISTER of all users');
  await caughtUp(instance);
  const after = await memory(instance);
  report.figure({ name: 'shared memory of the edge for each contact', value: (after.edge - before.edge) / CONTACTS, unit: 'bytes', note: 'core.shmmem, used' });
  report.figure({ name: 'memory of Redis for each contact', value: (after.redis - before.redis) / CONTACTS, unit: 'bytes', note: 'used_memory' });

  const { outbox_sent_seq: sent } = await tenantStatus(instance);
  const began = performance.now();
  await instance.kamcmd('tenant.resync_bindings');
  await until(async () => {
    const now = await tenantStatus(instance);
    return now.outbox_sent_seq - sent >= CONTACTS && now.outbox_taken_seq >= now.outbox_sent_seq;
  }, { what: 'all bindings taken by call-control', deadline_ms: 60_000, every_ms: 10 });
  report.figure({ name: `${CONTACTS} bindings told again and taken`, value: (performance.now() - began) / 1000, unit: 's', at_most: 5 });
}

async function caughtUp(instance) {
  await until(async () => {
    const { outbox_sent_seq, outbox_taken_seq } = await tenantStatus(instance);
    return outbox_taken_seq >= outbox_sent_seq;
  }, { what: 'call-control has taken the outbox', deadline_ms: 60_000, every_ms: 50 });
}

async function memory(instance) {
  const edge = /used: *(\d+)/.exec(await instance.kamcmd('core.shmmem'))?.[1];
  const { stdout } = await run('redis-cli', ['-s', instance.env.BELFRY_REDIS, 'info', 'memory'], { timeout: 10_000 });
  const redis = /^used_memory:(\d+)/m.exec(stdout)?.[1];
  if (!edge || !redis) throw new Error('core.shmmem or INFO memory tell no used memory');
  return { edge: Number(edge), redis: Number(redis) };
}
