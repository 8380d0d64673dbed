// A small Kamailio that speaks TLS and nothing else, and what it bears: with tlsguard.so as the edge has it, and without.
//
//   const server = await TlsServer.start({port, folder, guarded, build})      its certificate is made in `folder`
//   await server.load({count, seconds, broken})     tlsload's figures: connections, good, answered, broken, let_in, ...
//   await server.reload()                           tls.reload
//   await server.used()                             bytes of shared memory in use, after what is no longer used was freed
//   await server.dead()                             null while it lives; else how it died: it ended, or answers nobody
//   await server.stop()                             no process stays
//   await load({target, ...})                       the same against any server
//
// The load program is built first: buildLoad().
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from './instance.mjs';
import { until, within } from './until.mjs';

const run = promisify(execFile);
const BUILD = process.env.BUILD || 'release';
const TLSLOAD = path.join(ROOT, 'build', BUILD, 'bin/tlsload');
const STOCK_MODULES = '/usr/lib/x86_64-linux-gnu/kamailio/modules/';

/** Beside the program that may be there: a build of the instance runs the same make. */
export async function buildLoad() {
  const env = { ...process.env };
  for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS']) delete env[name];
  await run('make', ['-s', `BUILD=${BUILD}`, `build/${BUILD}/bin/tlsload`], { cwd: ROOT, env, timeout: 120_000 });
}

export async function load({ target, name, count = 1000, seconds = 60, broken = 50, parallel = 32 }) {
  const options = { target, name, count, seconds, broken, parallel };
  const args = Object.entries(options).filter(([, value]) => value !== undefined).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const { stdout } = await run(TLSLOAD, args, { timeout: (seconds + 60) * 1000 });
  return JSON.parse(stdout);
}

export class TlsServer {
  #process;
  #ended = null;
  #ctl;

  static async start(options) {
    const server = new TlsServer(options);
    await server.#start();
    return server;
  }

  constructor({ port, folder, guarded }) {
    Object.assign(this, { port, folder, guarded, target: `127.0.0.1:${port}` });
    this.#ctl = `unixs:${path.join(folder, 'ctl')}`;
  }

  async #start() {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const file = (name) => path.join(this.folder, name);
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '7', '-subj', '/CN=127.0.0.1', '-keyout', file('key.pem'), '-out', file('cert.pem')]);
    writeFileSync(file('tls.cfg'), `[server:default]\nmethod = TLSv1.2+\ncertificate = ${file('cert.pem')}\nprivate_key = ${file('key.pem')}\n`);
    const log = openSync(file('log'), 'w', 0o600);
    this.#process = spawn('kamailio', [
      '-DD', '-E', '-m', '256', '-M', '8', '-x', 'tlsf', '-X', 'tlsf', '-f', path.join(ROOT, 'tests/lib/tls_server.cfg'), '-Y', this.folder,
      '-L', `${STOCK_MODULES}:${path.join(ROOT, 'build', BUILD, 'modules')}/`, ...(this.guarded ? [] : ['-A', 'UNGUARDED']),
    ], {
      stdio: ['ignore', log, log], detached: true, // a group of its own: what a crash leaves is ended with it
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', STRESS_PORT: String(this.port), STRESS_CTL: this.#ctl, STRESS_TLS_CFG: file('tls.cfg') },
    });
    closeSync(log);
    this.exit = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve((this.#ended = `it ended (${signal ?? code})`))));
    this.#process.once('error', (error) => (this.#ended = error.message));
    await until(() => this.#ended || this.#kamcmd('core.uptime'), { what: 'the TLS server', deadline_ms: 30_000, every_ms: 100 });
    if (this.#ended) throw new Error(`the TLS server does not start: ${this.#ended}; see ${file('log')}`);
  }

  load(options) {
    return load({ target: this.target, ...options });
  }

  async reload() {
    const answer = await this.#kamcmd('tls.reload');
    if (!answer.includes('reloaded')) throw new Error(`tls.reload: ${answer}`);
  }

  /** What a reload leaves is freed by the next one that finds its connections gone; the list before stays. */
  async used() {
    let last;
    await until(async () => {
      await this.reload();
      const now = Number(/\bused: (\d+)/.exec(await this.#kamcmd('core.shmmem'))[1]);
      const settled = last !== undefined && Math.abs(now - last) < 4096;
      last = now;
      return settled;
    }, { what: 'shared memory that stays as it is', deadline_ms: 30_000, every_ms: 200 });
    return last;
  }

  async dead() {
    if (this.#ended) return this.#ended;
    const probe = await this.load({ count: 8, seconds: 5, broken: 0, parallel: 8 });
    if (this.#ended) return this.#ended;
    return probe.answered > 0 ? null : 'it answers nobody';
  }

  async stop() {
    if (this.#process?.pid === undefined) return;
    this.#process.kill('SIGTERM');
    await within(this.exit, { deadline_ms: 5_000 }).catch(() => {});
    try {
      process.kill(-this.#process.pid, 'SIGKILL'); // of the group that start() made
    } catch {
      // nobody is left
    }
    await this.exit;
  }

  async #kamcmd(...args) {
    const { stdout } = await run('kamcmd', ['-s', this.#ctl, ...args], { timeout: 10_000 });
    return stdout;
  }
}

const ROUND_S = 15;

/** Without the guard: loaded in rounds until it is dead, or `seconds` have passed. {died, connections} */
export async function wear({ port, folder, seconds }) {
  const server = await TlsServer.start({ port, folder, guarded: false });
  let connections = 0;
  try {
    for (let round = 0; round * ROUND_S < seconds; round++) {
      connections += (await server.load({ count: 1_000_000, seconds: ROUND_S })).connections;
      const died = await server.dead();
      if (died) return { died, connections };
    }
    return { died: null, connections };
  } finally {
    await server.stop();
  }
}

/** With the guard: good and broken connections with reloads meanwhile. The load's figures, with died, reloads and grew_bytes. */
export async function bear({ port, folder, count, seconds, reload_ms = 2000 }) {
  const server = await TlsServer.start({ port, folder, guarded: true });
  try {
    await server.load({ count: 1500, seconds: 60 }); // what is made once is made
    const before = await server.used();
    let reloads = 0;
    let going = true;
    const reloading = (async () => {
      for (; going; await delay(reload_ms)) {
        await server.reload();
        reloads++;
      }
    })();
    const figures = await server.load({ count, seconds });
    going = false;
    await reloading;
    const died = await server.dead();
    return { ...figures, died, reloads, grew_bytes: died ? null : (await server.used()) - before };
  } finally {
    await server.stop();
  }
}
