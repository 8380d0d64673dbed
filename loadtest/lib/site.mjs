// A hundred tenants with a webhook each, all at one receiver (eventload), and what events for them cost.
//
//   const site = await Site.open(context)
//   await site.publish({count, rate, batch, ...})    eventload's JSON, with cpu_us of each server for each request that came, and `others`
//   await site.post({count, outstanding})            the same of the bare libcurl loop
//   await site.openSockets(count, host_port)         WebSockets that nothing comes to; {close}
//   await site.replaceFirst(url)                     the first tenant's webhook is another one, with nothing waiting for it
//   await site.close()
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Api } from '../../tests/lib/api.mjs';
import { withCosts } from './load.mjs';
import { PORTS } from './ports.mjs';
import { progress } from './report.mjs';

const run = promisify(execFile);
export const TENANTS = 100; // each with one webhook

export class Site {
  static async open({ instance, load, scratch }) {
    const site = new Site();
    site.api = new Api(instance.api, instance.operator_key);
    site.bus = instance.env.BELFRY_EVENTS_BUS;
    site.servers = { 'event-fanout': await instance.pid('event-fanout'), PostgreSQL: load.postgres_pid, Redis: await instance.pid('redis') };
    site.file = path.join(scratch, 'event-tenants');
    [site.port, site.dead_port] = [instance.port(PORTS.webhooks), instance.port(PORTS.dead_webhook)];
    [site.url, site.dead_url] = [site.port, site.dead_port].map((port) => `http://127.0.0.1:${port}/`);
    site.tenants = [];
    for (let i = 0; i < TENANTS; i++) {
      const slug = `bench-hook-${i}`;
      const { id, api_key } = await site.api.ok('POST', '/v1/tenants', { slug, name: slug, domains: [`hook-${i}.bench.test`], limits: { requests_per_minute: 100_000 } });
      site.tenants.push({ id, api_key });
      await site.#hook(id, site.url);
    }
    writeFileSync(site.file, site.tenants.map(({ id, api_key }) => `${id} ${api_key}\n`).join(''), { mode: 0o600 });
    chmodSync(site.file, 0o600);
    return site;
  }

  async close() {
    for (const { id } of this.tenants) await this.#forget(id);
    for (const { id } of this.tenants) await this.api.ok('DELETE', `/v1/tenants/${id}`);
  }

  async replaceFirst(url) {
    await this.#forget(this.tenants[0].id);
    await this.#hook(this.tenants[0].id, url);
  }

  publish(options) {
    return this.#measured({ mode: 'publish', bus: this.bus, tenants: this.file, ...options });
  }

  post(options) {
    return this.#measured({ mode: 'post', url: this.url, ...options });
  }

  async openSockets(count, at) {
    const child = spawn(process.env.BENCH_EVENTLOAD, words({ mode: 'sockets', tenants: this.file, sockets: count, socket_at: at }), { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    const opened = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
    if (!opened) throw new Error(`${count} WebSockets were not opened`);
    return {
      close: async () => {
        child.stdin.end();
        const [code] = await ended;
        if (code !== 0) throw new Error('some of the WebSockets were closed by the other side');
      },
    };
  }

  #hook(tenant, url) {
    return this.api.ok('POST', `/v1/tenants/${tenant}/webhooks`, { url, events: ['*'] });
  }

  async #forget(tenant) {
    for (const { id } of await this.api.list(`/v1/tenants/${tenant}/webhooks`)) await this.api.ok('DELETE', `/v1/tenants/${tenant}/webhooks/${id}`);
  }

  #measured(options) {
    progress(`${options.mode} ${options.count}`);
    return withCosts(this.servers, 'got', async () => {
      const result = JSON.parse((await run(process.env.BENCH_EVENTLOAD, words({ port: this.port, ...options }), { timeout: 120_000 })).stdout);
      if (result.got !== result.count || result.strange || (result.sockets && result.sockets_got !== result.sockets_count)) {
        throw new Error(`${result.got} of ${result.count} requests came, ${result.strange} strange ones, and ${result.sockets_got} of ${result.sockets_count} messages at WebSockets`);
      }
      return result;
    });
  }
}

const words = (options) => Object.entries(options).flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, String(value)]);
