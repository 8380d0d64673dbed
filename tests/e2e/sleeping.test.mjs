// A sleeping phone, from its REGISTER to the talk, with everything there is: two edges, call-control, event-fanout, and stand-ins
// of Apple, Google and Expo that check what they are given. Each part by itself, with its odd cases: wake.test.mjs, push.test.mjs.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { melody, writeWav } from '../lib/audio.mjs';
import { answers, office, ringing, stops } from '../lib/office.mjs';
import { Providers } from '../lib/providers.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();
const was = { edges: belfry.edges.length };
const RING_S = 2;
let A;
let B;
let providers;

before(async () => {
  await belfry.scale({ edges: 2 });
  await belfry.allWell();
  [A, B] = belfry.edges;
  providers = await Providers.open();
}, { timeout: 180_000 });
after(async () => {
  await providers?.close();
  await belfry.scale(was);
}, { timeout: 180_000 });
afterEach(() => assert.deepEqual(providers.faults.splice(0), []));

/** How an app makes itself known: what its REGISTER says of it, what a push to it is known by. `frozen`: by its system, so it does not say that it sleeps. */
const APPS = {
  'an iPhone (RFC 8599, APNs)': () => {
    const token = randomBytes(32).toString('hex');
    return { token, frozen: true, uri: `pn-provider=apns;pn-prid=${token}:voip;pn-param=TEAM123456.com.example.app.voip`, credentials: { provider: 'apns', apns: providers.apns() } };
  },
  'an Android phone (RFC 8599, FCM)': () => {
    const token = `${randomBytes(8).toString('hex')}:APA91b${randomBytes(60).toString('base64url')}`;
    const fcm = providers.fcm();
    return { token, uri: `pn-provider=fcm;pn-prid=${token};pn-param=${fcm.project_id}`, credentials: { provider: 'fcm', fcm } };
  },
  'an Expo app (POST /push/register)': () => {
    const token = `ExponentPushToken[${randomBytes(11).toString('hex')}]`;
    const id = randomUUID();
    return { token, beside: `+sip.instance="<urn:uuid:${id}>"`, old: { userId: '101', expoPushToken: token, platform: 'android', deviceId: id } };
  },
};

/**
 * An office in which 101's phone has registered at edge B and fallen asleep; `seconds`: how long 101 rings. `wakes(token)`: the
 * phone starts again and registers with a push's wake token.
 */
async function asleep(t, { app = APPS['an Android phone (RFC 8599, FCM)'](), seconds = 20, set = {} } = {}) {
  const room = await office(t, { set: { 101: { ring_seconds: seconds, ...set } } });
  const { world, tenant, base, book } = room;
  if (app.credentials) await tenant.api.ok('POST', `${base}/push-credentials`, app.credentials);
  if (app.old) await tenant.api.ok('POST', '/push/register', app.old);
  const open = async (token) => {
    const ua = await world.ua(tenant, '101', { edge: B, transport: 'tcp' });
    const uri = app.uri ? ua.contact.replace('>', `;${app.uri}>`) : ua.contact;
    return Object.assign(ua, { contact: [uri, app.beside, token && `belfry-wake=${token}`].filter(Boolean).join(';') });
  };
  const wakes = async (token) => {
    const ua = await open(token);
    assert.equal((await ua.register()).status, 200);
    return ua;
  };
  const devices = () => tenant.api.list(`${base}/push-devices`);
  const awake = await open();
  await book.registered(awake);
  const [device] = await until(async () => { const all = await devices(); return all.length > 0 && all; }, { what: 'its push device' });
  if (!app.frozen) await awake.register({ expires_s: 0 });
  await awake.close();
  await until(async () => (await book.registrations('101')).length === 0, { what: 'it is registered no longer', deadline_ms: 30_000 });
  const pushed = (call, type = 'incoming_call') =>
    providers.push(({ token, data }) => token === app.token && data.type === type && data.sip_call_id === call.call_id, { what: `${type} of ${call.call_id} at the provider` });
  const pushes = () => tenant.api.ok('GET', `${base}/push-devices/${device.id}/pushes`).then(({ items }) => items.map(({ kind, result }) => `${kind} ${result}`).reverse());
  return { ...room, device, wakes, pushed, pushes };
}

const woke = (lines) => lines.map(({ kind }) => kind).filter((kind) => /wak|wok|branch$|answered|ended/.test(kind));

describe('a call to a phone that sleeps', () => {
  for (const [kind, app] of Object.entries(APPS)) {
    it(`${kind}: waits on edge A, the push wakes it, it registers on edge B, rings, answers, and both hear each other`, async (t) => {
      const { book, phone, device, wakes, pushed, pushes } = await asleep(t, { app: app() });
      const a = await phone('100', { edge: A });
      const heard = [await RtpEnd.open(), await RtpEnd.open()];
      t.after(() => Promise.all(heard.map((end) => end.close())));
      const time = elapsed();
      const call = a.invite('101', { body: sdp(heard[0]) });
      await call.ringing(182);
      const { data } = await pushed(call);
      const push_ms = time();
      assert.deepEqual([data.number, data.caller, data.callee], ['101', '100', '101']);
      assert.equal((await book.running(call.call_id)).id, data.call_id);
      const b = await wakes(data.wake_token);
      const request = await ringing(b);
      t.diagnostic(`INVITE to push ${push_ms.toFixed(0)} ms, push to ring ${(time() - push_ms).toFixed(0)} ms`);
      assert.ok(!JSON.stringify(request).includes(data.wake_token), 'the token stays with us');
      await call.ringing(180);
      const dialog = await answers(call, b, request, { body: sdp(heard[1]) });
      await Promise.all([heard[0].send(mediaOf(call.reply.body), 20), heard[1].send(mediaOf(request.body), 20)]);
      await until(() => heard.every(({ received }) => received.length > 5), { what: 'media both ways' });
      await hangUp(dialog, a);
      const { cdr, lines } = await book.over(call.call_id);
      assert.deepEqual([cdr.result, cdr.answered_by], ['answered', '101']);
      assert.deepEqual(woke(lines), ['waking', 'woken', 'branch', 'answered', 'ended']);
      assert.equal(lines.find(({ kind }) => kind === 'waking').device, device.id);
      assert.deepEqual(await pushes(), ['wake sent'], 'who came is not told to stop ringing');
    });
  }

  it('that never wakes: 480, and a push that takes the first one back', async (t) => {
    const { book, phone, pushed, pushes } = await asleep(t, { seconds: RING_S });
    const a = await phone('100', { edge: A });
    const call = a.invite('101', { body: sdp() });
    await pushed(call);
    assert.equal((await call.final).status, 480);
    await pushed(call, 'call_cancelled');
    const { cdr, lines } = await book.over(call.call_id);
    assert.deepEqual([cdr.result, cdr.code], ['no-answer', 480]);
    assert.deepEqual(woke(lines), ['waking', 'wake-ended', 'ended']);
    assert.deepEqual(await until(async () => { const all = await pushes(); return all.length > 1 && all; }), ['wake sent', 'cancel sent']);
  });

  it('that never wakes: the call goes on to whom it is forwarded to, and the push is taken back', async (t) => {
    const { book, phone, pushed } = await asleep(t, { seconds: RING_S, set: { forward_no_answer: '102' } });
    const [a, c] = [await phone('100', { edge: A }), await phone('102', { edge: B })];
    const call = a.invite('101', { body: sdp() });
    await pushed(call);
    const request = await ringing(c, { deadline_ms: 15_000 });
    await pushed(call, 'call_cancelled');
    await hangUp(await answers(call, c, request), a);
    assert.equal((await book.over(call.call_id)).cdr.answered_by, '102');
  });

  it('that is answered elsewhere: the push is taken back, and the phone that comes late is not rung', async (t) => {
    const { book, phone, wakes, pushed } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const call = a.invite('101', { body: sdp() });
    const request = await ringing(desk);
    const { data } = await pushed(call);
    const dialog = await answers(call, desk, request);
    await pushed(call, 'call_cancelled');
    const late = await wakes(data.wake_token);
    await book.registered(late);
    await hangUp(dialog, a);
    assert.deepEqual(woke((await book.over(call.call_id)).lines), ['waking', 'branch', 'answered', 'wake-ended', 'ended']);
    assert.ok(!late.has('INVITE'));
  });

  it('and rings at the desk too: when the woken phone answers the desk stops', async (t) => {
    const { book, phone, wakes, pushed } = await asleep(t);
    const [a, desk] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const call = a.invite('101', { body: sdp() });
    const at_desk = await ringing(desk);
    const b = await wakes((await pushed(call)).data.wake_token);
    const request = await ringing(b);
    const [dialog] = await Promise.all([answers(call, b, request), stops(desk, at_desk)]);
    await hangUp(dialog, a);
    assert.equal((await book.over(call.call_id)).cdr.result, 'answered');
  });
});

describe('a real phone', () => {
  it('that was ended is started by the push, rings, and hears the caller', async (t) => {
    const { world, tenant, base, book } = await office(t);
    const app = { token: randomBytes(32).toString('hex'), id: randomUUID() };
    await tenant.api.ok('POST', `${base}/push-credentials`, { provider: 'apns', apns: providers.apns() });
    await tenant.api.ok('POST', `${base}/push-devices`, { number: '101', provider: 'apns', token: app.token, device_id: app.id, platform: 'ios' });
    mkdirSync(world.output, { recursive: true });
    const sounds = [melody(31, 30), melody(32, 30)];
    const files = sounds.map((_, i) => path.join(world.output, `sound-${i}.wav`));
    files.forEach((file, i) => writeWav(file, sounds[i]));
    const account = (user) => ({ user, domain: tenant.domain, password: tenant.passwords[user] });
    const mobile = async () => {
      const phone = await world.phones().add({ ...account('101'), edge: B, transport: 'tcp', sound: files[1], answer: 'manual', instance: app.id });
      await phone.register();
      return phone;
    };
    const first = await mobile();
    await until(async () => (await book.registrations('101')).length === 1, { what: 'it is registered' });
    await first.stop();
    await until(async () => (await book.registrations('101')).length === 0, { what: 'it is registered no longer', deadline_ms: 30_000 });

    const caller = await world.phones().add({ ...account('100'), edge: A, sound: files[0] });
    await caller.register();
    await caller.dial(`sip:101@${tenant.domain}`);
    await providers.push(({ token }) => token === app.token);
    const phone = await mobile();
    await phone.event('CALL_INCOMING');
    await phone.answer();
    const [{ id }] = await Promise.all([caller, phone].map((each) => each.event('CALL_ESTABLISHED')));
    await delay(2000); // the talk
    await caller.hangup();
    await phone.event('CALL_CLOSED');
    for (const [hears, sound] of [[phone, sounds[0]], [caller, sounds[1]]]) {
      const { heard, ...seen } = await hears.hears(sound, 2000);
      assert.ok(seen.match >= 0.95, `${hears.user} heard ${heard.length} samples, ${JSON.stringify(seen)}`);
    }
    const { lines } = await book.over(id);
    assert.deepEqual(woke(lines), ['waking', 'woken', 'branch', 'answered', 'ended']);
  });
});

describe('two calls to one sleeping phone', () => {
  it('are two pushes, and each token brings the call that it came with', async (t) => {
    const { phone, wakes, pushed } = await asleep(t);
    const callers = [await phone('100', { edge: A }), await phone('102', { edge: B })];
    const calls = callers.map((ua) => ua.invite('101', { body: sdp() }));
    const tokens = [];
    for (const call of calls) tokens.push((await pushed(call)).data.wake_token);
    assert.notEqual(tokens[0], tokens[1]);
    const b = await wakes(tokens[1]);
    const second = await ringing(b);
    assert.match(second.get('From'), /sip:102@/);
    const dialog = await answers(calls[1], b, second);
    assert.ok(!b.has('INVITE'), 'the other call waits for its own token');
    await b.register({ contact: b.contact.replace(tokens[1], tokens[0]) });
    const first = await ringing(b);
    assert.match(first.get('From'), /sip:100@/);
    b.reply(first, 486);
    assert.equal((await calls[0].final).status, 486);
    await hangUp(dialog, callers[1]);
  });
});
