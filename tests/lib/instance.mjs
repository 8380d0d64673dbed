// A running instance of Belfry (a directory, see deploy/local/README.md): where it is, and how to disturb it.
//
//   const belfry = Instance.open(run)            reads RUN/belfry.env; throws when there is none
//   await Instance.up({run, port_base, stdout})  deploy/local/belfry up; its progress goes to a file descriptor
//   belfry.env, .run, .api, .operator_key, .sip {host, port} of the first edge, .port(plus, copy)
//   belfry.wss, .ws   SIP over WebSockets at the gateway, with TLS and without
//   belfry.ca         the private authority's certificate
//   belfry.edges      [{name, id, sip, sips, internal, admin, bus, kamcmd(...)}]    name: the program, `kamailio-2`; sip, sips,
//   belfry.relays     [{name, ng, admin}]                                          internal and ng are {host, port}
//   belfry.controls   [{name, admin, bus}]
//   belfry.fanouts    [{name, admin, bus, sockets}]
//   await belfry.scale({edges: 2, relays: 2})    `up` with other numbers; an absent one stays as it is; {controls: 0} is none at all
//   belfry.admin(program)                        base URL of its admin port
//   await belfry.pid('kamailio')                 process id under the supervisor; null when it does not run
//   await belfry.kill9('kamailio-2')             kill -9; gives the pid it had
//   await belfry.stop('postgres'), .start(...)   by the supervisor; start waits until the supervisor says RUNNING
//   await belfry.kamcmd('tenant.status')         text of an RPC of the first edge; edge.kamcmd() of another
//   await belfry.sql('belfry_events', "SELECT ...")   lines of an answer, as a service's role in the system scope; fields by |
//   await belfry.allWell()                       until every program runs and those with a /ready say yes
//   await belfry.down()
//
// A test's own instance is named by BELFRY_TEST_RUN, which tests/e2e/run sets: Instance.test().
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Supervisor } from './supervisor.mjs';
import { until } from './until.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const run = promisify(execFile);
const BELFRY = path.join(ROOT, 'deploy/local/belfry');

export class Instance {
  #supervisor;
  #counts;

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
    this.#read(env);
  }

  #read(env) {
    this.env = env;
    this.#supervisor = Supervisor.of(env.BELFRY_SUPERVISOR);
    this.api = env.BELFRY_API;
    this.operator_key = env.BELFRY_OPERATOR_KEY;
    this.sip = place(env.BELFRY_SIP);
    this.wss = env.BELFRY_WSS;
    this.ws = `${env.BELFRY_API.replace(/^http/, 'ws')}/ws`;
    this.port_base = this.sip.port - 60;
    this.edges = copies('kamailio', { sip: env.BELFRY_SIP_EDGES, sips: env.BELFRY_SIPS_EDGES, internal: env.BELFRY_EDGE_INTERNALS, admin: env.BELFRY_EDGE_ADMINS, ctl: env.BELFRY_EDGE_CTLS, bus: env.BELFRY_EDGE_BUSES })
      .map((edge, i) => ({ ...edge, id: `edge-${i + 1}`, sip: place(edge.sip), sips: place(edge.sips), internal: place(edge.internal), kamcmd: (...args) => kamcmd(edge.ctl, args) }));
    this.relays = copies('rtpengine', { ng: env.BELFRY_RELAYS, admin: env.BELFRY_RTPENGINE_ADMINS })
      .map((relay) => ({ ...relay, ng: place(relay.ng.replace(/^udp:/, '')) }));
    this.controls = copies('call-control', { admin: env.BELFRY_CALLS_ADMINS, bus: env.BELFRY_CALL_CONTROL_BUS });
    this.fanouts = copies('event-fanout', { admin: env.BELFRY_FANOUT_ADMINS, bus: env.BELFRY_EVENTS_BUS, sockets: env.BELFRY_FANOUT_SOCKETS });
    this.#counts = { EDGES: this.edges.length, RELAYS: this.relays.length, CONTROLS: this.controls.length, FANOUTS: this.fanouts.length };
  }

  /** The same object afterwards shows the new edges and relays. Other programs than those that are new, gone or told of it (edges of relays, the registry of edges) go on; nothing is done when it has that shape. */
  async scale({ edges, relays, controls, fanouts }) {
    const wanted = Object.entries({ EDGES: edges, RELAYS: relays, CONTROLS: controls, FANOUTS: fanouts }).filter(([, count]) => count !== undefined);
    if (wanted.every(([name, count]) => this.#counts[name] === count)) return;
    this.#counts = {}; // until `up` has done it all
    await command(['up'], { RUN: this.run, PORT_BASE: String(this.port_base), ...Object.fromEntries(wanted.map(([name, count]) => [name, String(count)])) }, 'ignore');
    this.#read(parseEnv(readFileSync(path.join(this.run, 'belfry.env'), 'utf8')));
  }

  get ca() {
    return readFileSync(this.env.BELFRY_CA_FILE, 'utf8');
  }

  /** One of the instance's ports by its place in the table of deploy/local/README.md. */
  port(plus, copy = 1) {
    return this.port_base + plus + 100 * (copy - 1);
  }

  admin(program) {
    if (program === 'tenant-registry') return this.env.BELFRY_REGISTRY_ADMIN;
    return [...this.edges, ...this.relays, ...this.controls, ...this.fanouts].find(({ name }) => name === program)?.admin;
  }

  /** The programs under the supervisor: [{name, state, pid}]. */
  programs() {
    return this.#supervisor.programs();
  }

  pid(program) {
    return this.#supervisor.pid(program);
  }

  async kill9(program) {
    const pid = await this.pid(program);
    if (!pid) throw new Error(`${program} does not run`);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  async stop(program) {
    await this.#supervisor.stop(program);
    await until(async () => !(await this.pid(program)), { what: `${program} stopped`, deadline_ms: 30_000 });
  }

  async start(program) {
    if (await this.pid(program)) return;
    await this.#supervisor.start(program);
    await until(() => this.pid(program), { what: `${program} started`, deadline_ms: 30_000 });
  }

  kamcmd(...args) {
    return this.edges[0].kamcmd(...args);
  }

  /** A figure of /metrics, labels as written; null when there is no such line. */
  async metric(program, name) {
    const text = await (await fetch(`${this.admin(program)}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
    return line ? Number(line.trim().split(/\s+/)[1]) : null;
  }

  async sql(role, statement) {
    const password = readFileSync(path.join(this.run, 'secrets', `${role}.pgpass`), 'utf8').trim();
    const { stdout } = await run('psql', ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-h', this.env.BELFRY_PGHOST, '-U', role, '-d', this.env.BELFRY_PGDATABASE, '-c', statement],
      { env: { ...process.env, PGPASSWORD: password, PGOPTIONS: '-c belfry.scope=system' }, timeout: 60_000 });
    return stdout.split('\n').filter(Boolean);
  }

  async ready(program) {
    try {
      return (await fetch(`${this.admin(program)}/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  async allWell({ deadline_ms = 60_000 } = {}) {
    let programs;
    await until(async () => (programs = await this.programs()).every(({ state }) => state === 'RUNNING'), { what: 'all programs running', deadline_ms, every_ms: 100 });
    for (const { name } of programs.filter(({ name }) => SAYS_READY.test(name))) {
      await until(() => this.ready(name), { what: `${name} ready`, deadline_ms, every_ms: 50 });
    }
  }

  down() {
    return command(['down'], { RUN: this.run }, 2);
  }
}

const SAYS_READY = /^(kamailio|call-control|event-fanout|tenant-registry)/;

/** "127.0.0.1:5060" */
function place(text) {
  const [host, port] = text.split(':');
  return { host, port: Number(port) };
}

/** From lists separated by spaces: [{name, <field>: the nth word of its list}]. */
function copies(program, lists) {
  const words = Object.entries(lists).map(([field, list]) => [field, list ? list.split(' ') : []]);
  return words[0][1].map((_, i) => ({ name: i === 0 ? program : `${program}-${i + 1}`, ...Object.fromEntries(words.map(([field, each]) => [field, each[i]])) }));
}

async function kamcmd(ctl, args) {
  const { stdout } = await run('kamcmd', ['-s', ctl, ...args], { timeout: 10_000 });
  return stdout;
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
