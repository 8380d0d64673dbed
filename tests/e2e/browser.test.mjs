// Browsers as phones: SIP over WebSockets through the gateway, DTLS-SRTP through the relay, with JsSIP in Chromium.
import assert from 'node:assert/strict';
import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { RATE, writeWav } from '../lib/audio.mjs';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { relayed } from '../lib/rtp.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const { belfry } = new World();
const HERTZ = { browser: 700, phone: 1100, other: 1700 };

const gone = (call_id) => until(async () => (await relayed(belfry.relays, call_id)).result === 'error', { what: `end of ${call_id} at rtpengine`, deadline_ms: 20_000, every_ms: 200 });

/** A tone as a file, and how much of a recording it is: 0..1, by Goertzel's filter over steps of 20 ms. */
function tone(world, hertz) {
  mkdirSync(world.output, { recursive: true });
  const file = path.join(world.output, `tone-${hertz}.wav`);
  writeWav(file, Int16Array.from({ length: RATE * 30 }, (_, i) => Math.round(10_000 * Math.sin((2 * Math.PI * hertz * i) / RATE))));
  return file;
}

function heardTone(samples, hertz) {
  const step = RATE / 50;
  let same = 0;
  let steps = 0;
  for (let at = 0; at + step <= samples.length; at += step) {
    const part = samples.subarray(at, at + step);
    const k = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
    let [s1, s2, energy] = [0, 0, 0];
    for (const x of part) {
      [s1, s2] = [x + k * s1 - s2, s1];
      energy += x * x;
    }
    const power = (2 * (s1 * s1 + s2 * s2 - k * s1 * s2)) / step;
    if (energy > step * 300 * 300 && power / energy > 0.8) same++;
    steps++;
  }
  return { same_ms: same * 20, of_ms: steps * 20 };
}

describe('a browser and a SIP phone', () => {
  it('call each other, and each hears the other', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const browsers = await BrowserPhones.open(t, belfry);
    const browser = await browsers.add(one, '100', { hertz: HERTZ.browser });
    const phone = await world.phones().add({ user: '101', domain: one.domain, password: one.passwords['101'], sound: tone(world, HERTZ.phone), answer: 'manual' });
    await browser.register();
    await phone.register();
    for (const caller of ['browser', 'phone']) {
      if (caller === 'browser') {
        await browser.call('101');
        await phone.event('CALL_INCOMING');
        await phone.answer();
      } else {
        await phone.dial(`sip:100@${one.domain}`);
        await browser.incoming();
        await browser.answer();
      }
      await browser.event('confirmed');
      await phone.event('CALL_ESTABLISHED');
      const call_id = await browser.do('callId');
      await browser.hears(HERTZ.phone);
      await until(async () => (await browser.stats()).audio.received > 100, { what: 'two seconds of sound' });
      if (caller === 'browser') await browser.do('hangUp');
      else await phone.hangup();
      await browser.event('ended');
      await phone.event('CALL_CLOSED');
      await gone(call_id);
      const heard = heardTone(phone.heard(), HERTZ.browser);
      assert.ok(heard.same_ms > 1000, `the phone heard ${JSON.stringify(heard)}`);
      phone.forget();
    }
  });
});
