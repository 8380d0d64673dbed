// The browser phone: two and three real browsers with sound and pictures. They reach each other through a stand-in for the edge's
// WebSocket (tests/lib/ws_edge.mjs); the gateway, its headers and everything in the browser are real.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { Browser, serious } from '../lib/browser.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';
import { WsEdge } from '../lib/ws_edge.mjs';

const browser = await Browser.open({ after }, { video: true });

const DOMAIN = 'phones.example';
const PASSWORDS = { 100: 'secret-of-100', 101: 'secret-of-101', 102: 'secret-of-102' };

const tokenOf = (number, name = '') => `a1.${Buffer.from(JSON.stringify({ number, domain: DOMAIN, password: PASSWORDS[number], name })).toString('base64url')}`;

async function office(t) {
  const world = new World(t);
  const edge = new WsEdge({ domain: DOMAIN, passwords: PASSWORDS });
  const phone = async (number, options = {}) => {
    const page = await browser.page(t, { base: world.belfry.api, width: 440, height: 860, ...options });
    await edge.serve(page);
    await page.addInitScript(remember);
    await page.goto(`/phone#token=${options.token ?? tokenOf(number, options.name)}`);
    return page;
  };
  const registered = async (number, options) => {
    const page = await phone(number, options);
    await page.waitForSelector('[data-registration=registered]');
    return page;
  };
  return { world, edge, phone, registered };
}

/** In the page: its connections, and the tones that were sent. */
function remember() {
  globalThis.connections = [];
  globalThis.tones = [];
  const Real = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      globalThis.connections.push(this);
    }
  };
  const insert = RTCDTMFSender.prototype.insertDTMF;
  RTCDTMFSender.prototype.insertDTMF = function (tones, ...rest) {
    globalThis.tones.push(tones);
    return insert.call(this, tones, ...rest);
  };
}

/** What a phone receives now: packets of sound, decoded pictures. */
const receives = (page) => page.evaluate(async () => {
  const sums = { audio: 0, frames: 0 };
  for (const connection of globalThis.connections.filter(({ connectionState }) => connectionState === 'connected')) {
    for (const each of (await connection.getStats()).values()) {
      if (each.type !== 'inbound-rtp') continue;
      if (each.kind === 'audio') sums.audio += each.packetsReceived;
      if (each.kind === 'video') sums.frames += each.framesDecoded ?? 0;
    }
  }
  return sums;
});

const button = (page, name) => page.getByRole('button', { name, exact: true });

async function dial(page, number, how = 'Call') {
  await page.getByLabel('Number or address').fill(number);
  await button(page, how).click();
}

async function talks(page) {
  await page.waitForSelector('[data-call=talking]');
}

async function heard(page, more = 20) {
  const before = (await receives(page)).audio;
  await until(async () => (await receives(page)).audio >= before + more, { what: `${more} packets of sound`, every_ms: 100 });
}

async function sees(page) {
  const before = (await receives(page)).frames;
  await until(async () => (await receives(page)).frames > before + 5, { what: 'pictures', every_ms: 100, deadline_ms: 20_000 });
}

test('a call between two browsers: rings, is answered, heard on both sides, held, muted, gets tones and a picture, and ends', async (t) => {
  const { registered, edge } = await office(t);
  const [a, b] = [await registered('100', { name: 'Ana' }), await registered('101')];
  assert.equal(await a.evaluate(() => location.hash), '', 'the token is not in the address bar');
  assert.ok(!JSON.stringify(await a.evaluate(() => [Object.values(localStorage), Object.values(sessionStorage)])).includes(PASSWORDS[100]), 'the password is kept nowhere');
  await a.shot('phone-keypad');
  await dial(a, '101');
  await b.getByRole('button', { name: 'Answer' }).waitFor();
  assert.match(await b.locator('.call-card').innerText(), /Ana/);
  await b.shot('phone-incoming');
  assert.deepEqual(await serious(b), []);
  await button(b, 'Answer').click();
  await Promise.all([talks(a), talks(b)]);
  await Promise.all([heard(a), heard(b)]);
  await until(async () => Number(await b.locator('.meter-bar').nth(1).getAttribute('data-level')) > 0.05, { what: 'the level of the other side' });

  await button(a, 'Mute').click();
  await a.locator('[aria-pressed=true][aria-label=Mute]').waitFor();
  await button(a, 'Mute').click();
  await button(a, 'Keypad').click();
  await a.locator('.call-card .keys').getByRole('button', { name: '5' }).click();
  await until(async () => (await a.evaluate(() => globalThis.tones.join(''))).includes('5'), { what: 'a tone' });

  await button(a, 'Hold').click();
  await b.getByText('Held by the other side').waitFor();
  await button(a, 'Hold').click();
  await b.getByText('Held by the other side').waitFor({ state: 'detached' });
  await heard(b);

  await button(a, 'Camera').click();
  await sees(b);
  await a.shot('phone-talking');
  await b.shot('phone-picture');
  assert.deepEqual(await serious(b), []);
  await button(b, 'Hang up').click();
  await a.waitForSelector('[data-call=ended]');
  await a.waitForSelector('.keypad');
  assert.ok(edge.seen.some(({ method }) => method === 'BYE'));
  assert.deepEqual([...a.faults, ...b.faults], []);
});

test('a video call is answered with video: both see each other', async (t) => {
  const { registered } = await office(t);
  const [a, b] = [await registered('100'), await registered('101')];
  await dial(a, '101', 'Call with video');
  await button(b, 'Answer with video').click();
  await Promise.all([talks(a), talks(b)]);
  await Promise.all([sees(a), sees(b)]);
  assert.deepEqual([...a.faults, ...b.faults], []);
});

test('a blind transfer: 100 sends 101 to 102, and is out of it once they talk', async (t) => {
  const { registered, edge } = await office(t);
  const [a, b, c] = [await registered('100'), await registered('101'), await registered('102')];
  await dial(a, '101');
  await button(b, 'Answer').click();
  await talks(a);
  await button(a, 'Transfer').click();
  const dialog = a.getByRole('dialog');
  await dialog.getByLabel('Number or address').fill('102');
  await dialog.getByRole('button', { name: 'Transfer' }).click();
  await button(c, 'Answer').click();
  await talks(c);
  await a.waitForSelector('.keypad');
  await heard(c);
  assert.ok(edge.seen.some(({ method, from, to }) => method === 'REFER' && from === '100' && to.includes('sip:102@')));
  assert.deepEqual([...a.faults, ...b.faults, ...c.faults], []);
});

test('what goes wrong is said: a declined call, an unknown number, a wrong password, a token that is none', async (t) => {
  const { registered, phone, edge } = await office(t);
  const [a, b] = [await registered('100'), await registered('101')];
  await dial(a, '101');
  await button(b, 'Decline').click();
  await a.getByText('603').waitFor();
  await a.waitForSelector('.keypad');
  await dial(a, '999');
  await a.getByText('404').waitFor();
  const wrong = await phone('102', { token: `a1.${Buffer.from(JSON.stringify({ number: '102', domain: DOMAIN, password: 'not this' })).toString('base64url')}` });
  await wrong.waitForSelector('[data-registration=refused]');
  assert.ok(!edge.registered('102'));
  const none = await phone('100', { token: '%3Cscript%3E' });
  await none.getByRole('alert').filter({ hasText: 'not good any more' }).waitFor();
  await none.shot('phone-no-token');
  assert.deepEqual(await serious(none), []);
  assert.deepEqual([...a.faults, ...b.faults, ...wrong.faults, ...none.faults], []);
});
