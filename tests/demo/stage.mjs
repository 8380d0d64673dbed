// The instance as the demo needs it: two edges, webhooks that may go to this machine, and pushes that go to the demo, which plays
// Apple. Nobody wants that of an instance in use: one that has other tenants than the demo's is refused and left as it is. Any
// other one is lent these settings while the demo runs.
//
//   const stage = new Stage({run, port_base, tenants: [{slug, domain}], folder, stdout})   folder: event-fanout can read in it
//   await stage.set()                 the instance is up, with what is lent to it; throws what to do when it has other tenants
//   stage.belfry, stage.providers     the instance; the stand-in of Apple (tests/lib/providers.mjs)
//   stage.lent                        is there something to take back?
//   await stage.strike()              takes it back: the instance is as `make up` makes it
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Api } from '../lib/api.mjs';
import { Instance, ROOT, parseEnv } from '../lib/instance.mjs';
import { isFree } from '../lib/ports.mjs';
import { Providers } from '../lib/providers.mjs';

/** Ports of the instance that nothing else uses: the demo's phones, the stand-in's. */
export const PHONE_PORTS = [400, 989];
const PUSH_PORTS = [990, 999];
/** How many there must be of a program, and where an Instance has them. */
const LEAST = { EDGES: [2, 'edges'], CONTROLS: [1, 'controls'], FANOUTS: [1, 'fanouts'] };

export class Stage {
  #options;
  #own = null; // the environment to give back

  constructor(options) {
    this.#options = options;
  }

  get lent() {
    return this.#own !== null && existsSync(path.join(this.#options.run, 'env/event-fanout.env'));
  }

  async set() {
    const there = await this.#there();
    const own = Object.fromEntries(Object.entries(LEAST).map(([name, [, field]]) => [name, Number(process.env[name] || there?.[field].length || 1)]));
    const lent = Object.fromEntries(Object.entries(own).map(([name, count]) => [name, Math.max(count, LEAST[name][0])]));
    this.#lend({ ...lent, BELFRY_WEBHOOK_NETWORKS: '127.0.0.1', ...(await this.#pushSettings()) }, own);
    this.belfry = await this.#up(this.#options.stdout);
    this.providers = await Providers.open();
  }

  async strike() {
    await this.providers?.close();
    this.providers = null;
    if (!this.lent) return;
    setEnvironment(this.#own);
    this.#own = null;
    await this.#up('ignore');
  }

  /** The instance, if there is one, running and the demo's. */
  async #there() {
    const { run, tenants: mine, stdout } = this.#options;
    if (!existsSync(path.join(run, 'belfry.env'))) return null;
    let belfry = Instance.open(run);
    const running = await tenantsOf(belfry).catch(() => null);
    if (!running) belfry = await this.#up(stdout); // to be asked whose it is
    const others = (running ?? (await tenantsOf(belfry))).filter(({ slug, domains }) => !mine.some((each) => each.slug === slug && domains.includes(each.domain)));
    if (others.length > 0) {
      if (!running) await belfry.down();
      throw new Error(this.#notMine(others.map(({ slug }) => slug)));
    }
    return belfry;
  }

  #notMine(slugs) {
    const { run, port_base } = this.#options;
    const names = `${slugs.slice(0, 3).join(', ')}${slugs.length > 3 ? `, and ${slugs.length - 3} more` : ''}`;
    const place = `RUN=${path.relative(ROOT, run).startsWith('..') ? run : path.relative(ROOT, run)}-demo PORT_BASE=${port_base + (port_base > 26_000 ? -3000 : 3000)}`;
    return `the instance in ${run} is in use; it has tenants of its own: ${names}\n`
      + '  The demo would let its webhooks go to this machine and its pushes to a stand-in of Apple, so it leaves it alone.\n'
      + `  -> run the demo beside it:  make demo ${place}      (and then  make down ${place.split(' ')[0]})`;
  }

  async #pushSettings() {
    const { port_base, folder } = this.#options;
    for (let port = port_base + PUSH_PORTS[0]; port <= port_base + PUSH_PORTS[1]; port++) {
      if (!(await isFree(port))) continue;
      const { stdout } = await promisify(execFile)(path.join(ROOT, 'tests/lib/push-settings'), [`127.0.0.1:${port}`, path.join(folder, 'push')]);
      return parseEnv(stdout);
    }
    throw new Error(`no free port from ${port_base + PUSH_PORTS[0]} to ${port_base + PUSH_PORTS[1]} for the stand-in of Apple`);
  }

  #lend(settings, own) {
    this.#own = { ...Object.fromEntries(Object.keys(settings).map((name) => [name, process.env[name]])), ...own };
    setEnvironment(settings);
  }

  #up(stdout) {
    const { run, port_base } = this.#options;
    return Instance.up({ run, port_base, stdout });
  }
}

function tenantsOf(belfry) {
  return new Api(belfry.api, belfry.operator_key).list('/v1/tenants');
}

/** As `up` will see it; undefined: not at all. */
function setEnvironment(settings) {
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = String(value);
  }
}
