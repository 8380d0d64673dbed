// Browsers as phones where media meet something on the way: TURN, transcoding, late offers, another edge, another library, and nothing.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HERTZ, browserAndPhone, gone, phoneEnds, phoneHears, talking, toneFile } from '../lib/browser_office.mjs';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { CallBook } from '../lib/calls.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { encode } from '../lib/sip.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const { belfry } = new World();
const browsers = await BrowserPhones.open({ after }, belfry);

describe('ways of the media', () => {
  it('through TURN alone, by UDP and by TCP: both hear each other, by a relayed candidate', async (t) => {
    const { one, browser, phone } = await browserAndPhone(t, browsers);
    const { ice_servers } = await one.api.ok('GET', `/v1/tenants/${one.slug}/ice-servers?number=100`);
    const turn = ice_servers.find(({ credential }) => credential);
    for (const transport of ['udp', 'tcp']) {
      const urls = turn.urls.filter((url) => url.startsWith('turn:') && url.endsWith(`transport=${transport}`));
      assert.equal(urls.length, 1, turn.urls.join(' '));
      await browser.call('101', { ice: { iceServers: [{ ...turn, urls }], iceTransportPolicy: 'relay' } });
      await phone.event('CALL_INCOMING');
      await phone.answer();
      await browser.event('confirmed');
      await browser.hears(HERTZ.phone);
      await phoneHears(phone, HERTZ.browser);
      assert.equal((await browser.stats()).way, 'relay');
      await phoneEnds(belfry, phone, browser, await browser.do('callId'));
    }
  });

  it('transcoded: a browser that knows opus alone, with a GSM phone that calls it and a PCMU phone that it calls', async (t) => {
    const { world, one, browser, phone } = await browserAndPhone(t, browsers);
    const gsm = await world.phones().add({ user: '102', domain: one.domain, password: one.passwords['102'], sound: toneFile(world, HERTZ.other), answer: 'manual', codec: 'GSM' });
    await gsm.register();
    await gsm.dial(`sip:100@${one.domain}`);
    await browser.incoming();
    await browser.answer({ codecs: ['opus'] });
    await browser.event('confirmed');
    await browser.hears(HERTZ.other);
    await phoneHears(gsm, HERTZ.browser);
    assert.equal((await browser.stats()).audio.codec_in, 'audio/opus');
    await phoneEnds(belfry, gsm, browser, await browser.do('callId'));

    await browser.call('101', { codecs: ['opus'] });
    await phone.event('CALL_INCOMING');
    await phone.answer();
    await browser.event('confirmed');
    await browser.hears(HERTZ.phone);
    await phoneHears(phone, HERTZ.browser);
    assert.equal((await browser.stats()).audio.codec_in, 'audio/opus');
    await phoneEnds(belfry, phone, browser, await browser.do('callId'));
  });

  it('of a call that is offered late, to a browser: the answer comes in the ACK', async (t) => {
    const { world, one, browser } = await browserAndPhone(t, browsers);
    const ua = await world.ua(one, '102');
    assert.equal((await ua.register()).status, 200);
    const end = await RtpEnd.open();
    t.after(() => end.close());
    const call = ua.invite('100');
    assert.equal((await browser.incoming()).sdp, '');
    await browser.answer();
    const { status, body } = await call.final;
    assert.equal(status, 200);
    assert.equal(mediaOf(body).profile, 'RTP/AVP');
    assert.doesNotMatch(body.toString(), /^a=(ice|fingerprint|candidate|setup|ssrc|crypto)/m);
    ua.send(encode(call.dialog.compose('ACK', { cseq: call.request.cseq, body: sdp(end) })));
    await browser.event('confirmed');
    await end.send(mediaOf(body), 50);
    await until(async () => (await browser.stats()).audio?.received > 30, { what: 'sound at the browser' });
    await until(() => end.received.filter(({ type }) => type === 0).length > 50, { what: 'sound of the browser' });
    assert.equal((await call.bye()).status, 200);
    await browser.event('ended');
    await gone(belfry, call.call_id);
  });
});

describe('SIP.js', () => {
  it('calls a phone, also with a late offer, and is called; both hear each other', async (t) => {
    const { one, phone } = await browserAndPhone(t, browsers);
    const browser = await browsers.add(t, one, '102', { hertz: HERTZ.other, page: 'sipjs' });
    await browser.register();
    for (const how of ['call', 'late', 'called']) {
      if (how === 'called') {
        await phone.dial(`sip:102@${one.domain}`);
        assert.equal((await browser.incoming()).from, '101');
        await browser.answer();
      } else {
        await browser.call('101', { late: how === 'late' });
        await phone.event('CALL_INCOMING');
        await phone.answer();
      }
      await browser.event('confirmed');
      await browser.hears(HERTZ.phone);
      await phoneHears(phone, HERTZ.other);
      await phoneEnds(belfry, phone, browser, await browser.do('callId'));
    }
  });
});

/** A browser that is killed while a phone, over TCP, talks with it: the call and the binding end. */
async function killed(t, { beside }) {
  const own = await BrowserPhones.open(t, belfry);
  const { one, browser, phone, book } = await browserAndPhone(t, own, { beside, transport: 'tcp' });
  const call_id = await talking(browser, phone, { from: 'phone', domain: one.domain });
  await own.browser.kill();
  await phone.event('CALL_CLOSED');
  await gone(belfry, call_id);
  assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
  await until(async () => (await book.registrations('100')).length === 0, { what: 'the binding is gone', deadline_ms: 25_000 });
}

describe('a browser that vanishes', { concurrency: true }, () => { // they wait
  it('without closing anything: it does not answer pings, and its call and binding end', async (t) => {
    const own = await BrowserPhones.open(t, belfry);
    const { one, browser, phone, book } = await browserAndPhone(t, own, { beside: true });
    const call_id = await talking(browser, phone, { from: 'phone', domain: one.domain });
    const thaw = await own.browser.freeze();
    try {
      await phone.event('CALL_CLOSED', { deadline_ms: 60_000 });
      await gone(belfry, call_id);
      assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
      await until(async () => (await book.registrations('100')).length === 0, { what: 'the binding is gone', deadline_ms: 25_000 });
    } finally {
      thaw();
    }
  });

  it('by being killed: its connection ends without a word, and its call and binding with it', (t) => killed(t, { beside: true }));
});

describe('two edges', () => {
  const edges = belfry.edges.length;
  before(async () => {
    await belfry.scale({ edges: 2 });
    await belfry.allWell();
  }, { timeout: 120_000 });
  after(() => belfry.scale({ edges }), { timeout: 120_000 });

  it('a browser that is killed amid a call of the other edge: that one ends it, also over a connection that the edges have already', async (t) => {
    for (let i = 0; i < 2; i++) await killed(t, { beside: false });
  });

  it('browsers on both: they call each other and the other edge’s phone, with sound and pictures', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100', '101', '102', '103'] });
    const book = new CallBook(world.operator, one);
    const on = {};
    for (const number of ['100', '101', '102']) {
      const browser = await browsers.add(t, one, number, { hertz: number === '100' ? HERTZ.browser : HERTZ.other });
      await browser.register();
      const { edge } = await book.indexed(number);
      on[edge] ??= browser;
    }
    const [a, b] = [on['edge-1'], on['edge-2']];
    assert.ok(a && b, `on ${Object.keys(on)}`);
    for (const [from, to] of [[a, b], [b, a]]) {
      await from.call(to.user, { video: true });
      await to.incoming();
      await to.answer({ video: true });
      for (const each of [from, to]) await each.event('confirmed');
      await Promise.all([from.hears(to.hertz), to.hears(from.hertz)]);
      for (const each of [from, to]) await until(async () => (await each.stats()).video.decoded > 10, { what: 'pictures', deadline_ms: 20_000 });
      await from.do('hold');
      await to.event('hold');
      await from.do('unhold');
      await to.event('unhold');
      await to.hears(from.hertz);
      const call_id = await from.do('callId');
      await to.do('hangUp');
      await from.event('ended');
      await gone(belfry, call_id);
    }
    const phone = await world.phones().add({ user: '103', domain: one.domain, password: one.passwords['103'], sound: toneFile(world, HERTZ.phone), answer: 'manual' });
    await phone.register();
    await book.indexed('103');
    for (const from of ['browser', 'phone']) {
      const call_id = await talking(b, phone, { from, domain: one.domain });
      await phoneHears(phone, b.hertz);
      await phoneEnds(belfry, phone, b, call_id);
    }
  });
});
