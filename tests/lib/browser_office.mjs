// A browser and a SIP phone of one tenant: what their calls have in common.
//
//   const {world, one, browser, phone, book} = await browserAndPhone(t, browsers, {url, beside, ...of the phone})    100 and 101, registered; beside: true: at one edge; false: at two
//   const call_id = await talking(browser, phone, {from: 'phone', domain: one.domain})       both hear each other
//   await phoneHears(phone, HERTZ.browser)          a second of this tone
//   await phoneEnds(belfry, phone, browser, call_id)
//   await gone(belfry, call_id)                     no relay has anything of it
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { tone, toneShare, writeWav } from './audio.mjs';
import { CallBook } from './calls.mjs';
import { relayed } from './rtp.mjs';
import { until } from './until.mjs';
import { World } from './world.mjs';

export const HERTZ = { browser: 700, phone: 1100, other: 1700 };

/** Until no relay knows the call any more. */
export const gone = (belfry, call_id) => until(async () => (await relayed(belfry.relays, call_id)).result === 'error', { what: `end of ${call_id} at rtpengine`, deadline_ms: 20_000, every_ms: 200 });

/** A tone as a file, for a phone to say. */
export function toneFile(world, hertz) {
  mkdirSync(world.output, { recursive: true });
  const file = path.join(world.output, `tone-${hertz}.wav`);
  writeWav(file, tone(hertz, 30));
  return file;
}

/** The edge that the gateway has chosen for this browser, or another one. */
async function edgeFor(belfry, book, browser, beside) {
  const { edge } = await book.indexed(browser.user);
  return belfry.edges.find(({ id }) => (id === edge) === beside);
}

/** A browser 100 and a baresip phone 101 of one tenant, both registered. */
export async function browserAndPhone(t, browsers, { url, beside, ...options } = {}) {
  const world = new World(t);
  const one = await world.tenant({ numbers: ['100', '101', '102'] });
  const browser = await browsers.add(t, one, '100', { hertz: HERTZ.browser, url });
  const book = new CallBook(world.operator, one);
  await browser.register();
  const edge = beside === undefined ? {} : { edge: await edgeFor(browsers.belfry, book, browser, beside) };
  const phone = await world.phones().add({ user: '101', domain: one.domain, password: one.passwords['101'], sound: toneFile(world, HERTZ.phone), answer: 'manual', ...edge, ...options });
  await phone.register();
  await book.indexed(phone.user);
  return { world, one, browser, phone, book };
}

export async function twoSeconds(browser) {
  const before = (await browser.stats()).audio.received;
  await until(async () => (await browser.stats()).audio.received > before + 100, { what: 'two seconds of sound' });
}

/** Between the browser and the phone, both hear each other; gives the Call-ID. */
export async function talking(browser, phone, { from, domain }) {
  if (from === 'browser') {
    await browser.call(phone.user);
    await phone.event('CALL_INCOMING');
    await phone.answer();
  } else {
    await phone.dial(`sip:${browser.user}@${domain}`);
    await browser.incoming();
    await browser.answer();
  }
  await browser.event('confirmed');
  await phone.event('CALL_ESTABLISHED');
  await browser.hears(HERTZ.phone);
  return browser.do('callId');
}

/** Until a phone has heard a second of this tone in the call that runs. */
export async function phoneHears(phone, hertz) {
  let share;
  await until(() => (share = toneShare(phone.heard(), hertz)).same_ms > 1000, { what: `a second of ${hertz} Hz at ${phone.aor}`, deadline_ms: 15_000 }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(share)}`));
}

/** The phone ends the call, and nothing of it is left. */
export async function phoneEnds(belfry, phone, browser, call_id) {
  await phone.hangup();
  await browser.event('ended');
  await phone.event('CALL_CLOSED');
  await gone(belfry, call_id);
  phone.forget();
}
