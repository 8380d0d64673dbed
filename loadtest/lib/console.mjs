// The console in Chromium: its first load with an empty cache, and how soon a call's event is seen in the list of live calls.
import { setTimeout as delay } from 'node:timers/promises';
import { Api, newTenant } from '../../tests/lib/api.mjs';
import { Browser } from '../../tests/lib/browser.mjs';
import { CallBook } from '../../tests/lib/calls.mjs';
import { Ua, known } from '../../tests/lib/sip.mjs';
import { median, quantile } from './load.mjs';
import { progress } from './report.mjs';
import { reshape } from './shape.mjs';

const KIB = 1024;

export async function measureConsole(context) {
  const { report } = context;
  report.section('The console, in Chromium');
  await reshape(context, 1);
  const closers = [];
  const test = { after: (close) => closers.push(close) };
  try {
    const browser = await Browser.open(test);
    await measureFirstLoad(context, browser);
    await measureLive(context, browser, test);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

// ---- the first load ------------------------------------------------------------------------------------------------------

async function measureFirstLoad({ report, instance, quick }, browser) {
  const loads = [];
  for (let i = 0; i < (quick ? 3 : 7); i++) loads.push(await firstLoad(browser, instance.api));
  const of = (figure) => median(loads.map((load) => load[figure]));
  report.figure({ name: 'first load of the console', value: of('bytes') / KIB, unit: 'KiB', at_most: 150, note: `on the wire, headers included: ${loads[0].files} files, gzipped` });
  report.figure({ name: 'the console can be used after', value: of('ready_ms') / 1000, unit: 's', at_most: 1, note: `median of ${loads.length} loads with an empty cache; from navigation until the first field is there; slowest ${Math.max(...loads.map(({ ready_ms }) => ready_ms)).toFixed(0)} ms` });
}

async function firstLoad(browser, base) {
  const closers = [];
  const page = await browser.page({ after: (close) => closers.push(close) }, { base });
  await page.addInitScript(() => {
    new MutationObserver(() => {
      if (document.querySelector('#key')) globalThis.ready_ms ??= performance.now();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto('/', { waitUntil: 'networkidle' });
  await page.waitForSelector('#key');
  const load = await page.evaluate(() => {
    const files = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return { files: files.length, bytes: files.reduce((sum, { transferSize }) => sum + transferSize, 0), ready_ms: globalThis.ready_ms };
  });
  for (const close of closers) await close();
  return load;
}

// ---- live calls ----------------------------------------------------------------------------------------------------------

const STATES = { ringing: 'ringing_at', answered: 'answered_at', ended: 'ended_at' };
const REST_MS = 100; // between the steps of a call

/** From the moment that the edge says a call rang, was answered, was over, until the frame in which its row says so. One clock: this machine's. */
async function measureLive({ report, instance, quick }, browser, test) {
  const api = new Api(instance.api, instance.operator_key);
  const tenant = await newTenant(api, { limits: { requests_per_minute: 100_000 } });
  test.after(() => api.ok('DELETE', `/v1/tenants/${tenant.id}`));
  await known(instance.sip, tenant.domain);
  const book = new CallBook(api, tenant);
  const [caller, callee] = await Promise.all(['100', '101'].map(async (user) => {
    const ua = await Ua.open({ server: instance.sip, user, domain: tenant.domain, password: tenant.passwords[user] });
    test.after(() => ua.close());
    return book.registered(ua);
  }));
  const page = await listOpened(browser, test, instance, tenant);
  const calls = [];
  for (let i = 0; i < (quick ? 10 : 40); i++) calls.push(await oneCall(page, caller, callee, i + 1));
  progress(`${calls.length} calls were seen in the console`);
  const seen = await page.evaluate(() => globalThis.seen);
  const late_ms = [];
  for (const sip_call_id of calls) {
    const { cdr } = await book.over(sip_call_id);
    for (const [state, at] of Object.entries(STATES)) late_ms.push(seen[cdr.id][state] - Date.parse(cdr[at]));
  }
  const ms = (part) => quantile(late_ms, part).toFixed(0);
  report.figure({ name: 'an event of a call until the list shows it, p99', value: quantile(late_ms, 0.99), unit: 'ms', at_most: 100, note: `${late_ms.length} events of ${calls.length} calls; p50 ${ms(0.5)}, p90 ${ms(0.9)}, max ${Math.max(...late_ms)} ms` });
}

async function listOpened(browser, test, instance, tenant) {
  const page = await browser.page(test, { base: instance.api });
  await page.addInitScript((key) => sessionStorage.setItem('belfry.key', key), tenant.key);
  await page.goto(`/console/t/${tenant.slug}/calls`);
  await page.waitForSelector('[data-moves=live]');
  await page.evaluate(() => { // in the frame after a change: when which row first said what
    globalThis.seen = {};
    const look = () => {
      for (const row of document.querySelectorAll('tr.call')) (globalThis.seen[row.dataset.id] ??= {})[row.classList[1]] ??= Date.now();
    };
    new MutationObserver(() => requestAnimationFrame(look)).observe(document.querySelector('main'), { subtree: true, childList: true, attributes: true });
  });
  return page;
}

/** Its SIP Call-ID. Each step waits until the page has shown the one before for the nth time. */
async function oneCall(page, caller, callee, nth) {
  const shown = async (state) => {
    await page.waitForFunction(([wanted, count]) => Object.values(globalThis.seen).filter((each) => each[wanted]).length >= count, [state, nth]);
    await delay(REST_MS);
  };
  const call = caller.invite(callee.user);
  const request = await callee.incoming('INVITE');
  callee.reply(request, 180);
  await shown('ringing');
  callee.reply(request, 200);
  await call.final;
  call.ack();
  await callee.incoming('ACK');
  await shown('answered');
  const bye = call.bye();
  callee.reply(await callee.incoming('BYE'), 200);
  await bye;
  await shown('ended');
  return call.call_id;
}
