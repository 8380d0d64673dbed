// Calls as REST shows and commands them: registrations, live calls and their figures, hang up, transfer, click-to-call, CDRs,
// timelines.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertProblem } from '../lib/api.mjs';
import { melody, writeWav } from '../lib/audio.mjs';
import { CallBook } from '../lib/calls.mjs';
import { answers, attended, office, refers, refuses, ringing, stops } from '../lib/office.mjs';
import { RtpEnd, relayed } from '../lib/rtp.mjs';
import { mediaOf, sdp, uriOf } from '../lib/sip_message.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();
const NOBODY = '018f0000-0000-7000-8000-000000000002';

afterEach(() => belfry.allWell());

const mediaGone = (call_id) => until(async () => {
  const answer = await relayed(belfry.relays, call_id);
  return answer.result === 'error' || Object.values(answer.tags ?? {}).every((tag) => tag.deleted);
}, { what: `end of ${call_id} at the relay`, every_ms: 100 });

const near = (value, wanted, what, slack = 150) => assert.ok(Math.abs(value - wanted) <= slack, `${what}: ${value}, expected about ${wanted.toFixed(0)}`);

describe('registrations', () => {
  it('tell contact, transport, edge, user agent, expiry and where it came from', async (t) => {
    const { book, phone } = await office(t);
    const devices = [];
    for (const transport of ['udp', 'tcp']) devices.push(await phone('100', { transport, headers: [['User-Agent', `Phone ${transport}`]] }));
    await phone('101');
    const found = await book.registrations('100');
    assert.equal(found.length, 2);
    for (const ua of devices) {
      const mine = found.find(({ contact }) => contact.includes(`:${ua.port}`));
      assert.deepEqual([mine.number, mine.transport, mine.user_agent, mine.edge], ['100', ua.transport, `Phone ${ua.transport}`, 'edge-1']);
      const left_s = (Date.parse(mine.expires_at) - Date.now()) / 1000;
      assert.ok(left_s > 500 && left_s <= 601, `${left_s} s left`);
      assert.ok(mine.received === null || mine.received.includes(`${ua.host}:${ua.port}`), mine.received);
    }
    assert.deepEqual((await book.api.ok('GET', `${book.base}/registrations?number=101`)).items.map(({ number }) => number), ['101']);
    assert.deepEqual((await book.api.ok('GET', `${book.base}/registrations?number=999`)).items, []);
  });

  it("are told to the tenant's own key as to the operator's", async (t) => {
    const { tenant, book, phone } = await office(t);
    await phone('100');
    assert.deepEqual(await new CallBook(tenant.api, tenant).registrations(), await book.registrations());
  });

  it('refreshed: still one; deregistered, or its connection lost: gone', async (t) => {
    const { book, phone } = await office(t);
    const [udp, tcp] = [await phone('100'), await phone('101', { transport: 'tcp' })];
    for (let i = 0; i < 3; i++) await udp.register();
    assert.equal((await book.registrations('100')).length, 1);
    await udp.register({ expires_s: 0 });
    await until(async () => (await book.registrations('100')).length === 0, { what: 'gone by itself', deadline_ms: 3_000 });
    assert.equal((await book.registrations('101')).length, 1);
    await tcp.close();
    await until(async () => (await book.registrations('101')).length === 0, { what: 'gone with its connection', deadline_ms: 15_000 });
  });

  it('come in pages, each once', async (t) => {
    const numbers = Array.from({ length: 7 }, (_, i) => String(200 + i));
    const { book, phone } = await office(t, { numbers });
    for (const number of numbers) await phone(number);
    const paged = await book.api.list(`${book.base}/registrations`, { limit: 3 });
    assert.deepEqual(paged.map(({ number }) => number).sort(), numbers);
  });
});

/** An answered call with RTP flowing both ways until `stop()`; given `rtcp`, also reports that say so (RtpEnd.report). */
async function talking(t, { book, phone }, rtcp) {
  const [a, b] = [await phone('100'), await phone('101')];
  const [ra, rb] = [await RtpEnd.open(), await RtpEnd.open()];
  t.after(() => Promise.all([ra.close(), rb.close()]));
  const call = a.invite('101', { body: sdp(ra) });
  const request = await ringing(b);
  const dialog = await answers(call, b, request, { body: sdp(rb) });
  let on = true;
  const flow = (async () => {
    const places = [mediaOf(call.reply.body), mediaOf(request.body)];
    while (on) {
      await Promise.all([ra.send(places[0], 1, { gap_ms: 0 }), rb.send(places[1], 1, { gap_ms: 0 })]);
      if (rtcp && ra.sequence % 10 === 0) [ra, rb].forEach((end, i) => end.report(places[i], rtcp));
      await delay(20);
    }
  })();
  const stop = () => {
    on = false;
    return flow;
  };
  t.after(stop);
  const live = await book.running(call.call_id, { state: /answered/ });
  return { a, b, call, dialog, live, stop };
}

describe('a running call', () => {
  it('is listed with state and parties from ringing to its end', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100', { headers: [['User-Agent', 'Desk 1']] }), await phone('101')];
    const call = a.invite('101', { body: sdp() });
    const request = await ringing(b);
    const rings = await book.running(call.call_id, { state: /ringing/ });
    assert.deepEqual([rings.caller, rings.callee, rings.number, rings.user_agent, rings.edge, rings.local_plan], ['100', '101', '101', 'Desk 1', 'edge-1', false]);
    assert.equal(rings.answered_at, null);
    const dialog = await answers(call, b, request);
    const talks = await book.running(call.call_id, { state: /answered/ });
    assert.equal(talks.id, rings.id);
    assert.ok(Date.parse(talks.answered_at) >= Date.parse(talks.ringing_at));
    await delay(300);
    assert.ok((await book.call(talks.id)).talk_ms >= 300);
    await hangUp(dialog, a);
    await until(async () => (await book.live()).length === 0, { what: 'it is over' });
    assertProblem(await book.api.get(`${book.base}/calls/${NOBODY}`), { status: 404 });
  });

  it('has figures of each leg while it lasts, and they are in its CDR', async (t) => {
    const parts = await office(t);
    const { book } = parts;
    const { a, call, dialog, live, stop } = await talking(t, parts);
    const legs = await until(async () => {
      const { media } = await book.call(live.id);
      return media?.length === 2 && media.every(({ packets }) => packets >= 50) && media;
    }, { what: 'figures of both legs', deadline_ms: 10_000, every_ms: 200 });
    assert.deepEqual(legs.map(({ party }) => party).sort(), ['callee', 'caller']);
    for (const leg of legs) {
      assert.match(leg.codec, /PCMU/);
      assert.ok(leg.octets >= leg.packets * 160, JSON.stringify(leg));
      for (const name of ['lost_packets', 'loss_percent', 'jitter_ms', 'mos', 'round_trip_ms']) assert.equal(leg[name], null, `${name}: nobody sends RTCP`);
    }
    const again = (await until(async () => {
      const { media } = await book.call(live.id);
      return media.every(({ packets, party }) => packets > legs.find((each) => each.party === party).packets) && media;
    }, { what: 'figures that grow' }));
    await stop();
    await hangUp(dialog, a);
    const { cdr } = await book.over(call.call_id);
    assert.deepEqual(cdr.media.map(({ party }) => party).sort(), ['callee', 'caller']);
    for (const leg of cdr.media) assert.ok(leg.packets >= again.find(({ party }) => party === leg.party).packets, JSON.stringify(cdr.media));
    assert.ok(belfry.relays.some(({ ng }) => cdr.relay?.includes(`${ng.host}:${ng.port}`)), cdr.relay);
  });

  it('of phones that send RTCP has MOS and round trip of both legs, live and in its CDR', async (t) => {
    const parts = await office(t);
    const { book } = parts;
    const { a, call, dialog, live, stop } = await talking(t, parts, { round_trip_ms: 40, lost: 3, jitter_ms: 5 });
    // from phone to phone: the way to the relay and back, twice
    const good = (media) => media?.length === 2 && media.every(({ mos, round_trip_ms, loss_percent, lost_packets, jitter_ms }) => mos > 3.5 && mos <= 5 && round_trip_ms > 70 && round_trip_ms < 150 && lost_packets === 3 && loss_percent > 0 && loss_percent < 50 && jitter_ms === 5);
    await until(async () => good((await book.call(live.id)).media), { what: 'MOS of both legs', deadline_ms: 20_000, every_ms: 200 });
    await stop();
    await hangUp(dialog, a);
    const { cdr } = await book.over(call.call_id);
    assert.ok(good(cdr.media), JSON.stringify(cdr.media));
  });

  it('of real phones has their codec and packets', async (t) => {
    const { world, tenant, book } = await office(t);
    const phones = world.phones();
    mkdirSync(world.output, { recursive: true });
    const sound = path.join(world.output, 'sound.wav');
    writeWav(sound, melody(21, 30));
    const [caller, callee] = await Promise.all(['100', '101'].map((user) => phones.add({ user, domain: tenant.domain, password: tenant.passwords[user], sound })));
    for (const phone of [caller, callee]) await phone.register();
    await caller.dial(`sip:101@${tenant.domain}`);
    const { id } = await caller.event('CALL_ESTABLISHED');
    const live = await book.running(id, { state: /answered/ });
    const heard = (media) => media?.length === 2 && media.every(({ codec, packets, octets }) => /PCMU/.test(codec) && packets >= 50 && octets >= packets * 160);
    await until(async () => heard((await book.call(live.id)).media), { what: 'figures of both legs', every_ms: 200 });
    await caller.hangup();
    const { cdr } = await book.over(id);
    assert.ok(heard(cdr.media), JSON.stringify(cdr.media));
  });
});

describe('hang up by REST', () => {
  it('both legs and the media end; the CDR says so; a second time: 404', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101', { transport: 'tcp' })];
    const { call } = await world.call(a, b);
    const live = await book.running(call.call_id, { state: /answered/ });
    const answer = await book.hangUp(live.id);
    assert.ok([202, 204].includes(answer.status), answer.text);
    for (const ua of [a, b]) ua.reply(await ua.incoming('BYE', { deadline_ms: 3_000 }), 200);
    await mediaGone(call.call_id);
    const { cdr } = await book.over(call.call_id);
    assert.deepEqual([cdr.result, cdr.hung_up_by, cdr.code], ['answered', 'api', 200]);
    assertProblem(await book.hangUp(live.id), { status: 404 });
    await until(() => world.reaches(a, b), { what: 'both can talk again' });
  });

  it('while it rings: 487 to the caller, the phones stop', async (t) => {
    const { book, phone } = await office(t);
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('101')];
    const call = a.invite('101', { body: sdp() });
    const requests = [await ringing(b), await ringing(c)];
    const live = await book.running(call.call_id, { state: /ringing/ });
    const stopped = Promise.all([stops(b, requests[0]), stops(c, requests[1])]);
    await book.hangUp(live.id);
    await stopped;
    assert.equal((await call.final).status, 487);
    const { cdr } = await book.over(call.call_id);
    assert.deepEqual([cdr.code, cdr.hung_up_by, cdr.answered_by], [487, 'api', null]);
    await mediaGone(call.call_id);
  });

  it('phones that do not answer the BYE: the call is over all the same', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const { call } = await world.call(a, b);
    const live = await book.running(call.call_id, { state: /answered/ });
    await Promise.all([a.close(), b.close()]);
    await book.hangUp(live.id);
    assert.equal((await book.over(call.call_id, { deadline_ms: 20_000 })).cdr.hung_up_by, 'api');
    await mediaGone(call.call_id);
  });
});

/** The transfers of a finished call, which its timeline and its CDR tell alike. */
function transfers({ lines, cdr }) {
  const told = lines.filter(({ kind }) => kind === 'transfer').map(({ time, number, text }) => [time, number, text]);
  assert.deepEqual(cdr.transfers.map(({ time, to, how }) => [time, to, how]), told);
  return told.map(([, to, how]) => [to, how]);
}

describe('transfer', () => {
  it('by REST, blind: the caller is asked to call the other; the new call stands, both have a CDR', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const { call } = await world.call(a, b);
    const live = await book.running(call.call_id, { state: /answered/ });
    const asked = book.transfer(live.id, { to: '102' });
    const request = await a.incoming('REFER');
    assert.match(uriOf(request.get('Refer-To')), /^sip:102@/);
    const second = await refers(a, request);
    const answer = await asked;
    assert.ok([200, 202, 204].includes(answer.status), answer.text);
    for (const ua of [a, b]) ua.reply(await ua.incoming('BYE'), 200); // who was left is let go
    const onward = await answers(second, c, await ringing(c));
    await hangUp(onward, a);
    const first = await book.over(call.call_id);
    assert.deepEqual(transfers(first), [['102', 'blind by api']]);
    assert.deepEqual([(await book.over(second.call_id)).cdr.callee], ['102']);
  });

  it('of the callee; to a number that is none: refused', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const { call, dialog } = await world.call(a, b);
    const live = await book.running(call.call_id, { state: /answered/ });
    for (const body of [{}, { to: 'a b' }, { to: '102', colour: 1 }]) assertProblem(await book.transfer(live.id, body), { status: 400 });
    assertProblem(await book.transfer(NOBODY, { to: '102' }), { status: 404 });
    assert.ok(!a.has('REFER') && !b.has('REFER'));
    const asked = book.transfer(live.id, { to: '102', party: 'callee' });
    const request = await b.incoming('REFER');
    b.reply(request, 603);
    await asked;
    assert.equal((await hangUp(dialog, a)).status, 200, 'a refused REFER ends nothing');
    assert.deepEqual(transfers(await book.over(call.call_id)), []);
  });

  it('blind, by a phone: who gave whom away is in the timeline and the CDR; a refused one is not', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const { call, dialog } = await world.call(a, b);
    for (const status of [603, 202]) {
      const asked = dialog.ask('REFER', { headers: [['Contact', b.contact], ['Refer-To', `"C" <sip:102@${tenant.domain}>`]] });
      a.reply(await a.incoming('REFER'), status);
      assert.equal((await asked).status, status);
    }
    await hangUp(dialog, a);
    const onward = await world.call(a, c);
    await hangUp(onward.dialog, a);
    assert.deepEqual(transfers(await book.over(call.call_id)), [['102', 'blind by callee']]);
    assert.deepEqual(transfers(await book.over(onward.call.call_id)), []);
  });

  it('as often as a phone likes: the first sixteen are kept', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const { call, dialog } = await world.call(a, b);
    for (let i = 0; i < 18; i++) {
      const asked = dialog.ask('REFER', { headers: [['Contact', b.contact], ['Refer-To', `<sip:${i}@${tenant.domain}>`]] });
      a.reply(await a.incoming('REFER'), 202);
      await asked;
    }
    await hangUp(dialog, a);
    assert.deepEqual(transfers(await book.over(call.call_id)), Array.from({ length: 16 }, (_, i) => [String(i), 'blind by callee']));
  });

  for (const names of ['number', 'Contact']) {
    it(`attended, by the phones: REFER with Replaces, the other named by its ${names}`, async (t) => {
      const { world, tenant, book, phone } = await office(t);
      const [a, b, c] = [await phone('100'), await phone('101'), await phone('102', { transport: 'tcp' })];
      const named = { number: () => `sip:102@${tenant.domain}`, Contact: ({ answer }) => uriOf(answer.get('Contact')) };
      const { first, consultation, taken, joined } = await attended(world, a, b, c, named[names]);
      await hangUp(consultation.dialog, a); // c ends what was replaced
      const note = first.dialog.ask('NOTIFY', { headers: [['Contact', b.contact], ['Event', 'refer'], ['Subscription-State', 'terminated;reason=noresource'], ['Content-Type', 'message/sipfrag']], body: 'SIP/2.0 200 OK\r\n' });
      a.reply(await a.incoming('NOTIFY'), 200);
      assert.equal((await note).status, 200);
      await hangUp(first.call.dialog, b);
      await hangUp(joined, b);
      const parties = [];
      const given = [];
      for (const { call_id } of [first.call, consultation.call, taken]) {
        const over = await book.over(call_id);
        parties.push([over.cdr.caller, over.cdr.callee, over.cdr.result]);
        given.push(transfers(over));
      }
      assert.deepEqual(given, [[['102', 'attended by caller']], [], []]);
      assert.deepEqual(parties, [['100', '101', 'answered'], ['100', '102', 'answered'], ['101', '102', 'answered']]);
    });
  }
});

describe('click-to-call', () => {
  it('rings the one, then has it call the other', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const answer = await book.dial({ from: '100', to: '101' });
    assert.ok([201, 202].includes(answer.status), answer.text);
    const request = await a.incoming('INVITE');
    a.reply(request, 200, { body: sdp() });
    await a.incoming('ACK');
    const call = await refers(a, await a.incoming('REFER'));
    const dialog = await answers(call, b, await ringing(b));
    if (await until(() => a.has('BYE'), { what: 'the end of the first leg', deadline_ms: 3_000 })) a.reply(await a.incoming('BYE'), 200);
    await hangUp(dialog, a);
    const { cdr } = await book.over(call.call_id);
    assert.deepEqual([cdr.caller, cdr.callee, cdr.result], ['100', '101', 'answered']);
  });

  it('from or to nobody: refused and nothing rings', async (t) => {
    const { book, phone } = await office(t);
    const a = await phone('100');
    for (const body of [{ from: '100' }, { from: '100', to: '' }, { from: '100', to: '101', colour: 1 }]) assertProblem(await book.dial(body), { status: 400 });
    const nobody = await book.dial({ from: '987', to: '100' });
    assert.ok(nobody.status >= 400 && nobody.status < 500, nobody.text);
    assert.ok(!a.has('INVITE'));
  });
});

describe('a finished call', () => {
  const ends = {
    'hung up by the caller': { result: 'answered', code: 200, by: 'caller', end: async ({ call, b, answer }) => { await answer(); await hangUp(call.dialog, b); } },
    'hung up by the callee': { result: 'answered', code: 200, by: 'callee', end: async ({ a, answer }) => hangUp(await answer(), a) },
    busy: { result: 'busy', code: 486, by: 'callee', end: async ({ b, request }) => b.reply(request, 486) },
    declined: { result: 'refused', code: 603, by: 'callee', end: async ({ b, request }) => b.reply(request, 603) },
    'given up by the caller': { result: 'cancelled', code: 487, by: 'caller', end: async ({ call, b, request }) => Promise.all([call.cancel(), stops(b, request)]) },
  };

  for (const [name, { result, code, by, end }] of Object.entries(ends)) {
    it(`${name}: ${result}, ${code}, its times and its story`, async (t) => {
      const { book, phone } = await office(t);
      const [a, b] = [await phone('100'), await phone('101')];
      const time = elapsed();
      const at = Date.now();
      const call = a.invite('101', { body: sdp() });
      const request = await ringing(b);
      await call.ringing();
      const setup_ms = time();
      await delay(300);
      let ring_ms = 0;
      let talked = 0;
      await end({ a, b, call, request, answer: async () => {
        const dialog = await answers(call, b, request);
        ring_ms = time() - setup_ms;
        await delay(400);
        talked = time() - setup_ms - ring_ms;
        return dialog;
      } });
      await call.final;
      const { cdr, story, lines } = await book.over(call.call_id);
      assert.deepEqual([cdr.caller, cdr.callee, cdr.result, cdr.code, cdr.hung_up_by], ['100', '101', result, code, by]);
      near(Date.parse(cdr.started_at), at, 'started_at', 500);
      near(cdr.setup_ms, setup_ms, 'setup_ms');
      near(cdr.ring_ms, ring_ms || 300, 'ring_ms');
      near(cdr.talk_ms, talked, 'talk_ms');
      const told = ['started', 'branch 101', 'ringing 101 180', result === 'answered' ? 'answered 101 200' : `branch-ended 101 ${code}`];
      const places = told.map((line) => story.indexOf(line));
      assert.ok(places.every((place, i) => place >= 0 && (i === 0 || place > places[i - 1])), `${told} in order:\n${story.join('\n')}`);
      assert.equal(lines.at(-1).kind, 'ended', story.join('\n'));
      await mediaGone(call.call_id);
    });
  }

  it('an INVITE, a BYE and a 200 that are repeated make no second call', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const call = a.invite('101', { body: sdp() });
    await delay(1_700); // b says nothing: the edge repeats its INVITE
    const request = await ringing(b);
    b.reply(request, 200, { body: sdp() });
    b.reply(request, 200, { body: sdp() });
    await call.final;
    call.ack();
    const bye = call.dialog.ask('BYE');
    await delay(700); // and its BYE
    b.reply(await b.incoming('BYE'), 200);
    await bye;
    await book.over(call.call_id);
    assert.equal((await book.cdrs()).length, 1);
  });

  it('CDRs are newest first, in pages, and found by any of their numbers', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const ids = [];
    for (const [from, to, at] of [[a, '101', b], [b, '100', a], [a, '102', null], [a, '101', b]]) {
      const call = from.invite(to, { body: sdp() });
      if (at) await refuses(at, 486);
      await call.final;
      ids.unshift((await book.over(call.call_id)).cdr.id);
    }
    assert.deepEqual((await book.cdrs()).map(({ id }) => id), ids);
    assert.deepEqual((await book.api.list(`${book.base}/cdrs`, { limit: 1 })).map(({ id }) => id), ids);
    const by = async (query) => (await book.api.ok('GET', `${book.base}/cdrs?${query}`)).items.map(({ id }) => id);
    assert.deepEqual(await by('number=102'), [ids[1]]);
    assert.deepEqual(await by('number=101'), [ids[0], ids[2], ids[3]]);
    assert.deepEqual(await by('number=999'), []);
    for (const query of ['limit=0', 'limit=x', 'colour=1', 'from=yesterday']) assertProblem(await book.api.get(`${book.base}/cdrs?${query}`), { status: 400 });
  });
});
