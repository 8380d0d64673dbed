// 100,000 tenants and 1,000,000 extensions: how fast the edge has them, what they cost it, and what a miss takes.
import { until } from '../../tests/lib/until.mjs';
import { allServed, median, othersOf } from './load.mjs';
import { Prober } from './prober.mjs';

const MISS_ROUNDS = 3;
const THINK_MS = 20;

/** tenant.status as an object; `name: value` lines. */
export async function tenantStatus(instance) {
  const text = await instance.kamcmd('tenant.status');
  return Object.fromEntries([...text.matchAll(/(\w+):\s*(\S+)/g)].map(([, name, value]) => [name, /^-?\d+$/.test(value) ? Number(value) : value]));
}

/** The edge takes a new snapshot by itself when the feed's epoch is another one. */
export async function waitForDomain(instance, domain, deadline_ms = 30_000) {
  const prober = await Prober.open(instance.sip);
  try {
    await until(async () => (await prober.options(domain)) === 200, { what: `the edge knows ${domain}`, deadline_ms, every_ms: 5 });
  } finally {
    prober.close();
  }
}

export async function measureTable({ report, instance, domains, last_domain, cold_ms }) {
  report.section(`The domain table, ${domains} domains`);
  report.figure({
    name: 'from the start of an edge to its last domain', value: cold_ms / 1000, unit: 's', at_most: 2,
    note: 'a fresh Kamailio process; seen from outside, by its first 200',
  });
  const resync_ms = await resync(instance, domains);
  report.figure({ name: 'from tenant.resync to in step again', value: resync_ms / 1000, unit: 's', at_most: 2 });
  await waitForDomain(instance, last_domain);
  const { bytes, domains: known } = await tenantStatus(instance);
  if (known < domains) throw new Error(`tenant.status says ${known} domains, and ${domains} were seeded`);
  report.figure({ name: 'shared memory for each domain', value: bytes / known, unit: 'bytes', at_most: 200, note: `tenant.status: ${bytes} bytes, ${known} domains` });
}

async function resync(instance, domains) {
  const before = await snapshotsTaken(instance);
  const began = performance.now();
  await instance.kamcmd('tenant.resync');
  await until(async () => {
    const now = await tenantStatus(instance);
    return now.synced === 1 && now.domains >= domains && await snapshotsTaken(instance) > before;
  }, { what: 'tenant.status in step again', deadline_ms: 30_000, every_ms: 5 });
  return performance.now() - began;
}

const snapshotsTaken = async (instance) => Number(/= *(\d+)/.exec(await instance.kamcmd('stats.fetch', 'tenant.resyncs'))?.[1]
  ?? /resyncs: *(\d+)/.exec(await instance.kamcmd('stats.fetch', 'tenant.resyncs'))?.[1]);

/**
 * Users that no edge has ever asked for, in a mixed order, one by one and slowly: what is measured is the way, not a queue. Each round has a part of
 * them; the first one opens the registry's connections, and the median of the others counts. In one more the phones take
 * a round trip of the Internet for their challenge.
 */
export async function measureMiss({ report, load, edge, first_user, users, quick }) {
  report.section('A credential that the edge does not have yet');
  const part = Math.floor(users / (2 + MISS_ROUNDS));
  const round = async (i, options = {}) => allServed(await load.run(edge, {
    mode: 'register', seconds: quick ? 5 : 15, rate: 200, outstanding: 64, first_user: first_user + i * part, users: part, flags: ['shuffle'], ...options,
  }), 'REGISTER of users never seen');
  const rounds = [];
  for (let i = 0; i <= MISS_ROUNDS; i++) rounds.push(await round(i));
  const ms = (field, at) => rounds.slice(1).map((round) => round[field][at] / 1000);
  report.figure({
    name: 'credential miss, p99 at the client', value: median(ms('final_us', 'p99')), unit: 'ms', at_most: 5,
    note: `REGISTER to 200; ${rounds[1].completed} users at 200/s, the median of ${MISS_ROUNDS} times: ${ms('final_us', 'p99').map((each) => each.toFixed(2)).join(', ')}${othersOf(rounds.slice(1))}; p50 ${median(ms('final_us', 'p50'))} ms`,
    latency_us: rounds.slice(1).map(({ final_us }) => final_us),
  });
  const thinking = await round(1 + MISS_ROUNDS, { think_ms: THINK_MS });
  report.figure({
    name: `the same, of phones that take ${THINK_MS} ms for the challenge, p99`, value: thinking.final_us.p99 / 1000, unit: 'ms',
    note: `the look-up began with the challenge; p50 ${thinking.final_us.p50 / 1000} ms`,
  });
  report.figure({ name: 'the 401 before it, p99', value: median(ms('challenge_us', 'p99')), unit: 'ms', note: 'no look-up of a credential: what the path itself takes' });
}
