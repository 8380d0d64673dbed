// A report for people that is also data: sections of checks, each with what was seen. Colours only on a terminal.
//
//   const report = new Report({title, json, out});
//   report.section('Phones register');
//   report.check(ok, 'what is claimed', 'what was seen', {figures});       prints a line; gives ok
//   await report.attempt('what is claimed', async () => ({ok, seen, figures}))    an error becomes a failed check
//   report.text('plain line');
//   report.end()                                 the closing line, or all of it as JSON; true when nothing failed
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export class Report {
  #out;
  #json;
  #paint;
  #started = performance.now();
  #data = { title: '', sections: [] };

  constructor({ title, json = false, out = process.stdout, colour = out.isTTY && !process.env.NO_COLOR }) {
    this.#out = out;
    this.#json = json;
    this.#paint = (name, text) => (colour ? `\x1b[${CODES[name]}m${text}\x1b[0m` : text);
    this.#data.title = title;
    this.text(`\n  ${this.#paint('bold', title)}`);
  }

  section(name) {
    this.#data.sections.push({ name, checks: [] });
    this.text(`\n  ${this.#paint('cyan', name)}`);
  }

  check(ok, claim, seen = '', figures = {}) {
    this.#data.sections.at(-1).checks.push({ claim, ok: Boolean(ok), seen, ...figures });
    const mark = ok ? this.#paint('green', '✓') : this.#paint('red', '✗');
    this.text(`    ${mark} ${claim.padEnd(46)} ${ok ? this.#paint('dim', seen) : this.#paint('red', seen)}`);
    return Boolean(ok);
  }

  async attempt(claim, act) {
    try {
      const { ok = true, seen = '', figures = {} } = await act();
      return this.check(ok, claim, seen, figures);
    } catch (error) {
      return this.check(false, claim, error.message);
    }
  }

  text(line = '') {
    if (!this.#json) this.#out.write(`${line}\n`);
  }

  dim(line) {
    this.text(this.#paint('dim', line));
  }

  end() {
    const checks = this.#data.sections.flatMap((section) => section.checks);
    const failed = checks.filter((check) => !check.ok).length;
    const took_s = (performance.now() - this.#started) / 1000;
    const ok = failed === 0 && checks.length > 0;
    if (this.#json) this.#out.write(`${JSON.stringify({ ok, failed, took_s: Number(took_s.toFixed(2)), ...this.#data }, null, 2)}\n`);
    const verdict = ok ? this.#paint('green', `all ${checks.length} checks hold`) : this.#paint('red', `${failed} of ${checks.length} checks failed`);
    this.text(`\n  ${this.#paint('bold', verdict)} ${this.#paint('dim', `· ${took_s.toFixed(1)} s`)}`);
    return ok;
  }
}
