// Runs of the load generator, with what they cost the servers.
//
//   const load = new Load({program, postgres_pid, workers});
//   await load.run({pid, port}, {mode: 'register', seconds: 3, users: 20000})
//       -> sipload's JSON, plus server_cpu_us and postgres_cpu_us for each transaction
//   pairs(rounds, a, b)        a(), b(), a(), b(), ...: [[result, result], ...]: the machine's drift hits both alike
//   median(numbers), best(numbers)
import { spawn } from 'node:child_process';
import { cpuMs } from './processes.mjs';

export class Load {
  constructor({ program, postgres_pid }) {
    this.program = program;
    this.postgres_pid = postgres_pid;
  }

  async run({ pid, port, local_port }, { flags = [], ...options }) {
    const args = Object.entries({ target: `127.0.0.1:${port}`, ...(local_port ? { local_port } : {}), ...options })
      .flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, String(value)]);
    const before = { server: cpuMs(pid), postgres: cpuMs(this.postgres_pid) };
    const result = JSON.parse(await output(this.program, [...args, ...flags.map((flag) => `--${flag}`)]));
    const each = (after, first) => (after - first) * 1000 / result.completed;
    result.server_cpu_us = each(cpuMs(pid), before.server);
    result.postgres_cpu_us = each(cpuMs(this.postgres_pid), before.postgres);
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

export async function pairs(rounds, a, b) {
  const results = [];
  for (let round = 0; round < rounds; round++) results.push([await a(), await b()]);
  return results;
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
