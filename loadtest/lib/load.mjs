// Runs of the load generator, with what they cost the servers.
//
//   const load = new Load({program, postgres_pid});
//   await load.run({pid, port}, {mode: 'register', seconds: 3, users: 20000})
//       -> sipload's JSON, plus cpu_us of each server for each transaction, {Kamailio, PostgreSQL, ...}, all_cpu_us of all of them,
//          and `others`: the part of the machine that neither these nor sipload used but somebody else did
//   await withCosts(servers, 'got', work)   the same of another generator's result
//   await pairs(rounds, a, b, told)  a(), b(), b(), a(), ...: {pairs: [[result, result], ...], seen, note}: drift hits both alike;
//                             `seen` has the rates of all pairs, those left out too, and what told(result) gives
//   await inTurns(rounds, a, b)  the same without looking at who else uses the machine: [[result, result], ...]
//   othersOf(results)         a note for figures without pairs: whether somebody else used much of the machine
//   median(numbers), quantile(numbers, part)
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs, machineMs } from './processes.mjs';
import { progress } from './report.mjs';

const OTHERS_MAX = 0.1; // above it a round tells more of the machine's other work than of ours
const QUICK = process.env.QUICK === '1';
let quiet_wait_left_ms = QUICK ? 10_000 : 45_000; // for all rounds of a run together
const PATIENT_MS = (QUICK ? 2 : 5) * 60_000; // later than this after the start nothing is waited for or measured again
const patient = () => performance.now() < PATIENT_MS;

export class Load {
  constructor({ program, postgres_pid }) {
    this.program = program;
    this.postgres_pid = postgres_pid;
  }

  /**
   * `helpers`: {name: pid} of what else serves this side. `settled`: awaited at the end, when this side answers before it is done; what
   * that takes (`settled_ms`) is part of the run, and of its rate.
   */
  async run({ pid, port, local_port, helpers = {}, settled }, { flags = [], ...options }) {
    const args = Object.entries({ target: `127.0.0.1:${port}`, ...(local_port ? { local_port } : {}), ...options })
      .flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, String(value)]);
    const servers = { Kamailio: pid, PostgreSQL: this.postgres_pid, ...helpers };
    return withCosts(servers, 'completed', async () => {
      const result = JSON.parse(await output(this.program, [...args, ...flags.map((flag) => `--${flag}`)]));
      await settle(result, settled);
      return result;
    });
  }
}

/** Does `work` and adds to its result what it cost the servers, {name: pid}, for each of result[counted]; it has client_cpu_us itself. */
export async function withCosts(servers, counted, work) {
  const measure = () => ({ machine: machineMs(), servers: Object.values(servers).map(cpuMs) });
  const before = measure();
  const result = await work();
  const after = measure();
  const count = result[counted];
  const servers_ms = after.servers.map((ms, i) => ms - before.servers[i]);
  const all_ms = servers_ms.reduce((sum, ms) => sum + ms, 0);
  const client_ms = result.client_cpu_us * count / 1000;
  const busy_ms = after.machine.busy - before.machine.busy;
  result.cpu_us = Object.fromEntries(Object.keys(servers).map((name, i) => [name, servers_ms[i] * 1000 / count]));
  result.all_cpu_us = all_ms * 1000 / count;
  result.others = Math.max(0, busy_ms - all_ms - client_ms) / (after.machine.all - before.machine.all);
  return result;
}

async function settle(result, settled) {
  if (!settled) return;
  const began = performance.now();
  await settled();
  result.settled_ms = performance.now() - began;
  result.rate *= result.seconds / (result.seconds + result.settled_ms / 1000);
}

/** A load that was not served is no figure. */
export function allServed(result, what) {
  const lost = result.started - result.succeeded;
  if (lost > result.started / 1000) {
    throw new Error(`${what}: ${lost} of ${result.started} were not served (timeouts ${result.timeouts}, answers ${JSON.stringify(result.status)})`);
  }
  return result;
}

/** Who comes first has rested, and a machine may be faster after a rest: they take turns at that too. */
async function pair(number, a, b) {
  if (number % 2 === 0) return [await a(), await b()];
  const second = await b();
  return [await a(), second];
}

/** When somebody else uses the machine, the side with more processes gets more of it: such pairs are measured again. */
export async function pairs(rounds, a, b, told = () => ({})) {
  const all = [];
  const clean = () => all.filter((pair) => pair.every(({ others }) => others < OTHERS_MAX));
  while (clean().length < rounds && all.length < rounds + (patient() ? Math.ceil(rounds / 3) : 0)) {
    await untilQuiet();
    all.push(await pair(all.length, a, b));
    progress(`pair ${all.length}: ${all.at(-1).map(({ rate, others }) => `${Math.round(rate)}/s${others < OTHERS_MAX ? '' : ' (others were busy)'}`).join(', ')}`);
  }
  const seen = all.map((pair) => pair.map((result) => ({ rate: result.rate, others: result.others, ...told(result) }))); // also what was left out
  if (clean().length >= 3) return { pairs: clean(), seen, note: `median of ${clean().length} of ${all.length} pairs` };
  return { pairs: all, seen, note: `median of ${all.length} pairs${othersOf(all.flat())}` };
}

export function othersOf(results) {
  const busiest = Math.max(...results.map(({ others }) => others));
  return busiest < OTHERS_MAX ? '' : ` on a BUSY machine (others used up to ${Math.round(busiest * 100)} % of it)`;
}

export async function inTurns(rounds, a, b) {
  const all = [];
  for (let i = 0; i < rounds; i++) {
    all.push(await pair(i, a, b));
    progress(`turn ${i + 1} of ${rounds}`);
  }
  return all;
}

async function untilQuiet() {
  while (quiet_wait_left_ms > 0 && patient()) {
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
