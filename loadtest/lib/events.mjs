// Webhooks: from Publish to the request at the receiver, deliveries a second against a bare libcurl loop, and what one dead
// endpoint among many costs the others. Publisher and receiver are one program (eventload), so there is one clock.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Api } from '../../tests/lib/api.mjs';
import { inTurns, median } from './load.mjs';
import { PORTS } from './ports.mjs';
import { progress } from './report.mjs';

const run = promisify(execFile);
const TENANTS = 100; // each with one webhook
const PER_SECOND = 500;

export async function measureEvents(context) {
  const { report, quick } = context;
  const site = await Site.open(context);
  report.section(`webhooks of ${TENANTS} tenants`);
  try {
    const steady = { rate: PER_SECOND, count: quick ? 2_500 : 10_000, skip: PER_SECOND };
    const alone = await site.publish(steady);
    report.figure({ name: `from Publish to the webhook request at ${PER_SECOND} events/s, p99`, value: alone.latency_us.p99 / 1000, unit: 'ms', at_most: 50, note: spread(alone) });
    await measureDead(report, site, steady, quick ? 1 : 3);
    await measureRate(report, site, quick ? 5_000 : 20_000, quick ? 1 : 3);
  } finally {
    await site.close();
  }
}

function spread({ latency_us: { p50, p999, max } }) {
  return `p50 ${(p50 / 1000).toFixed(1)}, p999 ${(p999 / 1000).toFixed(1)}, max ${(max / 1000).toFixed(1)} ms`;
}

/** The first tenant's webhook takes connections and never answers, or is as well as the others. */
async function measureDead(report, site, steady, rounds) {
  const well = () => site.publish(steady);
  const dead = async () => {
    await site.replaceFirst(site.dead_url);
    const result = await site.publish({ ...steady, dead_port: site.dead_port });
    await site.replaceFirst(site.url);
    return result;
  };
  const turns = await inTurns(rounds, well, dead);
  report.figure({
    name: `p99 of the others with one dead endpoint among ${TENANTS}, to that without`, value: median(turns.map(([a, b]) => b.latency_us.p99 / a.latency_us.p99)), unit: '', at_most: 1.1,
    note: turns.map(([a, b]) => `${(a.latency_us.p99 / 1000).toFixed(1)} to ${(b.latency_us.p99 / 1000).toFixed(1)} ms`).join(', '),
  });
}

async function measureRate(report, site, count, rounds) {
  const turns = await inTurns(rounds, () => site.post({ count, outstanding: 256 }), () => site.publish({ count, batch: 200 }));
  report.figure({
    name: 'webhook deliveries: rate to that of a bare libcurl loop', value: median(turns.map(([a, b]) => b.rate / a.rate)), unit: '', at_least: 0.5,
    note: turns.map(([a, b]) => `${Math.round(b.rate)} to ${Math.round(a.rate)}/s`).join(', '),
  });
}

class Site {
  static async open({ instance, scratch }) {
    const site = new Site();
    site.api = new Api(instance.api, instance.operator_key);
    site.bus = instance.env.BELFRY_EVENTS_BUS;
    site.file = path.join(scratch, 'event-tenants');
    [site.port, site.dead_port] = [instance.port(PORTS.webhooks), instance.port(PORTS.dead_webhook)];
    [site.url, site.dead_url] = [site.port, site.dead_port].map((port) => `http://127.0.0.1:${port}/`);
    site.tenants = [];
    for (let i = 0; i < TENANTS; i++) {
      const slug = `bench-hook-${i}`;
      const { id } = await site.api.ok('POST', '/v1/tenants', { slug, name: slug, domains: [`hook-${i}.bench.test`], limits: { requests_per_minute: 100_000 } });
      site.tenants.push(id);
      await site.#hook(id, site.url);
    }
    writeFileSync(site.file, `${site.tenants.join('\n')}\n`);
    return site;
  }

  async close() {
    for (const id of this.tenants) await this.#forget(id);
    for (const id of this.tenants) await this.api.ok('DELETE', `/v1/tenants/${id}`);
  }

  /** With what waited for it. */
  async replaceFirst(url) {
    await this.#forget(this.tenants[0]);
    await this.#hook(this.tenants[0], url);
  }

  publish(options) {
    return this.#run({ mode: 'publish', bus: this.bus, tenants: this.file, ...options });
  }

  post(options) {
    return this.#run({ mode: 'post', url: this.url, ...options });
  }

  #hook(tenant, url) {
    return this.api.ok('POST', `/v1/tenants/${tenant}/webhooks`, { url, events: ['*'] });
  }

  async #forget(tenant) {
    for (const { id } of await this.api.list(`/v1/tenants/${tenant}/webhooks`)) await this.api.ok('DELETE', `/v1/tenants/${tenant}/webhooks/${id}`);
  }

  async #run(options) {
    const args = Object.entries({ port: this.port, ...options }).flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, String(value)]);
    progress(`${options.mode} ${options.count}`);
    const result = JSON.parse((await run(process.env.BENCH_EVENTLOAD, args, { timeout: 120_000 })).stdout);
    if (result.got !== result.count || result.strange) throw new Error(`${result.got} of ${result.count} requests came, and ${result.strange} strange ones`);
    return result;
  }
}
