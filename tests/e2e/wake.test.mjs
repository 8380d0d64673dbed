// A sleeping phone still rings: it is pushed to, registers on whatever edge, and is rung by the edge that holds its call.
//
// What a push is told is seen at event-fanout's place on the bus (tests/lib/fanout.mjs). With event-fanout itself: sleeping.test.mjs.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { answers, office, refuses, ringing, stops } from '../lib/office.mjs';
import { Fanout, newDevice } from '../lib/fanout.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();
const was = { edges: belfry.edges.length };
const RING_S = 2;
let A;
let B;
let fanout;

before(async () => {
  await belfry.scale({ edges: 2 });
  await belfry.allWell();
  [A, B] = belfry.edges;
  fanout = await Fanout.open(belfry);
}, { timeout: 180_000 });
after(async () => {
  await fanout?.close();
  await belfry.scale(was);
}, { timeout: 180_000 });
beforeEach(() => fanout.forget());
afterEach(() => until(async () => (await belfry.ready(A.name)) && (await belfry.ready(B.name)), { what: 'both edges', deadline_ms: 30_000 }));

/** An office in which 101 has a phone that sleeps; `seconds`: how long it rings. `sleeper(...)` opens it, not registered. */
async function asleep(t, { seconds = 20, set = {}, ...options } = {}) {
  const { world, tenant, ...rest } = await office(t, { set: { 101: { ring_seconds: seconds }, ...set }, ...options });
  const device = { id: newDevice(), number: '101', device_id: 'phone-of-101' };
  fanout.devices.push(device);
  const sleeper = (number = '101', { edge = B, device_id = device.device_id, ...more } = {}) =>
    world.ua(tenant, number, { edge, transport: 'tcp', ...more }).then((ua) => Object.assign(ua, { contact: `${ua.contact};+sip.instance="<urn:x-device:${device_id}>"` }));
  return { world, tenant, device, sleeper, ...rest };
}

const kinds = (lines) => lines.map(({ kind }) => kind).filter((kind) => /wak|wok|branch$|answered|ended/.test(kind));

describe('a call to a phone that sleeps', () => {
  it('waits; the phone registers on the other edge, rings there, answers, and both hear each other', async (t) => {
    const { book, phone, device, sleeper, tenant } = await asleep(t);
    const a = await phone('100', { edge: A });
    const heard = { a: await RtpEnd.open(), b: await RtpEnd.open() };
    t.after(() => Promise.all(Object.values(heard).map((end) => end.close())));
    const call = a.invite('101', { body: sdp({ port: heard.a.port }) });
    await call.ringing(182);
    const wake = await fanout.wake();
    assert.deepEqual([wake.device, wake.number, wake.caller, wake.callee, wake.sip_call_id], [device.id, '101', '100', '101', call.call_id]);
    assert.ok(wake.until_ms > wake.at_ms && wake.token.length >= 32, JSON.stringify(wake));
    assert.equal(fanout.wakes.length, 1);
    const b = await sleeper();
    const time = elapsed();
    assert.equal((await b.register()).status, 200);
    const request = await ringing(b);
    t.diagnostic(`REGISTER to INVITE, as the phone sees it: ${time().toFixed(1)} ms`);
    await call.ringing(180);
    assert.equal((await fanout.end()).why, 'registered');
    const dialog = await answers(call, b, request, { body: sdp({ port: heard.b.port }) });
    await Promise.all([heard.a.send(mediaOf(call.reply.body), 20), heard.b.send(mediaOf(request.body), 20)]);
    await until(() => heard.a.received.length > 5 && heard.b.received.length > 5, { what: 'media both ways' });
    await hangUp(dialog, a);
    const { cdr, lines } = await book.over(call.call_id);
    assert.deepEqual([cdr.result, cdr.answered_by], ['answered', '101']);
    assert.deepEqual(kinds(lines), ['waking', 'woken', 'branch', 'answered', 'ended']);
    assert.equal(lines.find(({ kind }) => kind === 'waking').device.replaceAll('-', ''), device.id);
    assert.equal(fanout.ends.length, 1, JSON.stringify(fanout.ends));
    assert.ok(tenant.id);
  });

  it('is woken by a call that comes right behind its un-REGISTER, too', async (t) => {
    const { phone, device, sleeper } = await asleep(t);
    const [a, b] = [await phone('100', { edge: A }), await sleeper('101', { edge: A })];
    for (let i = 0; i < 5; i++) {
      for (const expires_s of [60, 0]) assert.equal((await b.register({ expires_s })).status, 200);
      const call = a.invite('101', { body: sdp() });
      const wake = await fanout.wake(({ sip_call_id }) => sip_call_id === call.call_id);
      assert.equal(wake.device, device.id);
      assert.equal((await call.cancel()).status, 200);
      assert.equal((await call.final).status, 487);
    }
    assert.ok(!b.has('INVITE'));
  });

  it('rings its other phone meanwhile; whoever answers first has the call, and the push is taken back', async (t) => {
    const { book, phone, device } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const call = a.invite('101', { body: sdp() });
    const request = await ringing(desk);
    await fanout.wake();
    await call.ringing(180);
    assert.ok(!call.provisional.some(({ status }) => status === 182), 'somebody rings');
    await hangUp(await answers(call, desk, request), a);
    assert.deepEqual([(await fanout.end()).device, fanout.ends[0].why], [device.id, 'answered']);
    const { lines } = await book.over(call.call_id);
    assert.equal(lines.find(({ kind }) => kind === 'wake-ended').text, 'answered');
    assert.equal(fanout.ends.length, 1);
  });

  it('goes on waiting when another phone is busy; one that came and declines ends it at once', async (t) => {
    const { phone, sleeper } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const call = a.invite('101', { body: sdp() });
    await refuses(desk, 486);
    await fanout.wake();
    const b = await sleeper();
    await b.register();
    const time = elapsed();
    await refuses(b, 486);
    assert.equal((await call.final).status, 486);
    assert.ok(time() < 5_000, 'it does not wait for the end of the step');
  });

  it('ends at once when a phone declines for everybody (603)', async (t) => {
    const { phone } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const call = a.invite('101', { body: sdp() });
    await fanout.wake();
    const time = elapsed();
    await refuses(desk, 603);
    assert.equal((await call.final).status, 603);
    assert.ok(time() < 5_000);
    assert.equal((await fanout.end()).why, 'cancelled');
  });

  it('that nobody comes for: 480 with the reason, and the push is taken back', async (t) => {
    const { book, phone, device } = await asleep(t, { seconds: RING_S });
    const a = await phone('100', { edge: A });
    const call = a.invite('101', { body: sdp() });
    const reply = await call.final;
    assert.equal(reply.status, 480);
    assert.match(reply.get('Reason') ?? '', /asleep/);
    assert.deepEqual([(await fanout.end()).device, fanout.ends[0].why], [device.id, 'timed out']);
    const { cdr, lines } = await book.over(call.call_id);
    assert.deepEqual([cdr.result, cdr.code, lines.find(({ kind }) => kind === 'wake-ended').text], ['no-answer', 480, 'timeout']);
  });

  it('that nobody comes for goes on to whom it is forwarded to', async (t) => {
    const { phone, book } = await asleep(t, { seconds: RING_S, set: { 101: { ring_seconds: RING_S, forward_no_answer: '102' } } });
    const [a, c] = [await phone('100', { edge: A }), await phone('102', { edge: B })];
    const call = a.invite('101', { body: sdp() });
    await call.ringing(182);
    await hangUp(await answers(call, c, await ringing(c, { deadline_ms: 15_000 })), a);
    assert.equal((await fanout.end()).why, 'timed out');
    assert.equal((await book.over(call.call_id)).cdr.answered_by, '102');
  });

  it('the caller gives up: 487 at once, and the push is taken back; a phone that comes late is not rung', async (t) => {
    const { book, phone, sleeper } = await asleep(t);
    const a = await phone('100', { edge: A });
    const call = a.invite('101', { body: sdp() });
    await call.ringing(182);
    await fanout.wake();
    assert.equal((await call.cancel()).status, 200);
    assert.equal((await call.final).status, 487);
    assert.equal((await fanout.end()).why, 'cancelled');
    const b = await sleeper();
    await book.registered(b);
    assert.ok(!b.has('INVITE'));
    assert.equal((await book.over(call.call_id)).cdr.result, 'cancelled');
  });

  it('the caller gives up while another phone rings: that stops too', async (t) => {
    const { phone } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const call = a.invite('101', { body: sdp() });
    const request = await ringing(desk);
    await fanout.wake();
    await call.ringing(180);
    const time = elapsed();
    await Promise.all([stops(desk, request), call.cancel()]);
    assert.equal((await call.final).status, 487);
    assert.ok(time() < 5_000);
  });

  it('is ended by REST while it waits', async (t) => {
    const { book, phone } = await asleep(t);
    const a = await phone('100', { edge: A });
    const call = a.invite('101', { body: sdp() });
    await call.ringing(182);
    const wake = await fanout.wake();
    const running = await book.running(call.call_id);
    assert.equal(running.id.replaceAll('-', ''), wake.call);
    await book.hangUp(running.id);
    assert.equal((await call.final).status, 487);
    assert.equal((await fanout.end()).why, 'cancelled');
  });
});

describe('two calls to one sleeping phone', () => {
  it('both ring when it registers', async (t) => {
    const { phone, sleeper } = await asleep(t);
    const callers = [await phone('100', { edge: A }), await phone('102', { edge: B })];
    const calls = callers.map((ua) => ua.invite('101', { body: sdp() }));
    for (const { call_id } of calls) await fanout.wake(({ sip_call_id }) => sip_call_id === call_id);
    const b = await sleeper();
    await b.register();
    const rung = [await ringing(b), await ringing(b)];
    assert.deepEqual(rung.map((request) => request.get('From').match(/sip:(\d+)@/)[1]).sort(), ['100', '102']);
    for (const request of rung) b.reply(request, 486);
    for (const call of calls) assert.equal((await call.final).status, 486);
  });

  it('with a wake token the one rings that the token is of, and then the other', async (t) => {
    const { phone, sleeper } = await asleep(t);
    const callers = [await phone('100', { edge: A }), await phone('102', { edge: B })];
    const calls = callers.map((ua) => ua.invite('101', { body: sdp() }));
    const [one, two] = [await fanout.wake(({ caller }) => caller === '100'), await fanout.wake(({ caller }) => caller === '102')];
    assert.notEqual(one.token, two.token);
    const b = await sleeper();
    await b.register({ contact: `${b.contact};belfry-wake=${two.token}` });
    const second = await ringing(b);
    assert.match(second.get('From'), /102@/);
    assert.ok(!JSON.stringify(second).includes(two.token), 'the token stays with us');
    await fanout.end(({ call }) => call === two.call);
    assert.ok(!b.has('INVITE'));
    await b.register({ contact: `${b.contact};belfry-wake=${one.token}` });
    const first = await ringing(b);
    assert.match(first.get('From'), /100@/);
    await b.register({ contact: `${b.contact};belfry-wake=${one.token}` }); // used: it is nothing any more
    for (const request of [first, second]) b.reply(request, 486);
    for (const call of calls) assert.equal((await call.final).status, 486);
    assert.ok(!b.has('INVITE'));
  });
});

describe('who is woken, and who wakes', () => {
  it('a phone that says nothing of itself is rung when it registers; a registered one that refreshes is not rung again', async (t) => {
    const { world, tenant, phone } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const call = a.invite('101', { body: sdp() });
    const at_desk = await ringing(desk);
    await fanout.wake();
    await desk.register();
    const plain = await world.ua(tenant, '101', { edge: B });
    await plain.register();
    await hangUp(await answers(call, plain, await ringing(plain)), a);
    await stops(desk, at_desk);
    assert.ok(!desk.has('INVITE'));
    assert.equal((await fanout.end()).why, 'registered');
  });

  it('a device that is registered is not woken', async (t) => {
    const { phone, sleeper, book } = await asleep(t);
    const [a, b] = [await phone('100', { edge: A }), await sleeper()];
    await book.registered(b);
    const call = a.invite('101', { body: sdp() });
    await refuses(b, 486);
    await call.final;
    assert.equal(fanout.wakes.length, 0);
    assert.ok(fanout.asked.flat().includes('101'));
  });

  it('members of a group are woken; who does not want to be disturbed is not', async (t) => {
    const { phone, world, tenant } = await asleep(t, { numbers: ['100', '101', '102', '103'], set: { 103: { do_not_disturb: true } },
      groups: [{ number: '600', strategy: 'all', members: ['101', '102', '103'], ring_seconds: 20 }] });
    fanout.devices.push({ id: newDevice(), number: '102', device_id: 'phone-of-102' }, { id: newDevice(), number: '103', device_id: 'phone-of-103' });
    const a = await phone('100', { edge: A });
    const call = a.invite('600', { body: sdp() });
    await call.ringing(182);
    await until(() => fanout.wakes.length === 2, { what: 'two are woken' });
    assert.deepEqual(fanout.wakes.map(({ number }) => number).sort(), ['101', '102']);
    const c = await world.ua(tenant, '102', { edge: B });
    await c.register();
    await hangUp(await answers(call, c, await ringing(c)), a);
    assert.deepEqual(await until(() => fanout.ends.length === 2 && fanout.ends.map(({ why }) => why).sort(), { what: 'both ends' }), ['answered', 'registered']);
  });

  it('RFC 8599: the parameters of a REGISTER make a push device, go to nobody else, and wake by pn-prid', async (t) => {
    const { world, tenant, book, phone } = await asleep(t);
    fanout.devices = [];
    const a = await phone('100', { edge: A });
    const open = async () => {
      const ua = await world.ua(tenant, '101', { edge: B, transport: 'tcp' });
      return Object.assign(ua, { contact: ua.contact.replace('>', ';pn-provider=apns;pn-prid=ab%3A12;pn-param=TEAM.app.voip>') });
    };
    const b = await open();
    await book.registered(b);
    assert.deepEqual(await fanout.registered(), { number: '101', provider: 'apns', prid: 'ab:12', param: 'TEAM.app.voip', instance: '' });
    assert.ok(!JSON.stringify(await book.registrations('101')).includes('pn-'), 'REST does not show them');
    const awake = a.invite('101', { body: sdp() });
    const rung = await ringing(b);
    b.reply(rung, 486);
    await awake.final;
    await b.register({ expires_s: 0 });
    fanout.devices = [{ id: newDevice(), number: '101', prid: 'ab:12' }];
    await until(async () => (await book.registrations('101')).length === 0, { what: 'it sleeps' });
    const call = await until(async () => { // what event-fanout said is remembered for some seconds
      const each = a.invite('101', { body: sdp() });
      const first = await Promise.race([each.final, each.ringing(182)]);
      return first.status === 182 ? each : null;
    }, { what: 'a call that waits', deadline_ms: 15_000, every_ms: 300 });
    const again = await open();
    await again.register();
    again.reply(await ringing(again), 486);
    assert.equal((await call.final).status, 486);
  });
});

describe('when parts are away', () => {
  it('the edge that holds a call is killed: what it waited for is taken back', async (t) => {
    const { phone, book } = await asleep(t, { seconds: 60 });
    const a = await phone('100', { edge: B });
    const call = a.invite('101', { body: sdp() });
    await call.ringing(182);
    const wake = await fanout.wake();
    await belfry.kill9(B.name);
    const end = await fanout.end(() => true, { deadline_ms: 40_000 });
    assert.deepEqual([end.call, end.why], [wake.call, 'cancelled']);
    const { cdr } = await book.over(call.call_id, { deadline_ms: 20_000, whole: false });
    assert.equal(cdr.result, 'lost');
  });

  it('event-fanout does not answer: calls go as before, and the timeline says that nobody is woken', async (t) => {
    const { book, phone } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    fanout.hangs = true;
    const time = elapsed();
    const calls = [];
    for (let i = 0; i < 5; i++) {
      const call = a.invite('101', { body: sdp() });
      desk.reply(await desk.incoming('INVITE'), 486);
      assert.equal((await call.final).status, 486);
      calls.push(call);
    }
    const { cdr, lines } = await book.over(calls[0].call_id);
    assert.equal(cdr.local_plan, false);
    assert.match(lines.find(({ kind }) => kind === 'step').text, /event-fanout is away/);
    t.diagnostic(`five calls: ${time().toFixed(0)} ms`);
  });
});
