// Debian's Chromium without windows (chromium-headless-shell), that tests look at pages with.
//
//   const browser = await Browser.open({after})              one for a file's tests; {video: true}: with cameras and microphones
//   const page = await browser.page(t, {base, width, dark, lang})   a tab with a profile of its own, closed after the test
//   const thaw = await browser.freeze()                    as if it had vanished: it runs no more, and nothing is closed
//   await browser.kill()                                    kill -9: connections end, and nothing is said before
//   page.faults                                             what must not happen: CSP violations, script errors, failed requests
//   await page.shot('calls')                                a screenshot among the test's artefacts
//   await serious(page)                                     what axe-core finds that keeps people out: [] when all is well
//   await page.received()                                 media that comes in now: {audio: {packets, lost, energy, codec}, video: {frames, ...}}
//   phonePath({number, name, domain, password})             the link of the browser phone with this account; accountToken: what stands in it
//   await signIn(page, key)                                 into the console, by an API key
//   await page.wide()                                       how much wider the page is than the screen: 0 when it does not scroll
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from './instance.mjs';

const require = createRequire(path.join(ROOT, 'web/package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--ignore-certificate-errors', '--host-resolver-rules=MAP *.example 127.0.0.1'];
// Of three fake cameras: the second gives depth pictures, which no call can send.
const MEDIA_ARGS = ['--use-fake-device-for-media-stream=device-count=3', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'];
const DEADLINE_MS = 15_000;

export const SHOTS = path.join(process.env.BELFRY_TEST_OUTPUT ?? path.join(ROOT, 'build'), 'screenshots');

export class Browser {
  static async open(owner, { video = false } = {}) {
    mkdirSync(SHOTS, { recursive: true });
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', headless: true, args: [...ARGS, ...(video ? MEDIA_ARGS : [])] });
    owner.after(() => browser.chromium.close());
    return browser;
  }

  async freeze() {
    const signal = await this.#signals();
    signal('SIGSTOP');
    return () => signal('SIGCONT');
  }

  async kill() {
    (await this.#signals())('SIGKILL');
  }

  async #signals() {
    const { processInfo } = await (await this.chromium.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
    return (name) => processInfo.forEach(({ id }) => process.kill(id, name));
  }

  async page(t, { width = 1280, height = 800, dark = false, lang = 'en-GB', base } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', locale: lang, baseURL: base, permissions: ['microphone', 'camera', 'clipboard-write', 'clipboard-read'] });
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    watch(page);
    await page.addInitScript(remember);
    page.received = () => page.evaluate(received);
    page.shot = (name) => page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
    page.wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    return page;
  }
}

/** A Content-Security-Policy violation is told to the console as an error. */
function watch(page) {
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text())) page.faults.push(`console: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

export const accountToken = (account) => `a1.${Buffer.from(JSON.stringify(account)).toString('base64url')}`;
export const phonePath = (account) => `/phone#token=${accountToken(account)}`;

/** In the page, before its own scripts: every peer connection is remembered. */
function remember() {
  const Real = globalThis.RTCPeerConnection;
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      globalThis.connections.push(this);
    }
  };
}

/** In the page: what its connections receive. */
async function received() {
  const found = { audio: { packets: 0, lost: 0, energy: 0, codec: null }, video: { frames: 0, width: null, height: null, codec: null } };
  for (const connection of globalThis.connections.filter(({ connectionState }) => connectionState === 'connected')) {
    const all = await connection.getStats();
    for (const each of all.values()) {
      if (each.type !== 'inbound-rtp') continue;
      const sum = found[each.kind];
      const codec = all.get(each.codecId)?.mimeType.split('/')[1] ?? null;
      if (each.kind === 'audio') Object.assign(sum, { packets: sum.packets + each.packetsReceived, lost: sum.lost + each.packetsLost, energy: sum.energy + each.totalAudioEnergy, codec });
      else Object.assign(sum, { frames: sum.frames + (each.framesDecoded ?? 0), width: each.frameWidth ?? null, height: each.frameHeight ?? null, codec });
    }
  }
  return found;
}

/** axe-core runs in a world of its own, which the page's Content-Security-Policy does not concern; it stays there while the document does. */
export async function serious(page) {
  page.axe ??= await page.context().newCDPSession(page);
  const run = (contextId) => evaluate(page.axe, contextId, RUN_AXE);
  try {
    if (page.axe_world) return await run(page.axe_world);
  } catch {
    // another document
  }
  const { frameTree } = await page.axe.send('Page.getFrameTree');
  const { executionContextId } = await page.axe.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  await evaluate(page.axe, executionContextId, `${AXE}; ''`);
  page.axe_world = executionContextId;
  return run(executionContextId);
}

const RUN_AXE = `axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ target, failureSummary }) => target + ' ' + failureSummary.replace(/\\s+/g, ' ')).join(' | ')))`;

async function evaluate(session, contextId, expression) {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  return result.value;
}

export async function signIn(page, key) {
  await page.goto('/');
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('nav a');
}
