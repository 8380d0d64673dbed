// Browsers as phones: SIP over WebSockets through the gateway (with TLS where nothing else is said), DTLS-SRTP through the relay, with JsSIP in Chromium.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { tone, toneShare, writeWav } from '../lib/audio.mjs';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { CallBook } from '../lib/calls.mjs';
import { RtpEnd, relayed } from '../lib/rtp.mjs';
import { encode } from '../lib/sip.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const { belfry } = new World();
const HERTZ = { browser: 700, phone: 1100, other: 1700 };

const gone = (call_id) => until(async () => (await relayed(belfry.relays, call_id)).result === 'error', { what: `end of ${call_id} at rtpengine`, deadline_ms: 20_000, every_ms: 200 });

/** A tone as a file, for a phone to say. */
function toneFile(world, hertz) {
  mkdirSync(world.output, { recursive: true });
  const file = path.join(world.output, `tone-${hertz}.wav`);
  writeWav(file, tone(hertz, 30));
  return file;
}

/** A browser 100 and a baresip phone 101 of one tenant, both registered. */
async function browserAndPhone(t, { url, ...options } = {}) {
  const world = new World(t);
  const one = await world.tenant({ numbers: ['100', '101', '102'] });
  const browsers = await BrowserPhones.open(t, belfry);
  const browser = await browsers.add(one, '100', { hertz: HERTZ.browser, url });
  const phone = await world.phones().add({ user: '101', domain: one.domain, password: one.passwords['101'], sound: toneFile(world, HERTZ.phone), answer: 'manual', ...options });
  await browser.register();
  await phone.register();
  return { world, one, browsers, browser, phone, book: new CallBook(world.operator, one) };
}

async function twoSeconds(browser) {
  const before = (await browser.stats()).audio.received;
  await until(async () => (await browser.stats()).audio.received > before + 100, { what: 'two seconds of sound' });
}

/** Between the browser and the phone, both hear each other; gives the Call-ID. */
async function talking(browser, phone, { from, domain }) {
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

describe('a browser and a SIP phone', () => {
  for (const [kind, options] of [['plain', {}], ['plain, and the browser without TLS', { url: belfry.ws }], ['SDES over TLS', { transport: 'tls', ca_file: belfry.env.BELFRY_CA_FILE, edge: belfry.edges[0], srtp: 'srtp-mand' }]]) {
    it(`${kind}: call each other and hear each other, hold and come back; no relay call is left`, async (t) => {
      const { one, browser, phone } = await browserAndPhone(t, options);
      for (const from of ['browser', 'phone']) {
        const call_id = await talking(browser, phone, { from, domain: one.domain });
        await twoSeconds(browser);
        await browser.do('hold');
        await browser.event('hold');
        await browser.do('unhold');
        await browser.event('unhold');
        await browser.hears(HERTZ.phone);
        await phone.hold();
        await browser.event('hold');
        await phone.resume();
        await browser.event('unhold');
        await browser.hears(HERTZ.phone);
        await twoSeconds(browser);
        if (from === 'browser') await browser.do('hangUp');
        else await phone.hangup();
        await browser.event('ended');
        await phone.event('CALL_CLOSED');
        await gone(call_id);
        const heard = toneShare(phone.heard(), HERTZ.browser);
        assert.ok(heard.same_ms > 2000, `the phone heard ${JSON.stringify(heard)}`);
        phone.forget();
      }
    });
  }

  it('ended by the API: both hear of it, and no relay call is left', async (t) => {
    const { one, browser, phone, book } = await browserAndPhone(t);
    for (const from of ['browser', 'phone']) {
      const call_id = await talking(browser, phone, { from, domain: one.domain });
      const { id } = await book.running(call_id, { state: /answered|talking/ });
      assert.equal((await book.hangUp(id)).status, 204);
      await browser.event('ended');
      await phone.event('CALL_CLOSED');
      await gone(call_id);
      assert.equal((await book.over(call_id)).cdr.hung_up_by, 'api');
      phone.forget();
    }
  });

  it('a closed tab ends its call, answered or ringing, and its binding', async (t) => {
    const { one, browsers, browser, phone, book } = await browserAndPhone(t);
    const call_id = await talking(browser, phone, { from: 'phone', domain: one.domain });
    await browser.closeTab();
    await phone.event('CALL_CLOSED');
    await gone(call_id);
    assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
    await until(async () => (await book.registrations('100')).length === 0, { what: 'the binding is gone', deadline_ms: 25_000 });

    const second = await browsers.add(one, '100');
    await second.register();
    await second.call('101');
    await phone.event('CALL_INCOMING');
    const ringing = await second.do('callId');
    await second.closeTab();
    await phone.event('CALL_CLOSED');
    await gone(ringing);
    assert.equal((await book.over(ringing)).cdr.hung_up_by, 'caller');
  });
});

describe('two browsers', () => {
  it('hear and see each other; hold, resume, a new ICE', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100', '101'] });
    const browsers = await BrowserPhones.open(t, belfry);
    const a = await browsers.add(one, '100', { hertz: HERTZ.browser });
    const b = await browsers.add(one, '101', { hertz: HERTZ.other });
    await a.register();
    await b.register();
    await a.call('101', { video: true });
    await b.incoming();
    await b.answer({ video: true });
    for (const each of [a, b]) await each.event('confirmed');
    const call_id = await a.do('callId');
    const both = async () => {
      await Promise.all([a.hears(HERTZ.other), b.hears(HERTZ.browser)]);
      const seen = async (each) => (await each.stats()).video.decoded;
      const before = [await seen(a), await seen(b)];
      await until(async () => (await seen(a)) > before[0] + 10 && (await seen(b)) > before[1] + 10, { what: 'pictures both ways', deadline_ms: 20_000 });
    };
    await both();
    await b.do('hold');
    await a.event('hold');
    await b.do('unhold');
    await a.event('unhold');
    await both();
    await a.do('restartIce');
    await both();
    await b.do('hangUp');
    await a.event('ended');
    await gone(call_id);
  });
});

describe('codecs', () => {
  it('nothing is transcoded while a codec is shared; opus comes into an offer that has none of a browser', async (t) => {
    const { world, one, browser } = await browserAndPhone(t);
    const ua = await world.ua(one, '102');
    assert.equal((await ua.register()).status, 200);
    const shared = ua.invite('100', { body: sdp() });
    const { sdp: with_shared } = await browser.incoming();
    const only = (body, payload, name) => body.replaceAll('RTP/AVP 0', `RTP/AVP ${payload}`).replace('a=rtpmap:0 PCMU', `a=rtpmap:${payload} ${name}`);
    await browser.do('refuse', 486);
    assert.equal((await shared.final).status, 486);
    const strange = ua.invite('100', { body: only(sdp(), 3, 'GSM') });
    const { sdp: without } = await browser.incoming();
    await browser.do('answer');
    const answer = await strange.final;
    assert.equal(answer.status, 200);
    strange.ack();
    assert.match(with_shared, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0\r$/m);
    assert.match(without, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 3 \d+\r$/m);
    assert.match(without, /a=rtpmap:\d+ opus\/48000\/2/);
    for (const given of [with_shared, without]) {
      for (const line of [/^a=ice-ufrag:/m, /^a=fingerprint:/m, /^a=rtcp-mux\r/m, /^a=mid:/m]) assert.match(given, line);
      assert.doesNotMatch(given, /^a=(ssrc|crypto)/m);
    }
    assert.match(answer.body.toString(), /^m=audio \d+ RTP\/AVP 3\r$/m);
    assert.doesNotMatch(answer.body.toString(), /^a=(ice|fingerprint|candidate|setup|rtcp-mux|ssrc|crypto)/m);

    await browser.event('confirmed');
    const ended = strange.bye();
    assert.equal((await ended).status, 200);
    await gone(strange.call_id);
  });
});

/** Until a phone has heard a second of this tone in the call that runs. */
async function phoneHears(phone, hertz) {
  let share;
  await until(() => (share = toneShare(phone.heard(), hertz)).same_ms > 1000, { what: `a second of ${hertz} Hz at ${phone.aor}`, deadline_ms: 15_000 }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(share)}`));
}

/** The phone ends the call, and nothing of it is left. */
async function phoneEnds(phone, browser, call_id) {
  await phone.hangup();
  await browser.event('ended');
  await phone.event('CALL_CLOSED');
  await gone(call_id);
  phone.forget();
}

describe('ways of the media', () => {
  it('through TURN alone, by UDP and by TCP: both hear each other, by a relayed candidate', async (t) => {
    const { one, browser, phone } = await browserAndPhone(t);
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
      await phoneEnds(phone, browser, await browser.do('callId'));
    }
  });

  it('transcoded: a browser that knows opus alone, with a GSM phone that calls it and a PCMU phone that it calls', async (t) => {
    const { world, one, browser, phone } = await browserAndPhone(t);
    const gsm = await world.phones().add({ user: '102', domain: one.domain, password: one.passwords['102'], sound: toneFile(world, HERTZ.other), answer: 'manual', codec: 'GSM' });
    await gsm.register();
    await gsm.dial(`sip:100@${one.domain}`);
    await browser.incoming();
    await browser.answer({ codecs: ['opus'] });
    await browser.event('confirmed');
    await browser.hears(HERTZ.other);
    await phoneHears(gsm, HERTZ.browser);
    assert.equal((await browser.stats()).audio.codec_in, 'audio/opus');
    await phoneEnds(gsm, browser, await browser.do('callId'));

    await browser.call('101', { codecs: ['opus'] });
    await phone.event('CALL_INCOMING');
    await phone.answer();
    await browser.event('confirmed');
    await browser.hears(HERTZ.phone);
    await phoneHears(phone, HERTZ.browser);
    assert.equal((await browser.stats()).audio.codec_in, 'audio/opus');
    await phoneEnds(phone, browser, await browser.do('callId'));
  });

  it('of a call that is offered late, to a browser: the answer comes in the ACK', async (t) => {
    const { world, one, browser } = await browserAndPhone(t);
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
    await gone(call.call_id);
  });
});

describe('SIP.js', () => {
  it('calls a phone, also with a late offer, and is called; both hear each other', async (t) => {
    const { one, browsers, phone } = await browserAndPhone(t);
    const browser = await browsers.add(one, '102', { hertz: HERTZ.other, page: 'sipjs' });
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
      await phoneEnds(phone, browser, await browser.do('callId'));
    }
  });
});

describe('forks', () => {
  it('to a browser and a phone of one extension: either may answer, the other stops ringing', async (t) => {
    const { world, one, browsers, browser } = await browserAndPhone(t);
    const beside = await browsers.add(one, '102', { hertz: HERTZ.other });
    const phone = await world.phones().add({ user: '102', domain: one.domain, password: one.passwords['102'], sound: toneFile(world, HERTZ.phone), answer: 'manual' });
    await beside.register();
    await phone.register();
    for (const who of ['browser', 'phone']) {
      await browser.call('102');
      await Promise.all([beside.incoming(), phone.event('CALL_INCOMING')]);
      await (who === 'browser' ? beside : phone).answer();
      await browser.event('confirmed');
      const call_id = await browser.do('callId');
      await browser.hears(who === 'browser' ? HERTZ.other : HERTZ.phone);
      if (who === 'browser') await phone.event('CALL_CLOSED');
      else await beside.event('failed');
      if (who === 'browser') await beside.hears(HERTZ.browser);
      else await twoSeconds(browser);
      await browser.do('hangUp');
      await browser.event('ended');
      await (who === 'browser' ? beside.event('ended') : phone.event('CALL_CLOSED'));
      await gone(call_id);
      if (who === 'phone') assert.ok(toneShare(phone.heard(), HERTZ.browser).same_ms > 1000);
      phone.forget();
    }
  });
});

describe('DTMF', () => {
  it('of a browser reaches the phone by RFC 2833 and by INFO', async (t) => {
    const { world, one, browser } = await browserAndPhone(t);
    const other = await world.ua(one, '102');
    assert.equal((await other.register()).status, 200);
    await browser.call('102');
    const request = await other.incoming('INVITE');
    assert.match(request.body.toString(), /a=rtpmap:\d+ telephone-event\/8000/);
    const end = await RtpEnd.open();
    t.after(() => end.close());
    const payload = Number(/a=rtpmap:(\d+) telephone-event\/8000/.exec(request.body)[1]);
    const body = sdp(end).replace('RTP/AVP 0', `RTP/AVP 0 ${payload}`).replace('a=sendrecv', `a=rtpmap:${payload} telephone-event/8000\r\na=fmtp:${payload} 0-15\r\na=sendrecv`);
    other.reply(request, 200, { body });
    await other.incoming('ACK');
    await browser.event('confirmed');
    const call_id = await browser.do('callId');
    await until(() => end.received.length > 20, { what: 'sound of the browser' });
    await browser.do('dtmf', '5', 'RFC2833');
    await until(() => end.received.some(({ payload: event, type }) => type === payload && event[0] === 5), { what: 'event 5' });
    await browser.do('dtmf', '7', 'INFO');
    const info = await other.incoming('INFO');
    assert.match(info.body.toString(), /Signal=7/);
    other.reply(info, 200);
    const dialog = other.dialog(request);
    assert.equal((await dialog.ask('INFO', { headers: [['Content-Type', 'application/dtmf-relay']], body: 'Signal=3\r\nDuration=160\r\n' })).status, 200);
    assert.equal((await browser.event('dtmf')).tone, '3');
    assert.equal((await dialog.ask('BYE')).status, 200);
    await browser.event('ended');
    await gone(call_id);
  });

  it('of a phone reaches the browser by RFC 2833, which plays it', async (t) => {
    const { world, one, browser } = await browserAndPhone(t);
    const phone = await world.phones().add({ user: '102', domain: one.domain, password: one.passwords['102'], sound: toneFile(world, 0), answer: 'manual' });
    await phone.register();
    await browser.call('102');
    await phone.event('CALL_INCOMING');
    await phone.answer();
    await browser.event('confirmed');
    await twoSeconds(browser);
    await browser.hearsNothing();
    const pressing = setInterval(() => phone.press('5').catch(() => {}), 1_000);
    t.after(() => clearInterval(pressing));
    await Promise.any([770, 1336].map((hertz) => browser.hears(hertz))); // the two of a 5
    clearInterval(pressing);
    await phoneEnds(phone, browser, await browser.do('callId'));
  });
});

describe('a browser that vanishes', () => {
  it('without closing anything: it does not answer pings, and its call and binding end', async (t) => {
    const { one, browsers, browser, phone, book } = await browserAndPhone(t);
    const call_id = await talking(browser, phone, { from: 'phone', domain: one.domain });
    const thaw = await browsers.browser.freeze();
    try {
      await phone.event('CALL_CLOSED', { deadline_ms: 60_000 });
      await gone(call_id);
      assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
      await until(async () => (await book.registrations('100')).length === 0, { what: 'the binding is gone', deadline_ms: 25_000 });
    } finally {
      thaw();
    }
  });
});

describe('two edges', () => {
  after(() => belfry.scale({ edges: 1 }), { timeout: 120_000 });

  it('browsers on both: they call each other and the other edge’s phone, with sound and pictures', async (t) => {
    await belfry.scale({ edges: 2 });
    await belfry.allWell();
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100', '101', '102', '103'] });
    const book = new CallBook(world.operator, one);
    const browsers = await BrowserPhones.open(t, belfry);
    const on = {};
    for (const number of ['100', '101', '102']) {
      const browser = await browsers.add(one, number, { hertz: number === '100' ? HERTZ.browser : HERTZ.other });
      await browser.register();
      const { edge } = (await until(async () => (await book.registrations(number))[0], { what: `${number} in the location index` }));
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
      await gone(call_id);
    }
    const phone = await world.phones().add({ user: '103', domain: one.domain, password: one.passwords['103'], sound: toneFile(world, HERTZ.phone), answer: 'manual' });
    await phone.register();
    for (const from of ['browser', 'phone']) {
      const call_id = await talking(b, phone, { from, domain: one.domain });
      await phoneHears(phone, b.hertz);
      await phoneEnds(phone, b, call_id);
    }
  });
});

/** The status of a WebSocket's handshake at the gateway. */
function handshake(headers) {
  const { hostname, port } = new URL(belfry.ws);
  return new Promise((resolve, reject) => {
    const request = http.get({ hostname, port, path: '/ws', headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'sip', ...headers } });
    request.on('upgrade', (response, socket) => resolve(response.statusCode, socket.destroy()));
    request.on('response', (response) => resolve(response.statusCode, response.resume()));
    request.on('error', reject);
  });
}

describe('the door for browsers', () => {
  it('is for names of tenants, and says no to others', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    assert.equal(await handshake({ Host: one.domain, Origin: `https://${one.domain}` }), 101);
    assert.equal(await handshake({ Host: one.domain }), 101);
    assert.equal(await handshake({ Host: 'nobody.example' }), 403);
    assert.equal(await handshake({ Host: one.domain, Origin: 'https://evil.example' }), 403);
    assert.equal(await handshake({ Host: one.domain, Origin: `https://evil.example/${one.domain}` }), 403);
  });

  it('a wrong password is refused', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const browsers = await BrowserPhones.open(t, belfry);
    const browser = await browsers.add(one, '100', { password: 'wrong' });
    await assert.rejects(browser.register(), { status: 401 });
  });
});
