// Runs SIPp with a scenario of tests/e2e/sipp/, always with a deadline.
//
//   const result = await sipp({scenario: 'register.xml', server: {host, port}, folder, calls: 100, rate: 50, rows: [[...]]})
//   result: {ok, code, calls, failed, log}
//
// `rows` becomes the injection file ([field0], [field1]...; used in order). `transport` is 'udp' or 'tcp'. `folder` keeps
// the files of a run; SIPp's error and message logs stay there when it fails. On the deadline SIPp is killed and the
// result is not ok.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './instance.mjs';

export async function sipp({ scenario, server, folder, calls = 1, rate = 10, rows, transport = 'udp', host = '127.0.0.1', port, media_port, args = [], deadline_ms = 60_000 }) {
  const home = path.join(folder, path.basename(scenario, '.xml'));
  mkdirSync(home, { recursive: true });
  const file = (name) => path.join(home, name);
  if (rows) writeFileSync(file('rows.csv'), `SEQUENTIAL\n${rows.map((row) => row.join(';')).join('\n')}\n`, { mode: 0o600 });
  const all = [
    '-sf', path.join(ROOT, 'tests/e2e/sipp', scenario), `${server.host}:${server.port}`, '-i', host, '-m', String(calls), '-r', String(rate),
    '-t', transport === 'tcp' ? 't1' : 'u1', '-nostdin', '-trace_err', '-error_file', file('errors.log'), '-trace_stat', '-stf', file('stat.csv'),
    '-fd', '1', '-timeout', `${Math.ceil(deadline_ms / 1000)}s`, '-timeout_error',
    ...(port ? ['-p', String(port)] : []), ...(media_port ? ['-mp', String(media_port)] : []), ...(rows ? ['-inf', file('rows.csv')] : []), ...args,
  ];
  const child = spawn('sipp', all, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TERM: 'dumb' } });
  const log = createWriteStream(file('screen.log'));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadline_ms + 5_000);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    clearTimeout(timer);
    log.end();
  });
  return { ok: code === 0, code, log: home, ...statistics(file('stat.csv')) };
}

/** The last line of SIPp's statistics, by the names in its first. */
function statistics(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const names = lines[0].split(';');
  const values = lines.at(-1).split(';');
  const figure = (name) => Number(values[names.indexOf(name)]);
  return { calls: figure('SuccessfulCall(C)'), failed: figure('FailedCall(C)') };
}
