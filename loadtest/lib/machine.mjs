// How often the machine takes a core away from who runs on it, when nothing else of ours runs: figures at p99 have that in them.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function measureMachine({ report }, when) {
  const { cores, seconds, stalls, lost, worst_us } = JSON.parse((await run(process.env.BENCH_COREWATCH)).stdout);
  report.figure({
    name: `the machine ${when}: a core away for over 2 ms`, value: stalls / seconds, unit: '/s',
    note: `${(100 * lost).toFixed(1)} % of the time of ${cores} cores, ${(worst_us / 1000).toFixed(1)} ms at worst, with threads that only look at the clock`,
  });
}
