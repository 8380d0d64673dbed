// Runs of the load generator, with what they cost the servers.
//
//   const load = new Load({program, postgres_pid, workers});
//   await load.run({pid, port}, {mode: 'register', seconds: 3, users: 20000})
//       -> sipload's JSON, plus server_cpu_us and postgres_cpu_us for each transaction, and `others`: the part of the
//          machine that neither of the three used but somebody else did
//   await pairs(rounds, a, b)  a(), b(), a(), b(), ...: {pairs: [[result, result], ...], seen, note}: drift hits both alike;
//                             `seen` has the rates of all pairs, those left out too
//   median(numbers), quantile(numbers, part)
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, machineMs } from './processes.mjs';

const OTHERS_MAX = 0.1; // above it a round tells more of the machine's other work than of ours
const QUIET_WAIT_MS = process.env.QUICK === '1' ? 15_000 : 90_000; // for all rounds of a run together
let quiet_wait_left_ms = QUIET_WAIT_MS;

export class Load {
  constructor({ program, postgres_pid }) {
    this.program = program;
    this.postgres_pid = postgres_pid;
  }

  /** `helpers`: {name: pid} of what else serves this side; their CPU time is in `helpers_cpu_us`, by name. */
  async run({ pid, port, local_port, helpers = {} }, { flags = [], ...options }) {
    const args = Object.entries({ target: `127.0.0.1:${port}`, ...(local_port ? { local_port } : {}), ...options })
      .flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, String(value)]);
    const measure = () => ({ machine: machineMs(), server: cpuMs(pid), postgres: cpuMs(this.postgres_pid), helpers: Object.values(helpers).map(cpuMs) });
    const before = measure();
    const result = JSON.parse(await output(this.program, [...args, ...flags.map((flag) => `--${flag}`)]));
    const after = measure();
    const server_ms = after.server - before.server;
    const postgres_ms = after.postgres - before.postgres;
    const helpers_ms = after.helpers.map((ms, i) => ms - before.helpers[i]);
    const client_ms = result.client_cpu_us * result.completed / 1000;
    const busy_ms = after.machine.busy - before.machine.busy;
    result.server_cpu_us = server_ms * 1000 / result.completed;
    result.postgres_cpu_us = postgres_ms * 1000 / result.completed;
    result.helpers_cpu_us = Object.fromEntries(Object.keys(helpers).map((name, i) => [name, helpers_ms[i] * 1000 / result.completed]));
    const ours_ms = helpers_ms.reduce((sum, ms) => sum + ms, server_ms + postgres_ms + client_ms);
    result.others = Math.max(0, busy_ms - ours_ms) / (after.machine.all - before.machine.all);
    return result;
  }
}

/** A load that was not served is no figure. */
export function allServed(result, what) {
  const lost = result.started - result.succeeded;
  if (lost > result.started / 1000) {
    throw new Error(`${what}: ${lost} of ${result.started} were not served (timeouts ${result.timeouts}, answers ${JSON.stringify(result.status)})`);
  }
  return result;
}

/** When somebody else uses the machine, the side with more processes gets more of it: such pairs are measured again. */
export async function pairs(rounds, a, b) {
  const all = [];
  const clean = () => all.filter((pair) => pair.every(({ others }) => others < OTHERS_MAX));
  while (clean().length < rounds && all.length < rounds + Math.ceil(rounds / 3)) {
    await untilQuiet();
    all.push([await a(), await b()]);
  }
  const busiest = Math.max(...all.flat().map(({ others }) => others));
  const seen = all.map((pair) => pair.map(({ rate, others }) => ({ rate, others }))); // also what was left out
  if (clean().length >= 3) return { pairs: clean(), seen, note: `median of ${clean().length} of ${all.length} pairs` };
  return { pairs: all, seen, note: `median of ${all.length} pairs on a BUSY machine (others used up to ${Math.round(busiest * 100)} % of it)` };
}

async function untilQuiet() {
  while (quiet_wait_left_ms > 0) {
    const before = machineMs();
    await delay(500);
    const after = machineMs();
    quiet_wait_left_ms -= 500;
    if ((after.busy - before.busy) / (after.all - before.all) < OTHERS_MAX) return;
  }
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

function output(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 660_000 });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(Buffer.concat(chunks).toString()) : reject(new Error(`${program} ${args.join(' ')} ended with ${code}`))));
  });
}
