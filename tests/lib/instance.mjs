// A running instance of Belfry (a directory, see deploy/local/README.md): where it is, and how to disturb it.
//
//   const belfry = Instance.open(run)            reads RUN/belfry.env; throws when there is none
//   await Instance.up({run, port_base, stdout})  deploy/local/belfry up; its progress goes to a file descriptor
//   belfry.env, .run, .api, .operator_key, .sip {host, port}, .port(plus), .admin(program) base URL
//   await belfry.pid('kamailio')                 process id under the supervisor; null when it does not run
//   await belfry.kill9('kamailio')               kill -9; gives the pid it had
//   await belfry.stop('postgres'), .start(...)   by supervisorctl; start waits until the supervisor says RUNNING
//   await belfry.kamcmd('tenant.status')         text of an RPC
//   await belfry.down()
//
// A test's own instance is named by BELFRY_TEST_RUN, which tests/e2e/run sets: Instance.test().
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const run = promisify(execFile);
const BELFRY = path.join(ROOT, 'deploy/local/belfry');

export class Instance {
  static open(directory) {
    const file = path.join(directory, 'belfry.env');
    try {
      return new Instance(path.resolve(directory), parseEnv(readFileSync(file, 'utf8')));
    } catch (error) {
      throw new Error(`no instance in ${directory}: ${error.message}`, { cause: error });
    }
  }

  static test() {
    const directory = process.env.BELFRY_TEST_RUN;
    if (!directory) throw new Error('BELFRY_TEST_RUN is not set: run tests/e2e/run, or set it to the RUN of an instance that tests may disturb');
    return Instance.open(directory);
  }

  static async up({ run: directory, port_base, stdout = 2 }) {
    await command(['up'], { RUN: directory, ...(port_base ? { PORT_BASE: String(port_base) } : {}) }, stdout);
    return Instance.open(directory);
  }

  constructor(directory, env) {
    this.run = directory;
    this.env = env;
    this.api = env.BELFRY_API;
    this.operator_key = env.BELFRY_OPERATOR_KEY;
    const [host, port] = env.BELFRY_SIP.split(':');
    this.sip = { host, port: Number(port) };
    this.port_base = this.sip.port - 60;
  }

  /** One of the instance's ports by its place in the table of deploy/local/README.md. */
  port(plus) {
    return this.port_base + plus;
  }

  admin(program) {
    return { kamailio: this.env.BELFRY_EDGE_ADMIN, 'tenant-registry': this.env.BELFRY_REGISTRY_ADMIN, rtpengine: this.env.BELFRY_RTPENGINE_ADMIN }[program];
  }

  /** The programs under the supervisor: [{name, state, pid}]. */
  async programs() {
    const text = await this.#supervisor('status');
    return text.split('\n').filter(Boolean).map((line) => {
      const [name, state] = line.split(/\s+/);
      return { name, state, pid: Number(/pid (\d+)/.exec(line)?.[1]) || null };
    });
  }

  async pid(program) {
    const pid = Number((await this.#supervisor('pid', program)).trim());
    return pid > 0 ? pid : null;
  }

  async kill9(program) {
    const pid = await this.pid(program);
    if (!pid) throw new Error(`${program} does not run`);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  async stop(program) {
    await this.#supervisor('stop', program);
    await until(async () => !(await this.pid(program)), { what: `${program} stopped`, deadline_ms: 30_000 });
  }

  async start(program) {
    if (await this.pid(program)) return;
    await this.#supervisor('start', program);
    await until(() => this.pid(program), { what: `${program} started`, deadline_ms: 30_000 });
  }

  async kamcmd(...args) {
    const { stdout } = await run('kamcmd', ['-s', this.env.BELFRY_EDGE_CTL, ...args], { timeout: 10_000 });
    return stdout;
  }

  /** A figure of /metrics, labels as written; null when there is no such line. */
  async metric(program, name) {
    const text = await (await fetch(`${this.admin(program)}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
    return line ? Number(line.trim().split(/\s+/)[1]) : null;
  }

  async ready(program) {
    try {
      return (await fetch(`${this.admin(program)}/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  down() {
    return command(['down'], { RUN: this.run }, 2);
  }

  /** supervisorctl ends with 3 when a program is not running, which is an answer and no fault. */
  async #supervisor(...args) {
    try {
      return (await run('supervisorctl', ['-c', this.env.BELFRY_SUPERVISOR, ...args], { timeout: 60_000 })).stdout;
    } catch (error) {
      if ((args[0] === 'status' || args[0] === 'pid') && error.stdout) return error.stdout;
      throw new Error(`supervisorctl ${args.join(' ')}: ${(error.stdout || error.message).trim()}`, { cause: error });
    }
  }
}

/** KEY=value lines; a value may be in single or double quotes. */
export function parseEnv(text) {
  const lines = text.split('\n').map((line) => /^(?:export )?([A-Z_][A-Z0-9_]*)=(.*)$/.exec(line)).filter(Boolean);
  return Object.fromEntries(lines.map(([, name, value]) => [name, value.replace(/^(['"])(.*)\1$/, '$2')]));
}

async function command(args, env, stdout) {
  const child = spawn(BELFRY, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', stdout, 2] });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`deploy/local/belfry ${args.join(' ')} ended with ${code}`);
}
