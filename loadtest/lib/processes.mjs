// Processes that are measured: started here or running already, their CPU time with all their children's.
//
//   const server = await Kamailio.start({name, config, env, directory, port, modules})   waits until it answers
//   cpuMs(pid)                                   user and system time of a process tree so far
//   memoryBytes(pid)                             of a process tree, what several share counted once: {all, own}; own: without shared memory and files
//   machineMs()                                  {busy, all}: of all cores together
//   await server.stop()
//   await endAll()                               whatever was started here and still runs
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { until } from '../../tests/lib/until.mjs';
import { Prober } from './prober.mjs';

const DEBIAN_MODULES = `/usr/lib/${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}-linux-gnu/kamailio/modules/`;
const TICK_MS = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const started = new Set();

/** Both sides of every comparison have the memory managers of the instance's edge, and its shared memory unless `memory_mib` says more. */
function memoryOptions(memory_mib) {
  const found = /-m \d+ -M \d+ -x \w+ -X \w+/.exec(readFileSync(path.join(process.env.BENCH_RUN, 'supervisord.conf'), 'utf8'));
  if (!found) throw new Error('the command of the edge in supervisord.conf does not say its memory (-m, -M, -x, -X)');
  const options = found[0].split(' ');
  if (memory_mib) options[1] = String(memory_mib);
  return options;
}

export class Kamailio {
  static async start({ name, config, env, directory, port, modules = [], probe, memory_mib }) {
    const log = path.join(directory, `${name}.log`);
    const out = openSync(log, 'w');
    const args = ['-DD', '-E', ...memoryOptions(memory_mib), '-f', config, '-Y', directory, '-w', directory,
      '-L', [DEBIAN_MODULES, ...modules.map((folder) => `${folder}/`)].join(':')];
    const child = spawn('/usr/sbin/kamailio', args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', out, out] });
    closeSync(out);
    const server = Object.assign(new Kamailio(), { name, child, pid: child.pid, port, log, started_ms: performance.now() });
    started.add(server);
    child.once('exit', () => started.delete(server));
    if (probe !== false) await server.answers(probe ?? 'nobody.bench.test');
    return server;
  }

  /** Milliseconds from its start until it answers OPTIONS to this domain with something other than 503. */
  async answers(domain, wanted = (status) => status !== 503) {
    const prober = await Prober.open({ host: '127.0.0.1', port: this.port });
    try {
      await until(async () => {
        if (!started.has(this)) throw new Error(`it ended: ${lastLines(this.log)}`);
        return wanted((await prober.options(domain, { patience_ms: 20 })) ?? 503);
      }, { what: `${this.name} answers`, deadline_ms: 30_000, every_ms: 2 });
      return performance.now() - this.started_ms;
    } finally {
      prober.close();
    }
  }

  async stop() {
    if (!started.has(this)) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const last = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(last);
  }
}

export async function endAll() {
  await Promise.all([...started].map((server) => server.stop()));
}

function lastLines(file) {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' | ');
}

/** /proc/<pid>/stat behind the name, which may hold anything. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // it ended meanwhile
  }
}

/** The processes of a tree: [pid, {parent, ticks}]. */
function tree(root) {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
    const fields = stat(pid);
    if (fields) parents.set(pid, { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
  }
  const belongs = (pid) => pid === root || (parents.has(pid) && pid > 1 && belongs(parents.get(pid).parent));
  return [...parents].filter(([pid]) => belongs(pid));
}

export function cpuMs(root) {
  return tree(root).reduce((sum, [, { ticks }]) => sum + ticks, 0) * TICK_MS;
}

export function memoryBytes(root) {
  const sum = { all: 0, own: 0 };
  for (const [pid] of tree(root)) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name) => 1024 * Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)[1]);
    sum.all += bytes('Pss');
    sum.own += bytes('Pss_Anon');
  }
  return sum;
}

export function machineMs() {
  const ticks = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, each) => sum + each, 0);
  const [, , , idle, iowait, irq, softirq] = ticks; // interrupts are counted to no process, and the packets are ours
  return { all: all * TICK_MS, busy: (all - idle - iowait - irq - softirq) * TICK_MS };
}
