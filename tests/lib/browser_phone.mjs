// Browsers as phones: JsSIP or SIP.js in Chromium, one tab a phone, driven from here (tests/browser/ has the pages).
//
//   const phones = await BrowserPhones.open({after}, belfry);    one Chromium for a file's tests; one that a test kills it opens itself: open(t, ...)
//   const phone = await phones.add(t, tenant, '100', {hertz: 700}); a tab that says this tone, closed after the test; not registered. By wss, or {url}; {jwt}: an app token; {page: 'sipjs'}
//   await phone.register();                                      rejects with the reply's status
//   await phone.call('101', {video}); await phone.incoming(); await phone.answer();
//   await phone.event('confirmed');                              events are consumed in order, as phones.mjs does it
//   await phone.hears(900);                                      until this tone is the loudest it hears (FFT of what it plays); [900, 950]: one of these
//   await phone.stats();                                         of getStats()
//   phone.do('hold')                                             any other function of the page
//   await phone.closeTab();                                      as a person does: nothing is said to anybody
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Browser } from './browser.mjs';
import { ROOT } from './instance.mjs';
import { until } from './until.mjs';

const require = createRequire(path.join(ROOT, 'web/package.json'));
const PAGES = ['page', 'sipjs'];
const NEAR_HERTZ = 30;
const QUIET_DB = -70;

export class BrowserPhones {
  static async open(owner, belfry) {
    const phones = new BrowserPhones();
    phones.belfry = belfry;
    const { outputFiles } = require('esbuild').buildSync({ entryPoints: PAGES.map((page) => path.join(ROOT, `tests/browser/${page}.js`)), bundle: true, write: false, outdir: '/', nodePaths: [path.join(ROOT, 'web/node_modules')], define: { global: 'globalThis' } });
    phones.server = http.createServer((request, response) => {
      const script = outputFiles.find(({ path: file }) => file === request.url);
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
      response.end(script?.text ?? `<!doctype html><title>phone</title><body><script src="${request.url}.js"></script>`);
    });
    await new Promise((resolve) => phones.server.listen(0, '127.0.0.1', resolve));
    owner.after(() => phones.server.close());
    phones.browser = await Browser.open(owner, { video: true });
    return phones;
  }

  async add(t, tenant, number, { hertz = 700, expires_s = 600, password = tenant.passwords[number], jwt, page: name = 'page', url = this.belfry.wss } = {}) {
    const page = await this.browser.page(t, { base: `http://127.0.0.1:${this.server.address().port}` });
    await page.goto(`/${name}`);
    const phone = new BrowserPhone(page, tenant, number, hertz);
    await phone.do('start', { url, uri: phone.aor, password, jwt, hertz, expires_s });
    return phone;
  }
}

class BrowserPhone {
  #taken = 0;
  #events = [];

  constructor(page, tenant, number, hertz) {
    Object.assign(this, { page, tenant, user: number, hertz, aor: `sip:${number}@${tenant.domain}` });
  }

  do(name, ...args) {
    return this.page.evaluate(([name, args]) => globalThis.phone[name](...args), [name, args]);
  }

  async register() {
    await this.event('connected');
    await this.do('register');
    const event = await this.event(['registered', 'registrationFailed']);
    if (event.type === 'registrationFailed') throw Object.assign(new Error(`${this.aor}: ${event.status ?? event.cause}`), event);
  }

  call(number, options) {
    return this.do('call', `sip:${number}@${this.tenant.domain}`, options);
  }

  /** The call that rings: {from, sdp, request}: the offer as the edge and its relay made it, the whole INVITE. */
  incoming() {
    return this.event('incoming');
  }

  answer(options) {
    return this.do('answer', options);
  }

  async event(types, { deadline_ms = 15_000 } = {}) {
    const wanted = [types].flat();
    return until(async () => {
      const news = await this.page.evaluate((from) => globalThis.phone.events.slice(from), this.#taken);
      this.#taken += news.length;
      this.#events.push(...news);
      const index = this.#events.findIndex(({ type }) => wanted.includes(type));
      return index >= 0 && this.#events.splice(index, 1)[0];
    }, { what: `${this.aor}: ${wanted.join(' or ')}`, deadline_ms });
  }

  async hears(tones, { deadline_ms = 15_000 } = {}) {
    let heard;
    await until(async () => {
      heard = await this.do('heard');
      return heard.level_db > QUIET_DB && [tones].flat().some((hertz) => Math.abs(heard.hertz - hertz) < NEAR_HERTZ);
    }, { what: `${this.aor} hears ${tones} Hz`, deadline_ms, every_ms: 100 }).catch((error) => {
      throw new Error(`${error.message}; last: ${JSON.stringify(heard)}`);
    });
  }

  async hearsNothing({ deadline_ms = 15_000 } = {}) {
    await until(async () => (await this.do('heard')).level_db < QUIET_DB, { what: `${this.aor} hears nothing`, deadline_ms, every_ms: 100 });
  }

  stats() {
    return this.do('stats');
  }

  closeTab() {
    return this.page.context().close();
  }
}
