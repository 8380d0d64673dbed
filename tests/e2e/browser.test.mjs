// Browsers as phones: SIP over WebSockets through the gateway (with TLS where nothing else is said), DTLS-SRTP through the relay, with
// JsSIP in Chromium. What their media meet on the way is in browser_media.test.mjs, the door in browser_door.test.mjs.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { toneShare } from '../lib/audio.mjs';
import { HERTZ, browserAndPhone, gone, phoneEnds, talking, toneFile, twoSeconds } from '../lib/browser_office.mjs';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const { belfry } = new World();
const browsers = await BrowserPhones.open({ after }, belfry);

describe('a browser and a SIP phone', { concurrency: 2 }, () => { // they listen
  for (const [kind, options] of [['plain', {}], ['plain, and the browser without TLS', { url: belfry.ws }], ['SDES over TLS', { transport: 'tls', ca_file: belfry.env.BELFRY_CA_FILE, edge: belfry.edges[0], srtp: 'srtp-mand' }]]) {
    it(`${kind}: call each other and hear each other, hold and come back; no relay call is left`, async (t) => {
      const { one, browser, phone } = await browserAndPhone(t, browsers, options);
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
        await gone(belfry, call_id);
        const heard = toneShare(phone.heard(), HERTZ.browser);
        assert.ok(heard.same_ms > 2000, `the phone heard ${JSON.stringify(heard)}`);
        phone.forget();
      }
    });
  }

  it('ended by the API: both hear of it, and no relay call is left', async (t) => {
    const { one, browser, phone, book } = await browserAndPhone(t, browsers);
    for (const from of ['browser', 'phone']) {
      const call_id = await talking(browser, phone, { from, domain: one.domain });
      const { id } = await book.running(call_id, { state: /answered|talking/ });
      assert.equal((await book.hangUp(id)).status, 204);
      await browser.event('ended');
      await phone.event('CALL_CLOSED');
      await gone(belfry, call_id);
      assert.equal((await book.over(call_id)).cdr.hung_up_by, 'api');
      phone.forget();
    }
  });

  it('a closed tab ends its call, answered or ringing, and its binding', async (t) => {
    const { one, browser, phone, book } = await browserAndPhone(t, browsers);
    const call_id = await talking(browser, phone, { from: 'phone', domain: one.domain });
    await browser.closeTab();
    await phone.event('CALL_CLOSED');
    await gone(belfry, call_id);
    assert.equal((await book.over(call_id)).cdr.hung_up_by, 'callee');
    await until(async () => (await book.registrations('100')).length === 0, { what: 'the binding is gone', deadline_ms: 25_000 });

    const second = await browsers.add(t, one, '100');
    await second.register();
    await second.call('101');
    await phone.event('CALL_INCOMING');
    const ringing = await second.do('callId');
    await second.closeTab();
    await phone.event('CALL_CLOSED');
    await gone(belfry, ringing);
    assert.equal((await book.over(ringing)).cdr.hung_up_by, 'caller');
  });
});

describe('two browsers', () => {
  it('hear and see each other; hold, resume, a new ICE', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100', '101'] });
    const a = await browsers.add(t, one, '100', { hertz: HERTZ.browser });
    const b = await browsers.add(t, one, '101', { hertz: HERTZ.other });
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
    await gone(belfry, call_id);
  });
});

describe('codecs', () => {
  it('nothing is transcoded while a codec is shared; opus comes into an offer that has none of a browser', async (t) => {
    const { world, one, browser } = await browserAndPhone(t, browsers);
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
    await gone(belfry, strange.call_id);
  });
});

describe('forks', () => {
  it('to a browser and a phone of one extension: either may answer, the other stops ringing', async (t) => {
    const { world, one, browser } = await browserAndPhone(t, browsers);
    const beside = await browsers.add(t, one, '102', { hertz: HERTZ.other });
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
      await gone(belfry, call_id);
      if (who === 'phone') assert.ok(toneShare(phone.heard(), HERTZ.browser).same_ms > 1000);
      phone.forget();
    }
  });
});

describe('DTMF', () => {
  it('of a browser reaches the phone by RFC 2833 and by INFO', async (t) => {
    const { world, one, browser } = await browserAndPhone(t, browsers);
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
    await gone(belfry, call_id);
  });

  it('of a phone reaches the browser by RFC 2833, which plays it', async (t) => {
    const { world, one, browser } = await browserAndPhone(t, browsers);
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
    await browser.hears([770, 1336]); // the two of a 5
    clearInterval(pressing);
    await phoneEnds(belfry, phone, browser, await browser.do('callId'));
  });
});
