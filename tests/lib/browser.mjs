// A headless Chromium (Debian's) that tests look at pages with.
//
//   const browser = await Browser.open(t)                   closed after the test; {video: true}: with a camera and a microphone
//   const page = await browser.page({width, dark, lang})    a tab with a profile of its own
//   page.faults                                             what must not happen: CSP violations, script errors, failed requests
//   await page.shot('calls')                                a screenshot among the test's artefacts
//   await serious(page)                                     what axe-core finds that keeps people out: [] when all is well
//   await page.wide()                                       how much wider the page is than the screen: 0 when it does not scroll
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from './instance.mjs';

const require = createRequire(path.join(ROOT, 'web/package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--ignore-certificate-errors'];
const MEDIA_ARGS = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'];
const DEADLINE_MS = 15_000;

export const SHOTS = path.join(process.env.BELFRY_TEST_OUTPUT ?? path.join(ROOT, 'build'), 'screenshots');

export class Browser {
  static async open(t, { video = false } = {}) {
    mkdirSync(SHOTS, { recursive: true });
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: [...ARGS, ...(video ? MEDIA_ARGS : [])] });
    t.after(() => browser.chromium.close());
    return browser;
  }

  async page({ width = 1280, height = 800, dark = false, lang = 'en-GB', base } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', locale: lang, baseURL: base, permissions: ['microphone', 'camera', 'clipboard-write', 'clipboard-read'] });
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    watch(page);
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

/** axe-core is run in a world of its own, which the page's Content-Security-Policy does not concern. */
export async function serious(page) {
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
    const run = `${AXE}; axe.run(document, {resultTypes: ['violations']}).then(({violations}) => JSON.stringify(violations.filter(({impact}) => impact === 'serious' || impact === 'critical').map(({id, nodes}) => id + ': ' + nodes.map(({target, failureSummary}) => target + ' ' + failureSummary.replace(/\\s+/g, ' ')).slice(0, 3).join(' | '))))`;
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression: run, contextId: executionContextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return JSON.parse(result.value);
  } finally {
    await session.detach();
  }
}
