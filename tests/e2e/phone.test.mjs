// The browser phone as people use it: its page from the gateway, the real edge and relays, real browsers with sound and pictures; some
// open it with an app token at their tenant's domain, as a site embeds it, some with the account that the console makes a link of.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { tokenOf } from '../lib/app_token.mjs';
import { tone, toneShare, writeWav } from '../lib/audio.mjs';
import { Browser, accountToken, serious, signIn } from '../lib/browser.mjs';
import { CallBook } from '../lib/calls.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const browser = await Browser.open({ after }, { video: true });
const { belfry } = new World();
const HTTPS_PORT = new URL(belfry.env.BELFRY_HTTPS).port;
const HERTZ = { 100: 700, 101: 1100, 102: 1700, phone: 1300 };

const accountOf = (tenant, number, more = {}) => accountToken({ number, domain: tenant.domain, password: tenant.passwords[number], ...more });

/** A tenant, and phones of its numbers. `hertz`: what a phone says in place of what Chromium's fake microphone does. */
async function office(t, numbers = ['100', '101', '102']) {
  const world = new World(t);
  const one = await world.tenant({ numbers });
  const phone = async (number, { hertz = HERTZ[number], token, ...options } = {}) => {
    const page = await browser.page(t, { base: `https://${one.domain}:${HTTPS_PORT}`, width: 440, height: 860, ...options });
    await page.addInitScript(instrument, hertz);
    await page.goto(`/phone#token=${token ?? (await tokenOf(one, number))}`);
    return page;
  };
  const registered = async (number, options) => {
    const page = await phone(number, options);
    await page.waitForSelector('[data-registration=registered]');
    return page;
  };
  return { world, one, phone, registered, book: new CallBook(world.operator, one) };
}

/** In the page: what its connections play, the tones that were sent; with `hertz` a microphone that says just that. */
function instrument(hertz) {
  Object.assign(globalThis, { tones: [], analysers: [] });
  const audio = () => (globalThis.audio ??= new AudioContext());
  const Real = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      this.addEventListener('track', ({ track }) => {
        if (track.kind !== 'audio') return;
        const analyser = new AnalyserNode(audio(), { fftSize: 4096, smoothingTimeConstant: 0 });
        audio().createMediaStreamSource(new MediaStream([track])).connect(analyser);
        globalThis.analysers.push(analyser);
      });
    }
  };
  const insert = RTCDTMFSender.prototype.insertDTMF;
  RTCDTMFSender.prototype.insertDTMF = function (tones, ...rest) {
    globalThis.tones.push(tones);
    return insert.call(this, tones, ...rest);
  };
  const devices = navigator.mediaDevices;
  if (!hertz || !devices) return;
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async ({ audio: sound, video }) => {
    const stream = new MediaStream(video ? (await real({ video })).getTracks() : []);
    if (sound) {
      await audio().resume();
      const oscillator = new OscillatorNode(audio(), { frequency: hertz });
      const out = audio().createMediaStreamDestination();
      oscillator.connect(new GainNode(audio(), { gain: 0.4 })).connect(out);
      oscillator.start();
      stream.addTrack(out.stream.getAudioTracks()[0]);
    }
    return stream;
  };
}

/** Until the newest call's loudest frequency is this one. */
async function hears(page, hertz) {
  let last;
  await until(async () => {
    last = await page.evaluate(() => {
      const analyser = globalThis.analysers.at(-1);
      if (!analyser) return null;
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const loudest = bins.indexOf(bins.reduce((a, b) => Math.max(a, b), -Infinity));
      return { hertz: (loudest * analyser.context.sampleRate) / analyser.fftSize, level_db: bins[loudest] };
    });
    return last && last.level_db > -70 && Math.abs(last.hertz - hertz) < 30;
  }, { what: `${hertz} Hz`, every_ms: 100, deadline_ms: 20_000 }).catch((error) => {
    throw new Error(`${error.message}; last: ${JSON.stringify(last)}`);
  });
}

/** Pictures that were decoded, over all connections. */
const frames = async (page) => (await page.received()).video.frames;

async function sees(page) {
  const before = await frames(page);
  await until(async () => (await frames(page)) > before + 5, { what: 'pictures', every_ms: 100, deadline_ms: 20_000 });
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const talks = (page) => page.waitForSelector('[data-call=talking]');
const idle = (page) => page.waitForFunction(() => !document.querySelector('[data-call]') && document.querySelector('.keypad'));

async function dial(page, number, how = 'Call') {
  await page.getByLabel('Number or address').fill(number);
  await button(page, how).click();
}

/** The page's calls of now, as the platform sees them. */
const callId = async (book) => (await until(async () => (await book.live())[0], { what: 'the live call' })).sip_call_id;

function faultless(...pages) {
  assert.deepEqual(pages.flatMap(({ faults }) => faults), []);
}

test('a call between two browsers: rings, is answered, heard on both sides, held, muted, gets tones and a picture, and ends', async (t) => {
  const { one, registered, book } = await office(t);
  await one.api.ok('PATCH', `/v1/tenants/${one.id}/extensions/100`, { display_name: 'Ana' });
  const [a, b] = [await registered('100'), await registered('101', { token: accountOf(one, '101') })];
  assert.equal(await a.evaluate(() => location.hash), '', 'the token is not in the address bar');
  assert.ok(!JSON.stringify(await b.evaluate(() => [Object.values(localStorage), Object.values(sessionStorage)])).includes(one.passwords['101']), 'the password is kept nowhere');
  await a.shot('phone-keypad');
  await dial(a, '101');
  await b.getByRole('button', { name: 'Answer' }).waitFor();
  assert.match(await b.locator('.call-card').innerText(), /Ana/);
  await b.shot('phone-incoming');
  assert.deepEqual(await serious(b), []);
  await button(b, 'Answer').click();
  await Promise.all([talks(a), talks(b)]);
  await Promise.all([hears(a, HERTZ[101]), hears(b, HERTZ[100])]);
  await until(async () => Number(await b.locator('.meter-bar').nth(1).getAttribute('data-level')) > 0.05, { what: 'the level of the other side' });
  const call_id = await callId(book);

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
  await hears(b, HERTZ[100]);

  await button(a, 'Camera').click();
  await sees(b);
  await a.shot('phone-talking');
  await b.shot('phone-picture');
  assert.deepEqual(await serious(b), []);
  await button(b, 'Hang up').click();
  await a.waitForSelector('[data-call=ended]');
  await idle(a);
  assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
  faultless(a, b);
});

test('a SIP phone: calls the browser and is called, both hear each other, tones arrive', async (t) => {
  const { world, one, registered, book } = await office(t);
  mkdirSync(world.output, { recursive: true });
  const sound = path.join(world.output, 'tone.wav');
  writeWav(sound, tone(HERTZ.phone, 60));
  const phone = await world.phones().add({ user: '102', domain: one.domain, password: one.passwords['102'], sound, answer: 'manual' });
  await phone.register();
  const a = await registered('100');
  for (const who of ['browser', 'phone']) {
    if (who === 'browser') {
      await dial(a, '102');
      await phone.event('CALL_INCOMING');
      await phone.answer();
    } else {
      await phone.dial(`sip:100@${one.domain}`);
      await button(a, 'Answer').click();
    }
    await talks(a);
    await phone.event('CALL_ESTABLISHED');
    const call_id = await callId(book);
    await hears(a, HERTZ.phone);
    await button(a, 'Keypad').click();
    await a.locator('.call-card .keys').getByRole('button', { name: '7' }).click();
    assert.equal((await phone.event('CALL_DTMF_START')).param, '7');
    let share;
    await until(() => (share = toneShare(phone.heard(), HERTZ[100])).same_ms > 1000, { what: 'a second of our tone at the phone' }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(share)}`));
    if (who === 'browser') await button(a, 'Hang up').click();
    else await phone.hangup();
    await phone.event('CALL_CLOSED');
    await idle(a);
    await book.over(call_id);
    phone.forget();
  }
  faultless(a);
});

test("the console's phone needs no password: an extension is chosen, and its app token is renewed before it ends", async (t) => {
  const { one, registered } = await office(t, ['100', '101']);
  const page = await browser.page(t, { base: `https://${one.domain}:${HTTPS_PORT}` });
  let tokens = 0;
  page.on('request', (request) => (tokens += request.method() === 'POST' && request.url().endsWith('/tokens') ? 1 : 0));
  await page.addInitScript(instrument, HERTZ[101]);
  await page.clock.install();
  await signIn(page, one.key);
  await page.getByRole('link', { name: 'Phone' }).click();
  await page.getByLabel('Extension').selectOption('101');
  await button(page, 'Register').click();
  await page.waitForSelector('[data-registration=registered]');
  const a = await registered('100');
  await dial(a, '101');
  await button(page, 'Answer').click();
  await Promise.all([talks(a), talks(page)]);
  await hears(a, HERTZ[101]);
  await button(a, 'Hang up').click();
  await idle(page);
  assert.equal(tokens, 1);
  await page.clock.fastForward('56:00');
  await until(() => tokens === 2, { what: 'another token' });
  await page.waitForSelector('[data-registration=registered]');
  assert.deepEqual([...page.faults, ...a.faults], []);
});

test('a video call is answered with video: both see and hear each other', async (t) => {
  const { registered } = await office(t);
  const [a, b] = [await registered('100'), await registered('101')];
  await dial(a, '101', 'Call with video');
  await button(b, 'Answer with video').click();
  await Promise.all([talks(a), talks(b)]);
  await Promise.all([sees(a), sees(b), hears(a, HERTZ[101]), hears(b, HERTZ[100])]);
  faultless(a, b);
});

test('a blind transfer: 100 sends 101 to 102, and is out of it once they talk', async (t) => {
  const { registered, book } = await office(t);
  const [a, b, c] = [await registered('100'), await registered('101'), await registered('102')];
  await dial(a, '101');
  await button(b, 'Answer').click();
  await talks(a);
  const call_id = await callId(book);
  await button(a, 'Transfer').click();
  const dialog = a.getByRole('dialog');
  await dialog.getByLabel('Number or address').fill('102');
  await dialog.getByRole('button', { name: 'Transfer' }).click();
  await button(c, 'Answer').click();
  await talks(c);
  await idle(a);
  await Promise.all([hears(b, HERTZ[102]), hears(c, HERTZ[101])]);
  assert.match((await book.over(call_id)).story.join('\n'), /transfer/);
  faultless(a, b, c);
});

test('an attended transfer: 100 talks with 102 first, and then connects it with 101', async (t) => {
  const { registered, book } = await office(t);
  const [a, b, c] = [await registered('100'), await registered('101'), await registered('102')];
  await dial(a, '101');
  await button(b, 'Answer').click();
  await talks(a);
  await button(a, 'Hold').click();
  await b.getByText('Held by the other side').waitFor();
  await dial(a, '102');
  await button(c, 'Answer').click();
  await hears(a, HERTZ[102]);
  assert.equal((await book.live()).length, 2);
  await button(a, 'Transfer').click();
  await a.getByRole('dialog').getByRole('button', { name: 'Connect with 101' }).click();
  await idle(a);
  await Promise.all([hears(b, HERTZ[102]), hears(c, HERTZ[101])]);
  await until(async () => (await book.live()).length === 1, { what: 'one call that is left' });
  await button(c, 'Hang up').click();
  await Promise.all([idle(b), idle(c)]);
  await until(async () => (await book.live()).length === 0, { what: 'no call' });
  faultless(a, b, c);
});

test('devices: the chosen microphone and camera are used, a change at once, and the choice is kept', async (t) => {
  const { registered } = await office(t);
  const [a, b] = [await registered('100', { hertz: 0 }), await registered('101')];
  const list = (label) => a.locator('.devices label').filter({ hasText: label }).locator('select');
  const choose = (label, i) => list(label).selectOption({ index: i });
  const used = (kind) => a.evaluate((kind) => globalThis.connections.at(-1).getSenders().find(({ track }) => track?.kind === kind)?.track.getSettings().deviceId ?? null, kind);
  const chosen = (label) => list(label).inputValue();
  await a.getByText('Microphone, loudspeaker, camera').click();
  for (const label of ['Microphone', 'Camera', 'Loudspeaker']) await until(async () => (await list(label).locator('option').count()) > 2, { what: `two devices beside the default: ${label}` });
  await choose('Microphone', 2);
  await choose('Camera', 3);
  await dial(a, '101', 'Call with video');
  await button(b, 'Answer with video').click();
  await Promise.all([talks(a), talks(b), sees(b)]);
  assert.equal(await used('audio'), await chosen('Microphone'));
  assert.equal(await used('video'), await chosen('Camera'));
  await choose('Microphone', 1);
  await until(async () => (await used('audio')) === (await chosen('Microphone')), { what: 'the other microphone' });
  await choose('Loudspeaker', 1);
  await until(async () => (await a.locator('audio').evaluate(({ sinkId }) => sinkId)) === (await chosen('Loudspeaker')), { what: 'the chosen loudspeaker' });
  const kept = await Promise.all(['Microphone', 'Camera', 'Loudspeaker'].map(chosen));
  assert.equal(new Set(kept).size, 3);
  await button(b, 'Hang up').click();
  await idle(a);
  await a.reload();
  assert.deepEqual(Object.values(await a.evaluate(() => JSON.parse(localStorage.getItem('belfry.devices')))).sort(), [...kept].sort());
  faultless(a, b);
});

test('what goes wrong is said: a declined call, an unknown number, a wrong password, tokens that are old or none', async (t) => {
  const { one, registered, phone, book } = await office(t);
  const [a, b] = [await registered('100'), await registered('101')];
  await dial(a, '101');
  await button(b, 'Decline').click();
  await a.getByText('· 603').waitFor();
  await idle(a);
  await dial(a, '999');
  await a.getByText('· 404').waitFor();
  await idle(a);
  await dial(a, '102');
  await a.getByText('· 480').waitFor();
  const wrong = await phone('102', { token: accountOf(one, '102', { password: 'not this' }) });
  await wrong.waitForSelector('[data-registration=refused]');
  const brief = await tokenOf(one, '102', { expires_in_seconds: 1 });
  await until(() => Date.now() > JSON.parse(Buffer.from(brief.split('.')[1], 'base64url')).exp * 1000 + 1000, { what: 'a token to expire' });
  const old = await phone('102', { token: brief });
  await old.waitForSelector('[data-registration=refused]');
  assert.deepEqual(await book.registrations('102'), []);
  const none = await phone('100', { token: '%3Cscript%3E' });
  await none.getByRole('alert').filter({ hasText: 'not good any more' }).waitFor();
  await none.shot('phone-no-token');
  assert.deepEqual(await serious(none), []);
  faultless(a, b, wrong, old, none);
});
