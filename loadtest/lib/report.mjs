// The figures: a table for people, JSON for programs.
//
//   const report = new Report();
//   report.figure({name, value, unit, at_least | at_most, note})     a figure with a target: PASS or MISS
//   report.figure({name, value, unit, note})                         one without: for reading the others
//   report.print(); report.passed; report.json()
//   progress(text)                                                   what goes on meanwhile; on a terminal the next line takes its place
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

const text = (command, ...args) => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
};

const ERASE = process.stdout.isTTY ? '\r\x1b[K' : '';

export function progress(text) {
  const width = process.stdout.columns ?? 120;
  process.stdout.write(`${ERASE}  ... ${text}`.slice(0, ERASE.length + width - 1) + (ERASE ? '' : '\n'));
}

const say = (text) => process.stdout.write(`${ERASE}${text}\n`);

export class Report {
  figures = [];
  #began = new Date();
  #commit = text('git', 'describe', '--always', '--dirty'); // what is measured, whatever is committed meanwhile

  figure({ name, value, unit, at_least, at_most, note = '', ...data }) {
    const target = at_least !== undefined ? `>= ${at_least}` : at_most !== undefined ? `< ${at_most}` : '';
    const verdict = !target ? '' : (at_least !== undefined ? value >= at_least : value < at_most) ? 'PASS' : 'MISS';
    this.figures.push({ name, value, unit, target, verdict, note, ...data });
    say(this.#row(this.figures.at(-1)));
  }

  failed(name, error) {
    this.figures.push({ name, value: null, unit: '', target: '', verdict: 'MISS', note: error.message });
    say(this.#row(this.figures.at(-1)));
  }

  section(title) {
    say(`\n${title}`);
  }

  get passed() {
    return this.figures.every(({ verdict }) => verdict !== 'MISS');
  }

  print() {
    const judged = this.figures.filter(({ verdict }) => verdict);
    const missed = judged.filter(({ verdict }) => verdict === 'MISS');
    say(`\n${judged.length - missed.length} of ${judged.length} targets met`
      + `${missed.length ? `; missed: ${missed.map(({ name }) => name).join(', ')}` : ''}`);
  }

  json({ quick }) {
    return {
      time: this.#began.toISOString(),
      seconds: Math.round((Date.now() - this.#began) / 1000),
      quick,
      commit: this.#commit,
      machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memory_mib: Math.round(totalmem() / 2 ** 20), kernel: release() },
      versions: { kamailio: text('kamailio', '-v').split('\n')[0].replace('version: ', '').trim(), postgresql: text('psql', '--version'), node: process.version },
      figures: this.figures,
    };
  }

  #row({ name, value, unit, target, verdict, note }) {
    const shown = value === null ? '-' : `${rounded(value)}${unit && ` ${unit}`}`;
    return `  ${name.padEnd(52)} ${shown.padStart(16)}  ${target.padEnd(9)} ${verdict.padEnd(5)} ${note}`.trimEnd();
  }
}

function rounded(value) {
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
