// Browsers: one calls a baresip phone, two see each other, and the console shows it while it happens. They are headless Chromiums with
// a camera and a microphone that only beep; everything else is what people use. Their pictures stay in build/demo.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { levelDb, sparkline } from '../lib/audio.mjs';
import { Browser, phonePath } from '../lib/browser.mjs';
import { ROOT } from '../lib/instance.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { ms, passwordOf } from './office.mjs';

export const BROWSERS = { 104: 'Ana', 105: 'Bruno' };
const HEARD_PACKETS = 100; // two seconds
const SEEN_FRAMES = 30;
const LOUD_DB = -50;

export async function browsers(demo) {
  const { report, tenants: [tenant] } = demo;
  report.section('Browsers: a phone in a tab calls 101, another one with video, and the console shows it');
  const closers = [];
  const scene = { test: { after: (close) => closers.push(close) }, pictures: path.join(ROOT, 'build/demo') };
  mkdirSync(scene.pictures, { recursive: true });
  try {
    scene.browser = await Browser.open(scene.test, { video: true });
    const console_page = await consoleOpened(demo, scene);
    const [ana, bruno] = await registered(demo, scene, tenant);
    await callsPhone(demo, scene, { tenant, ana });
    await seeEachOther(demo, scene, { ana, bruno, console_page });
    await report.attempt('its login link a second time, and in logs', () => loginSpent(demo, scene));
    report.dim(`        pictures: ${path.relative(process.cwd(), scene.pictures)}/*.png`);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

const picture = ({ pictures }, page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });

/** The tenant's live calls in the console, by a login link of its own. */
async function consoleOpened({ api, belfry, report, tenants: [tenant] }, scene) {
  const { path: link } = await api.ok('POST', '/v1/logins', { expires_in_seconds: 60 });
  scene.login = link.split('=')[1];
  const page = await scene.browser.page(scene.test, { base: belfry.api });
  const time = elapsed();
  await page.goto(`/console/t/${tenant.slug}/calls#login=${scene.login}`);
  await page.waitForSelector('[data-moves=live]');
  report.check(!page.url().includes('#'), 'the console, by a one-time link', `live within ${ms(time())}; the link is out of the address bar`, { took_ms: time() });
  return page;
}

async function registered({ api, belfry, report }, scene, tenant) {
  const pages = [];
  for (const [number, name] of Object.entries(BROWSERS)) {
    tenant.passwords[number] = await passwordOf(api, tenant, number, 'browser');
    const page = await scene.browser.page(scene.test, { base: belfry.api, width: 460, height: 860 });
    const time = elapsed();
    await page.goto(phonePath({ number, name, domain: tenant.domain, password: tenant.passwords[number] }));
    await page.waitForSelector('[data-registration=registered]');
    report.check(true, `${number} (${name}) registers in a browser tab`, `${ms(time())} after its link was opened: SIP over WebSocket, by the gateway`, { took_ms: time() });
    pages.push(page);
  }
  return pages;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

async function dials(page, number, how) {
  await page.getByLabel('Number or address').fill(number);
  await button(page, how).click();
}

async function callsPhone({ report }, scene, { tenant, ana }) {
  const { 101: phone } = tenant.phones;
  phone.forget();
  const time = elapsed();
  await dials(ana, '101', 'Call');
  await phone.event('CALL_INCOMING');
  const rings_ms = time();
  await phone.answer();
  await Promise.all([ana.waitForSelector('[data-call=talking]'), phone.event('CALL_ESTABLISHED')]);
  report.check(true, '104 calls the baresip 101, which answers', `rings ${ms(rings_ms)} after the button`, { rings_ms });
  const heard = await until(async () => {
    const { audio } = await ana.received();
    return audio.packets > HEARD_PACKETS && audio.energy > 0 && audio;
  }, { what: `104 hears 101 for ${HEARD_PACKETS} packets` });
  report.check(true, '104 hears 101', `${heard.packets} packets of ${heard.codec} by DTLS-SRTP, ${heard.lost} lost`, { heard });
  await picture(scene, ana, 'phone-talking');
  await button(ana, 'Hang up').click();
  await phone.event('CALL_CLOSED');
  const samples = phone.heard();
  const level_db = levelDb(samples);
  report.check(level_db > LOUD_DB, '101 hears 104', `${sparkline(samples, 24)}  the beeps of a browser without a microphone, ${level_db.toFixed(0)} dB`, { level_db });
  await ana.waitForSelector('.keypad');
}

async function seeEachOther({ report }, scene, { ana, bruno, console_page }) {
  await dials(ana, '105', 'Call with video');
  await button(bruno, 'Answer with video').click();
  const row = console_page.locator('tr.call').filter({ hasText: '104' });
  const sees = (page) => until(async () => {
    const { video } = await page.received();
    return video.frames > SEEN_FRAMES && video;
  }, { what: `${SEEN_FRAMES} pictures`, deadline_ms: 30_000 });
  const seen = await Promise.all([ana, bruno].map(sees));
  report.check(true, '104 and 105 see each other', seen.map(({ width, height, codec, frames }) => `${width}x${height} ${codec}, ${frames} pictures`).join(' · '), { seen });
  await row.filter({ hasText: 'Talking' }).locator('.spark path[d*=L]').waitFor({ state: 'attached' }); // a level curve has no height
  report.check(true, 'the console shows that call by itself', (await row.innerText()).replace(/\s+/g, ' ').trim());
  await picture(scene, bruno, 'phone-video');
  await picture(scene, console_page, 'console-live');
  await button(bruno, 'Hang up').click();
  await row.filter({ hasText: 'Over' }).waitFor();
  const faults = [ana, bruno, console_page].flatMap((page) => page.faults);
  report.check(faults.length === 0, 'nothing went wrong in the pages', faults.join('; ') || 'no script error, no violation of the content security policy');
}

async function loginSpent({ api, belfry }, { login }) {
  const again = await api.as(login).post('/v1/session', undefined);
  const folder = path.join(belfry.run, 'log');
  const told = readdirSync(folder).filter((file) => readFileSync(path.join(folder, file), 'latin1').includes(login));
  return { ok: again.status === 401 && told.length === 0, seen: `${again.status}, as for one that never was; ${told.length ? `in ${told.join(', ')}` : 'in no log'}` };
}
