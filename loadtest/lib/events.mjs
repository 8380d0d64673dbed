// Events on their way out: to webhooks and WebSockets at a steady rate, what one dead endpoint among many costs the others, deliveries
// a second against a bare libcurl loop, and what an idle WebSocket takes. Publisher and receiver are one program (eventload), so there is
// one clock.
import { readFileSync, readdirSync } from 'node:fs';
import { until } from '../../tests/lib/until.mjs';
import { median, othersOf, pairs } from './load.mjs';
import { Site, TENANTS } from './site.mjs';

const PER_SECOND = 500;
const PUBLISHERS = 8; // Publish calls under way, as when many call-controls are busy; as many as event-fanout works on at once
const OUTBOXES = { batch: 500, publishers: 4 }; // four call-controls whose outboxes are full, each one Publish after the other (OUTBOX_BATCH_MAX)
// One replica's limit is 10,000. The gateway needs two files for each, and there may be 20,000 for a process.
const IDLE = { direct: 10_000, gateway: 5_000 };

export async function measureEvents(context) {
  const { report, quick } = context;
  const site = await Site.open(context);
  report.section(`events of ${TENANTS} tenants`);
  try {
    const steady = { rate: PER_SECOND, skip: PER_SECOND, publishers: PUBLISHERS };
    await measureSteady(context, site, { ...steady, count: quick ? 3_000 : 10_000 });
    await measureDead(context, site, { ...steady, count: quick ? 2_500 : 5_000 });
    await measureRate(context, site);
    await measureIdle(context, site);
  } finally {
    await site.close();
  }
}

const ms = (us) => us / 1000;
const spread = ({ p50, p999, max }) => `p50 ${ms(p50).toFixed(1)}, p999 ${ms(p999).toFixed(1)}, max ${ms(max).toFixed(1)} ms`;

/** Both kinds of receivers at once: each event goes to one webhook and one WebSocket. */
async function measureSteady({ report, instance }, site, steady) {
  const result = await site.publish({ ...steady, sockets: TENANTS, socket_at: socketsOf(instance) });
  report.figure({ name: `from Publish to the webhook request at ${PER_SECOND} events/s, p99`, value: ms(result.latency_us.p99), unit: 'ms', at_most: 50, note: `${spread(result.latency_us)}${othersOf([result])}` });
  report.figure({
    name: `from Publish to the WebSocket at ${PER_SECOND} events/s, p99`, value: ms(result.socket_latency_us.p99), unit: 'ms', at_most: 20,
    note: `${TENANTS} WebSockets; ${spread(result.socket_latency_us)}${othersOf([result])}; CPU of an event ${cpu(result.cpu_us)}`,
  });
}

const cpu = (cpu_us) => `${Object.values(cpu_us).reduce((sum, us) => sum + us, 0).toFixed(0)} us (${Object.entries(cpu_us).map(([name, us]) => `${name} ${us.toFixed(0)}`).join(', ')})`;
const cpuOf = (results) => cpu(Object.fromEntries(Object.keys(results[0].cpu_us).map((name) => [name, median(results.map(({ cpu_us }) => cpu_us[name]))])));

/** The first tenant's webhook, a new one each time, takes connections and never answers, or is as well as the others. The median of ratios of pairs that nobody disturbed. */
async function measureDead({ report, quick }, site, steady) {
  const round = (url, options) => async () => {
    await site.replaceFirst(url);
    return site.publish({ ...steady, ...options });
  };
  const well = round(site.url, {}), dead = round(site.dead_url, { dead_port: site.dead_port });
  await well(); // what is done for the first time is done
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 7, well, dead, ({ latency_us }) => ({ latency_us }));
  report.figure({
    name: `p99 of the others with one dead endpoint among ${TENANTS}, to that without`, value: median(rounds.map(([a, b]) => b.latency_us.p99 / a.latency_us.p99)), unit: '', at_most: 1.1,
    note: `${note}; ${rounds.map(([a, b]) => `${ms(a.latency_us.p99).toFixed(1)} to ${ms(b.latency_us.p99).toFixed(1)} ms`).join(', ')};`
      + ` p50 ${ms(median(rounds.map(([a]) => a.latency_us.p50))).toFixed(2)} and ${ms(median(rounds.map(([, b]) => b.latency_us.p50))).toFixed(2)} ms`,
    pairs: seen,
  });
  await site.replaceFirst(site.url);
}

async function measureRate({ report, quick }, site) {
  const count = quick ? 30_000 : 60_000;
  const post = () => site.post({ count, outstanding: 256 });
  const publish = () => site.publish({ count, ...OUTBOXES });
  await publish(); // connections are there
  const { pairs: rounds, seen, note } = await pairs(quick ? 3 : 5, post, publish, ({ cpu_us }) => ({ cpu_us }));
  const published = rounds.map(([, b]) => b);
  report.figure({
    name: 'webhook deliveries: rate to that of a bare libcurl loop', value: median(rounds.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: 0.5,
    note: `${note}; ${Math.round(median(published.map(({ rate }) => rate)))} to ${Math.round(median(rounds.map(([a]) => a.rate)))}/s; CPU of a delivery ${cpuOf(published)}, of a post of the loop`
      + ` ${median(rounds.map(([a]) => a.client_cpu_us - a.receiver_cpu_us)).toFixed(0)} us, of the receiver ${median(published.map(({ receiver_cpu_us }) => receiver_cpu_us)).toFixed(0)} us`,
    pairs: seen,
  });
}

/** What a program has in memory (Pss: what is shared counts in parts). The kernel's buffers of a connection are nobody's. */
async function measureIdle({ report, instance, quick }, site) {
  const open = async (count, at, root) => {
    await until(async () => (await instance.metric('event-fanout', 'belfry_fanout_sockets')) === 0, { what: 'no WebSocket', deadline_ms: 20_000 });
    const before = root.map(memoryOf);
    const sockets = await site.openSockets(count, at);
    const after = root.map(memoryOf);
    await sockets.close();
    return after.map((bytes, i) => (bytes - before[i]) / count);
  };
  const [fanout, gateway] = [site.servers['event-fanout'], await instance.pid('nginx')];
  const [direct, through] = quick ? [2_000, 1_000] : [IDLE.direct, IDLE.gateway];
  const [each] = await open(direct, socketsOf(instance), [fanout]);
  report.figure({ name: 'event-fanout: memory of an idle WebSocket', value: each, unit: 'bytes', note: `Pss of the program, ${direct} of them without the gateway` });
  const [, passed] = await open(through, new URL(instance.api).host, [fanout, gateway]);
  report.figure({ name: 'gateway: memory of an idle WebSocket', value: passed, unit: 'bytes', note: `Pss of all its processes, ${through} of them` });
}

const socketsOf = (instance) => new URL(instance.fanouts[0].sockets).host;

/** Bytes of a process and its children. */
function memoryOf(root) {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => parentOf(pid) === root);
  return [root, ...children].reduce((sum, pid) => sum + 1024 * Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0);
}

function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  } catch {
    return null; // it ended meanwhile
  }
}
