// 100,000 registered contacts: what one costs the edge and Redis, and how fast all of them are told to call-control again: those that
// stand in Redis as they are told, and all of them into an empty one.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { until } from '../../tests/lib/until.mjs';
import { allServed } from './load.mjs';
import { PORTS } from './ports.mjs';
import { progress } from './report.mjs';
import { tenantStatus } from './scale.mjs';
import { indexed, reshape } from './shape.mjs';

const run = promisify(execFile);
// The look-up of a credential suspends its REGISTER in a transaction, whose memory is kept for wt_timer, 5 s. The edge remembers
// 100,000 credentials, so that some are looked up again at any time.
const PER_SECOND = 5_000;
const FORGOTTEN_MS = 6_000;
const CHUNKS = 4;
const RESYNCS = 3;

export async function measureBindings(context) {
  const { report, instance, quick } = context;
  const contacts = quick ? 20_000 : 100_000;
  report.section(`${contacts} registered contacts of ${contacts / 10} tenants`);
  await reshape(context, 1);
  // Once without binding: what a look-up remembers is no part of a contact.
  await registerAll(context, contacts, 0, 'known');
  const before = await memory(instance);
  await registerAll(context, contacts, 3600, 'registered');
  const after = await memory(instance);
  const more = after.contacts - before.contacts;
  if (more !== contacts) throw new Error(`the edge has ${more} contacts more, and ${contacts} were registered`);
  report.figure({ name: 'shared memory of the edge for each contact', value: (after.edge - before.edge) / contacts, unit: 'bytes', note: 'core.shmmem, used' });
  report.figure({ name: 'memory of Redis for each contact', value: (after.redis - before.redis) / contacts, unit: 'bytes', note: 'used_memory' });
  await measureResync(context, after.contacts);
}

async function registerAll({ load, instance, edge }, contacts, expires, what) {
  const chunk = contacts / CHUNKS;
  for (let first_user = 0; first_user < contacts; first_user += chunk) {
    const options = { mode: 'register', seconds: 120, count: chunk, users: chunk, first_user, rate: PER_SECOND, outstanding: 256, expires };
    const { rate } = allServed(await load.run({ ...edge, local_port: instance.port(PORTS.bound_phones) }, options), `REGISTER of all users (to be ${what})`);
    progress(`${first_user + chunk} of ${contacts} ${what}, ${Math.round(rate)}/s`);
  }
  await indexed(instance);
  await delay(FORGOTTEN_MS);
}

const AGAIN = [
  { name: 'all bindings told again and taken', at_most: 5, begin: (instance) => instance.kamcmd('tenant.resync_bindings') },
  { name: 'all bindings in an emptied Redis again', begin: (instance) => redis(instance, 'flushall', 'async') },
];

async function measureResync({ report, instance, quick }, contacts) {
  for (const { name, at_most, begin } of AGAIN) {
    const took_ms = [];
    for (let i = 0; i < RESYNCS; i++) took_ms.push(await toldAgain(instance, contacts, begin));
    report.figure({
      name, value: Math.max(...took_ms) / 1000, unit: 's', ...(quick || !at_most ? {} : { at_most }),
      note: `${contacts} of them; the slowest of ${RESYNCS}: ${took_ms.map((ms) => (ms / 1000).toFixed(2)).join(', ')} s`,
    });
  }
}

/** Until call-control has the last one. */
async function toldAgain(instance, contacts, begin) {
  const { outbox_sent_seq: sent } = await tenantStatus(instance);
  const began = performance.now();
  await begin(instance);
  await until(async () => {
    const now = await tenantStatus(instance);
    return now.outbox_sent_seq - sent >= contacts && now.outbox_taken_seq >= now.outbox_sent_seq;
  }, { what: 'all bindings taken by call-control', deadline_ms: 60_000, every_ms: 10 });
  return performance.now() - began;
}

async function redis(instance, ...words) {
  const { stdout } = await run('redis-cli', ['-s', instance.env.BELFRY_REDIS, ...words], { timeout: 10_000 });
  return stdout;
}

async function memory(instance) {
  const number = (pattern, text, what) => {
    const found = pattern.exec(text);
    if (!found) throw new Error(`${what} is not told: ${text}`);
    return Number(found[1]);
  };
  return {
    edge: number(/used: *(\d+)/, await instance.kamcmd('core.shmmem'), 'core.shmmem: used'),
    contacts: number(/location_contacts: *(\d+)/, await instance.kamcmd('stats.fetch', 'usrloc.location_contacts'), 'usrloc.location_contacts'),
    redis: number(/^used_memory:(\d+)/m, await redis(instance, 'info', 'memory'), 'used_memory'),
  };
}
