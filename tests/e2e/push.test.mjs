// Pushes: devices and credentials by REST, what goes to Expo, Google and Apple when a call waits for a sleeping phone, and
// what their answers do. The providers are stand-ins that check every request (tests/lib/providers.mjs); what call-control
// would publish is published here; sleeping.test.mjs joins them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { assertProblem } from '../lib/api.mjs';
import { Bus, fields, id, message, uuid } from '../lib/bus.mjs';
import { CallBook } from '../lib/calls.mjs';
import { ROOT } from '../lib/instance.mjs';
import { answers, ringing } from '../lib/office.mjs';
import { Providers, hang } from '../lib/providers.mjs';
import { Receiver, verified } from '../lib/receiver.mjs';
import { sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const [INVALID, NOT_FOUND] = [1, 4]; // enum bf_err
const END = { registered: 1, timed_out: 2, answered: 3, cancelled: 4 };
const { belfry, operator } = new World();
let providers;
let bus;

before(async () => {
  providers = await Providers.open();
  bus = await Bus.open(belfry.fanouts[0].bus);
});
after(async () => {
  bus.close();
  await providers.close();
});
afterEach(() => {
  Object.assign(providers, { answer: () => undefined, token_answer: () => undefined, receipts: () => ({ status: 'ok' }), life_s: 3600 });
  assert.deepEqual(providers.faults.splice(0), []);
});

/** A call's id: its first 48 bits are the time. */
function callId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return uuid(bytes);
}

const expoToken = () => `ExponentPushToken[${randomBytes(11).toString('hex')}]`;
const apnsToken = () => randomBytes(32).toString('hex');
const fcmToken = () => `${randomBytes(8).toString('hex')}:APA91b${randomBytes(60).toString('base64url')}`;

function wake(tenant, device, { call = callId(), for_ms = 20_000, caller = '0301234567', caller_name = 'Ada', callee = '101' } = {}) {
  const now = Date.now();
  return { call, entry: message([2, message([1, id(tenant.id)], [2, id(call)], [3, id(device.id)], [4, device.number], [5, caller], [6, caller_name], [7, callee], [8, `sip-${call}`], [9, `wake-${call}`], [10, now], [11, now + for_ms])]) };
}
const wakeEnd = (tenant, call, why, device) => message([3, message([1, id(tenant.id)], [2, id(call)], [3, device && id(device.id)], [4, Date.now()], [5, END[why]])]);
const publish = (...entries) => bus.call('Publish', message([1, entries]));

async function furnished(t, options) {
  const world = new World(t);
  const tenant = await world.tenant(options);
  const base = `/v1/tenants/${tenant.id}`;
  const device = (provider, token, more = {}) => tenant.api.ok('POST', `${base}/push-devices`, { number: '101', provider, token, device_id: randomUUID(), platform: provider === 'apns' ? 'ios' : 'android', ...more });
  const shown = (device) => tenant.api.ok('GET', `${base}/push-devices/${device.id}`);
  const pushes = async (device) => (await tenant.api.ok('GET', `${base}/push-devices/${device.id}/pushes`)).items;
  const attempts = (device, count) => until(async () => { const items = await pushes(device); return items.length >= count && items; }, { what: `${count} attempts in the log`, deadline_ms: 30_000 });
  const credentials = (body) => tenant.api.ok('POST', `${base}/push-credentials`, body);
  return { world, tenant, base, device, shown, pushes, attempts, credentials };
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Which extension a number is now: its id. */
async function extensionOf(tenant, number) {
  const [found] = await belfry.sql('belfry_registry', `SELECT id FROM registry.extension WHERE tenant_id = '${tenant.id}' AND number = '${number}'`);
  return found ?? NOBODY;
}

/** The living devices that a call would find. */
async function devices(tenant, ...numbers) {
  const owners = await Promise.all(numbers.map((number) => extensionOf(tenant, number)));
  return devicesOf(tenant, numbers, owners);
}

async function devicesOf(tenant, numbers, owners) {
  const reply = await bus.call('PushDevices', message([1, id(tenant.id)], [2, numbers], [3, owners.map(id)]));
  return (reply.get(1) ?? []).map(fields).map((each) => ({ id: uuid(each.get(1)[0]), number: `${each.get(2)[0]}`, provider: `${each.get(3)[0]}`, device_id: `${each.get(5)[0]}`, prid: `${each.get(6)?.[0] ?? ''}` }));
}

describe('push devices', () => {
  it('are made, shown without their token, found by calls, and deleted', async (t) => {
    const { tenant, base, device, shown } = await furnished(t);
    const token = expoToken();
    const made = await device('expo', token, { device_id: 'phone-1' });
    assert.deepEqual([made.number, made.provider, made.device_id, made.status, made.token_end], ['101', 'expo', 'phone-1', 'alive', token.slice(-6)]);
    assert.ok(!JSON.stringify(await shown(made)).includes(token));
    const again = await device('expo', expoToken(), { device_id: 'phone-1' });
    assert.equal(again.id, made.id, 'the same device with a new token');
    const other = await device('fcm', fcmToken(), { number: '100' });
    assert.deepEqual((await devices(tenant, '100', '101', '777')).map((each) => each.id).sort(), [made.id, other.id].sort());
    assert.deepEqual((await tenant.api.list(`${base}/push-devices`, { limit: 1 })).map((each) => each.id).sort(), [made.id, other.id].sort());
    assert.deepEqual((await tenant.api.ok('GET', `${base}/push-devices?number=100`)).items.map((each) => each.id), [other.id]);
    assert.equal((await tenant.api.delete(`${base}/push-devices/${made.id}`)).status, 204);
    assertProblem(await tenant.api.get(`${base}/push-devices/${made.id}`), { status: 404 });
    assert.deepEqual((await devices(tenant, '101')), []);
  });

  it('a phone that changes hands belongs to the new number alone', async (t) => {
    const { tenant, base, device } = await furnished(t);
    const token = fcmToken();
    const before_ = await device('fcm', token, { number: '100', device_id: 'tablet' });
    const now = await device('fcm', token, { number: '101', device_id: 'tablet' });
    assertProblem(await tenant.api.get(`${base}/push-devices/${before_.id}`), { status: 404 });
    assert.deepEqual((await devices(tenant, '100', '101')).map((each) => each.id), [now.id]);
  });

  it('what is none is refused by its field', async (t) => {
    const { tenant, base } = await furnished(t);
    const good = { number: '101', provider: 'expo', token: expoToken(), device_id: 'a', platform: 'ios' };
    for (const [field, value] of [['number', '999'], ['number', 'a b'], ['provider', 'wns'], ['token', 'ExponentPushToken['], ['device_id', 'a b'], ['platform', 'symbian'], ['topic', 'a/b']]) {
      assertProblem(await tenant.api.post(`${base}/push-devices`, { ...good, [field]: value }), { status: 400, field });
    }
    assertProblem(await tenant.api.post(`${base}/push-devices`, { ...good, provider: 'apns', token: 'zz'.repeat(32) }), { status: 400, field: 'token' });
  });

  it('twenty of a number are enough', async (t) => {
    const { tenant, base, device } = await furnished(t);
    for (let i = 0; i < 20; i++) await device('expo', expoToken());
    assertProblem(await tenant.api.post(`${base}/push-devices`, { number: '101', provider: 'expo', token: expoToken(), device_id: 'one-more', platform: 'ios' }), { status: 409 });
  });

  it('a REGISTER with RFC 8599 parameters makes one, and repeating is free', async (t) => {
    const { tenant, shown } = await furnished(t);
    const prid = `${apnsToken()}:voip`;
    const owner = await extensionOf(tenant, '101');
    const register = (extension = owner) => bus.call('RegisterPush', message([1, id(tenant.id)], [2, '101'], [3, 'apns'], [4, prid], [5, 'TEAM123456.com.example.app.voip'], [6, '<urn:uuid:1>'], [7, 'Linphone'], [8, id(extension)]));
    const device = { id: uuid((await register()).get(1)[0]) };
    assert.equal(uuid((await register()).get(1)[0]), device.id);
    const [found] = await devices(tenant, '101');
    assert.deepEqual(found, { id: device.id, number: '101', provider: 'apns', device_id: '<urn:uuid:1>', prid });
    assert.deepEqual([(await shown(device)).topic, (await shown(device)).source, (await shown(device)).platform], ['com.example.app.voip', 'sip', 'ios']);
    await assert.rejects(bus.call('RegisterPush', message([1, id(tenant.id)], [2, '101'], [3, 'webpush'], [4, 'x'], [8, id(owner)])), { status: INVALID });
    await assert.rejects(bus.call('RegisterPush', message([1, id(tenant.id)], [2, '101'], [3, 'apns'], [4, prid])), { status: INVALID });
    await assert.rejects(register(randomUUID()), { status: NOT_FOUND });
    assert.equal((await devices(tenant, '101')).length, 1);
  });
});

describe('a push device belongs to its extension', () => {
  const kept = (tenant) => belfry.sql('belfry_events', `SELECT number || ' ' || device_id FROM events.push_device WHERE tenant_id = '${tenant.id}' ORDER BY 1`);
  const gone = (tenant, what) => until(async () => (await kept(tenant)).length === 0, { what: `no push device of ${what} is left`, deadline_ms: 30_000 });
  const remake = (tenant, number) => tenant.api.ok('POST', `/v1/tenants/${tenant.id}/extensions`, { number, kind: 'softphone' });

  it('and goes with it; whoever gets the number next has none', async (t) => {
    const { tenant, base, device } = await furnished(t);
    const phone = await device('apns', apnsToken(), { device_id: 'old' });
    const other = await device('expo', expoToken(), { number: '100', device_id: 'other' });
    const former = await extensionOf(tenant, '101');
    assert.equal((await tenant.api.delete(`${base}/extensions/101`)).status, 204);
    await until(async () => (await tenant.api.get(`${base}/push-devices/${phone.id}`)).status === 404, { what: 'it went', deadline_ms: 30_000 });
    assert.deepEqual(await kept(tenant), ['100 other']);
    assertProblem(await tenant.api.post(`${base}/push-devices`, { number: '101', provider: 'expo', token: expoToken(), device_id: 'a', platform: 'ios' }), { status: 400, field: 'number' });
    assert.deepEqual(await devicesOf(tenant, ['101', '101', '777'], [former, NOBODY, NOBODY]), []);
    await remake(tenant, '101');
    assert.deepEqual(await devices(tenant, '100', '101'), [{ id: other.id, number: '100', provider: 'expo', device_id: 'other', prid: '' }]);
    const now = await device('apns', apnsToken(), { device_id: 'new' });
    assert.deepEqual((await devices(tenant, '101')).map((each) => each.id), [now.id]);
  });

  it('a number that is deleted and made again at once: neither its devices nor what its phone says late count', async (t) => {
    const { tenant, base, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    await device('apns', apnsToken(), { device_id: 'old' });
    const former = await extensionOf(tenant, '101');
    for (let i = 0; i < 3; i++) {
      await tenant.api.delete(`${base}/extensions/101`);
      await remake(tenant, '101');
      assert.deepEqual(await devices(tenant, '101'), []);
    }
    await assert.rejects(bus.call('RegisterPush', message([1, id(tenant.id)], [2, '101'], [3, 'apns'], [4, apnsToken()], [5, 'T.a.b'], [6, 'late'], [8, id(former)])), { status: NOT_FOUND });
    const phone = await device('apns', apnsToken(), { device_id: 'new' });
    assert.deepEqual(await kept(tenant), ['101 new'], 'the next owner has the number for himself');
    const { call, entry } = wake(tenant, phone);
    await publish(entry);
    await attempts(phone, 1);
    assert.equal(providers.got.filter(({ data }) => data.call_id === call).length, 1);
  });

  it('what was deleted while event-fanout was away has gone when it is back, with a whole tenant too', async (t) => {
    const { world, tenant, base, device } = await furnished(t);
    const [closed, stays] = [await furnished(t), await furnished(t)];
    await device('expo', expoToken(), { device_id: 'old' });
    for (const each of [closed, stays]) await each.device('expo', expoToken(), { device_id: 'kept' });
    for (const { name } of belfry.fanouts) await belfry.stop(name);
    try {
      await tenant.api.delete(`${base}/extensions/101`);
      await remake(tenant, '101');
      await world.operator.delete(closed.base);
    } finally {
      for (const { name } of belfry.fanouts) await belfry.start(name);
      await belfry.allWell();
      bus.close();
      bus = await Bus.open(belfry.fanouts[0].bus);
    }
    await gone(tenant, 'the number that was made again');
    await gone(closed.tenant, 'the tenant');
    assert.deepEqual(await kept(stays.tenant), ['101 kept']);
  });

  it('of a tenant that is deleted none is left; of one that is suspended all stay', async (t) => {
    const { world, tenant, base, device } = await furnished(t);
    const asleep = await furnished(t);
    for (const number of ['100', '101']) await device('expo', expoToken(), { number });
    await asleep.device('expo', expoToken(), { device_id: 'kept' });
    await world.operator.ok('PATCH', asleep.base, { status: 'suspended' });
    await world.operator.delete(base);
    await gone(tenant, 'the tenant');
    assert.deepEqual(await kept(asleep.tenant), ['101 kept']);
  });

  it('a group has no devices', async (t) => {
    const { tenant, base } = await furnished(t);
    await tenant.api.ok('POST', `${base}/groups`, { number: '600', strategy: 'all', members: ['100'] });
    assertProblem(await tenant.api.post(`${base}/push-devices`, { number: '600', provider: 'expo', token: expoToken(), device_id: 'a', platform: 'ios' }), { status: 400, field: 'number' });
  });
});

describe('POST /push/register, as old apps call it', () => {
  const body = (tenant, more = {}) => ({ userId: '101', expoPushToken: expoToken(), platform: 'ios', deviceId: 'E2C5-7', ...more });

  it('with a key, or by the domain', async (t) => {
    const { tenant } = await furnished(t);
    const nobody = operator.as(null);
    assert.deepEqual(await tenant.api.ok('POST', '/push/register', body(tenant)), { ok: true });
    assert.deepEqual(await nobody.ok('POST', '/push/register', body(tenant, { userId: `100@${tenant.domain}`, deviceId: 'other' })), { ok: true });
    const found = await devices(tenant, '100', '101');
    assert.deepEqual(found.map(({ number, provider, device_id }) => [number, provider, device_id]), [['100', 'expo', 'other'], ['101', 'expo', 'E2C5-7']]);
  });

  it('is refused for users that are none, tokens that are none, and more than it knows', async (t) => {
    const { tenant } = await furnished(t);
    const nobody = operator.as(null);
    assertProblem(await nobody.post('/push/register', body(tenant)), { status: 400, field: 'userId' });
    assertProblem(await nobody.post('/push/register', body(tenant, { userId: `999@${tenant.domain}` })), { status: 400, field: 'userId' });
    assertProblem(await tenant.api.post('/push/register', body(tenant, { userId: '999' })), { status: 400, field: 'userId' });
    assertProblem(await tenant.api.post('/push/register', body(tenant, { expoPushToken: 'x' })), { status: 400, field: 'expoPushToken' });
    assertProblem(await tenant.api.post('/push/register', body(tenant, { admin: true })), { status: 400, field: 'admin' });
    assertProblem(await operator.post('/push/register', body(tenant)), { status: 403 });
    assertProblem(await operator.as('bfk_nonsense').post('/push/register', body(tenant)), { status: 401 });
  });
});

describe('POST /push/register with an app token', () => {
  const body = (more = {}) => ({ userId: '101', expoPushToken: expoToken(), platform: 'ios', deviceId: 'E2C5-7', ...more });
  const app = async (tenant, number, more = {}) => operator.as((await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/tokens`, { number, ...more })).token);

  it("an app registers a device of its own extension, and of no other's", async (t) => {
    const { tenant } = await furnished(t);
    const stranger = await furnished(t);
    const mine = await app(tenant, '101');
    assert.deepEqual(await mine.ok('POST', '/push/register', body()), { ok: true });
    assert.deepEqual(await mine.ok('POST', '/push/register', body({ userId: `101@${tenant.domain}`, deviceId: 'tablet' })), { ok: true });
    for (const userId of ['100', `100@${tenant.domain}`, `101@${stranger.tenant.domain}`, '101@nowhere.example', '', '101 ']) {
      const answer = await mine.post('/push/register', body({ userId }));
      assert.ok(answer.status === 403 || (userId === '' && answer.status === 400), `${userId}: ${answer.status}`);
      assertProblem(answer, { status: answer.status, field: 'userId' });
    }
    assert.deepEqual((await devices(tenant, '100', '101')).map(({ number, device_id }) => [number, device_id]), [['101', 'E2C5-7'], ['101', 'tablet']]);
    assert.deepEqual(await devices(stranger.tenant, '101'), []);
    assertProblem(await mine.post('/push/register', body({ expoPushToken: 'x' })), { status: 400, field: 'expoPushToken' });
    assertProblem(await mine.get(`/v1/tenants/${tenant.id}/push-devices`), { status: 401 });
  });

  it('is refused when it is no token of ours, too old, or of an extension or tenant that is gone', async (t) => {
    const { world, tenant, base } = await furnished(t);
    const [mine, brief, kept] = [await app(tenant, '101'), await app(tenant, '101', { expires_in_seconds: 1 }), await app(tenant, '100')];
    const [header, claims, signature] = mine.key.split('.');
    const forged = Buffer.from(claims, 'base64url').toString().replace('"101"', '"100"');
    for (const key of [`${header}.${Buffer.from(forged).toString('base64url')}.${signature}`, `${header}.${claims}.`, 'a.b.c']) {
      assertProblem(await operator.as(key).post('/push/register', body()), { status: 401 });
    }
    await until(async () => (await brief.post('/push/register', body())).status === 401, { what: 'it is too old', every_ms: 100 });
    await tenant.api.delete(`${base}/extensions/101`);
    assertProblem(await mine.post('/push/register', body()), { status: 401 });
    await tenant.api.ok('POST', `${base}/extensions`, { number: '101', kind: 'softphone' });
    assertProblem(await mine.post('/push/register', body()), { status: 401 });
    assert.deepEqual(await devices(tenant, '101'), [], "the number's former owner gets nothing of it");
    await world.operator.ok('PATCH', base, { status: 'suspended' });
    assertProblem(await kept.post('/push/register', body({ userId: '100' })), { status: 403 });
  });
});

describe('push credentials', () => {
  it('are kept, and nothing secret of them is ever shown', async (t) => {
    const { tenant, base, credentials } = await furnished(t);
    const apns = providers.apns();
    const made = await credentials({ provider: 'apns', apns });
    assert.deepEqual(made.account, { team_id: apns.team_id, key_id: apns.key_id, topic: apns.topic, environment: 'production' });
    const fcm = providers.fcm();
    await credentials({ provider: 'fcm', fcm });
    await credentials({ provider: 'expo', expo: { access_token: 'expo-secret' } });
    const list = await tenant.api.get(`${base}/push-credentials`);
    assert.equal(list.body.items.length, 3);
    assert.ok(list.body.items.every(({ usable }) => usable));
    for (const secret of ['PRIVATE KEY', 'expo-secret']) assert.ok(!list.text.includes(secret));
    const replaced = await credentials({ provider: 'apns', apns: providers.apns('OTHERTEAM1') });
    assert.deepEqual([replaced.id, replaced.account.team_id], [made.id, 'OTHERTEAM1']);
    assert.equal((await tenant.api.delete(`${base}/push-credentials/${made.id}`)).status, 204);
    assertProblem(await tenant.api.delete(`${base}/push-credentials/${made.id}`), { status: 404 });
  });

  it('that cannot sign are refused at once', async (t) => {
    const { tenant, base } = await furnished(t);
    const [apns, fcm] = [providers.apns(), providers.fcm()];
    const post = (body) => tenant.api.post(`${base}/push-credentials`, body);
    assertProblem(await post({ provider: 'apns', apns: { ...apns, private_key: fcm.private_key } }), { status: 400, field: 'apns.private_key' });
    assertProblem(await post({ provider: 'fcm', fcm: { ...fcm, private_key: apns.private_key } }), { status: 400, field: 'fcm.private_key' });
    assertProblem(await post({ provider: 'expo', expo: { access_token: 'a\r\nx: y' } }), { status: 400, field: 'expo.access_token' });
    assertProblem(await post({ provider: 'apns', fcm }), { status: 400, field: 'apns' });
    assertProblem(await post({ provider: 'apns', apns, fcm }), { status: 400, field: 'fcm' });
    assertProblem(await post({ provider: 'apns', apns: { ...apns, environment: 'moon' } }), { status: 400, field: 'apns.environment' });
    assertProblem(await tenant.api.post('/v1/push-credentials', { provider: 'apns', apns }), { status: 403 });
  });
});

describe('a call waits for an iPhone', () => {
  it('it gets a VoIP push, and a cancel push when nobody waits any more', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const { call, entry } = wake(tenant, phone);
    await publish(entry);
    const push = await providers.push(({ data }) => data.call_id === call);
    assert.equal(push.headers['apns-topic'], 'com.example.app.voip');
    assert.deepEqual([push.data.type, push.data.caller, push.data.caller_name, push.data.callee, push.data.number], ['incoming_call', '0301234567', 'Ada', '101', '101']);
    assert.deepEqual([push.data.sip_call_id, push.data.wake_token], [`sip-${call}`, `wake-${call}`]);
    assert.ok(Date.parse(push.data.until) > Date.now());
    await publish(wakeEnd(tenant, call, 'timed_out'));
    const cancel = await providers.push(({ data }) => data.call_id === call && data.type === 'call_cancelled');
    assert.equal(cancel.data.wake_token, undefined);
    assert.equal(cancel.headers['apns-collapse-id'], push.headers['apns-collapse-id']);
    const log = await attempts(phone, 2);
    assert.deepEqual(log.map(({ kind, result, code }) => [kind, result, code]), [['cancel', 'sent', 200], ['wake', 'sent', 200]]);
    assert.deepEqual([log[1].call_id, log[1].push_id], [call, push.headers['apns-id']]);
  });

  it('a device that came, or never got a push, is sent no cancel', async (t) => {
    const { tenant, device, credentials, attempts, pushes } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const [came, refused, last] = [await device('apns', apnsToken()), await device('apns', apnsToken()), await device('apns', apnsToken())];
    const tokenOf = new Map();
    providers.answer = ({ token, data }) => { tokenOf.set(data.call_id, token); return token.endsWith(refused.token_end) ? { status: 400, body: { reason: 'PayloadEmpty' } } : undefined; };
    const calls = [wake(tenant, came), wake(tenant, refused), wake(tenant, last)];
    await publish(...calls.map(({ entry }) => entry));
    await Promise.all([came, refused, last].map((each) => attempts(each, 1)));
    await publish(wakeEnd(tenant, calls[0].call, 'registered', came), wakeEnd(tenant, calls[1].call, 'cancelled'), wakeEnd(tenant, calls[2].call, 'answered'));
    await attempts(last, 2); // in the same transaction as the others, and after them
    assert.deepEqual((await pushes(came)).map(({ kind }) => kind), ['wake']);
    assert.deepEqual((await pushes(refused)).map(({ kind, result, detail }) => [kind, result, detail]), [['wake', 'dropped', 'PayloadEmpty']]);
  });

  it('published twice it is pushed once; ended twice it is cancelled once', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const { call, entry } = wake(tenant, phone);
    await Promise.all([publish(entry), publish(entry, entry)]);
    await attempts(phone, 1);
    await publish(entry);
    await publish(wakeEnd(tenant, call, 'cancelled'));
    await attempts(phone, 2);
    await publish(entry, wakeEnd(tenant, call, 'cancelled'), wakeEnd(tenant, call, 'timed_out', phone));
    const marker = wake(tenant, phone);
    await publish(marker.entry);
    await providers.push(({ data }) => data.call_id === marker.call);
    assert.deepEqual(providers.got.filter(({ data }) => data.call_id === call).map(({ data }) => data.type), ['incoming_call', 'call_cancelled']);
  });

  it('two calls to one sleeping phone are two pushes', async (t) => {
    const { tenant, device, credentials } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const [one, two] = [wake(tenant, phone), wake(tenant, phone)];
    await publish(one.entry, two.entry);
    for (const { call } of [one, two]) await providers.push(({ data }) => data.call_id === call);
  });

  it("the operator's credentials serve tenants that have none; sandbox and the device's own topic", async (t) => {
    const { world, tenant, device, credentials } = await furnished(t);
    const shared = await operator.ok('POST', '/v1/push-credentials', { provider: 'apns', name: 'org.shared.app', apns: providers.apns('OPERATOR01', { environment: 'sandbox' }) });
    world.onClose(() => operator.delete(`/v1/push-credentials/${shared.id}`));
    const phone = await device('apns', apnsToken(), { topic: 'org.shared.app.voip' });
    const first = wake(tenant, phone);
    await publish(first.entry);
    const push = await providers.push(({ data }) => data.call_id === first.call);
    assert.deepEqual([push.sandbox, push.headers['apns-topic']], [true, 'org.shared.app.voip']);
    await credentials({ provider: 'apns', apns: providers.apns('TENANTOWN1') });
    const second = wake(tenant, phone);
    await publish(second.entry);
    assert.equal((await providers.push(({ data }) => data.call_id === second.call)).sandbox, false, "the tenant's own come first");
    assertProblem(await tenant.api.get('/v1/push-credentials'), { status: 403 });
  });

  it('one token of ours serves many pushes', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    providers.bearers.clear();
    for (let i = 1; i <= 5; i++) {
      await publish(wake(tenant, phone).entry);
      await attempts(phone, i);
    }
    assert.equal(providers.bearers.size, 1);
  });

  it('without credentials the log and a webhook say so', async (t) => {
    const { world, tenant, base, device, attempts } = await furnished(t);
    const receiver = await Receiver.open();
    world.onClose(() => receiver.close());
    const webhook = await tenant.api.ok('POST', `${base}/webhooks`, { url: receiver.url(), events: ['push.*'] });
    const phone = await device('apns', apnsToken());
    const { call, entry } = wake(tenant, phone);
    await publish(entry);
    assert.match((await attempts(phone, 1))[0].detail, /no credentials for apns/);
    const told = await receiver.event(({ type }) => type === 'push.failed');
    assert.ok(verified(told, webhook.secret));
    assert.deepEqual([told.event.call_id, told.event.data.number, told.event.data.provider, told.event.data.kind], [call, '101', 'apns', 'wake']);
  });
});

describe('a call waits for an Android phone', () => {
  it('through FCM, with one access token for many', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'fcm', fcm: providers.fcm() });
    const phone = await device('fcm', fcmToken());
    const given = providers.tokens_given;
    const { call, entry } = wake(tenant, phone);
    await publish(entry, wake(tenant, phone).entry);
    const push = await providers.push(({ data }) => data.call_id === call);
    assert.deepEqual([push.provider, push.data.type, push.data.wake_token], ['fcm', 'incoming_call', `wake-${call}`]);
    const log = await attempts(phone, 2);
    assert.match(log[0].push_id, /^projects\/.*\/messages\//);
    await publish(wakeEnd(tenant, call, 'cancelled'));
    await providers.push(({ data }) => data.call_id === call && data.type === 'call_cancelled');
    assert.equal(providers.tokens_given, given + 1);
  });

  it('an access token that Google forgot is replaced', async (t) => {
    const { tenant, device, credentials } = await furnished(t);
    await credentials({ provider: 'fcm', fcm: providers.fcm() });
    const phone = await device('fcm', fcmToken());
    const first = wake(tenant, phone);
    await publish(first.entry);
    await providers.push(({ data }) => data.call_id === first.call);
    providers.forget_access();
    const second = wake(tenant, phone);
    await publish(second.entry);
    await providers.push(({ data }) => data.call_id === second.call);
  });

  it('credentials that Google refuses end the push and are named', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'fcm', fcm: providers.fcm() });
    const phone = await device('fcm', fcmToken());
    providers.token_answer = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } });
    await publish(wake(tenant, phone).entry);
    const [attempt] = await attempts(phone, 1);
    assert.deepEqual([attempt.result, /invalid_grant: Invalid JWT Signature/.test(attempt.detail)], ['dropped', true]);
  });
});

describe('a call waits for Expo apps', () => {
  it('many devices go in one request, each with its own ticket; receipts are asked for', async (t) => {
    const { tenant, device, attempts, shown, base } = await furnished(t);
    const phones = [];
    for (const number of ['100', '101']) for (let i = 0; i < 15; i++) phones.push(await device('expo', expoToken(), { number }));
    const [dead, quick, late] = phones;
    let late_ticket;
    providers.batches.length = 0;
    providers.answer = ({ token, nth }) => {
      if (token.endsWith(dead.token_end)) return { ticket: { status: 'error', message: 'not a registered recipient', details: { error: 'DeviceNotRegistered' } } };
      if (token.endsWith(quick.token_end) && nth === 1) return { ticket: { status: 'error', message: 'slower', details: { error: 'MessageRateExceeded' } } };
      if (token.endsWith(late.token_end)) return { ticket: { status: 'ok', id: (late_ticket = randomUUID()) } };
      return undefined;
    };
    providers.receipts = (ticket) => (ticket === late_ticket ? { status: 'error', message: 'gone', details: { error: 'DeviceNotRegistered' } } : { status: 'ok' });
    const call = callId();
    await publish(...phones.map((each) => wake(tenant, each, { call }).entry));
    await Promise.all(phones.map((each) => attempts(each, each === quick ? 2 : 1)));
    assert.equal(providers.batches[0], 30);
    assert.deepEqual([(await shown(dead)).status, (await shown(quick)).status], ['dead', 'alive']);
    assert.match((await shown(dead)).why, /DeviceNotRegistered/);
    await until(async () => (await attempts(phones[5], 1))[0].result === 'delivered', { what: 'a receipt', deadline_ms: 30_000 });
    await until(async () => (await shown(late)).status === 'dead', { what: 'the receipt of a dead device', deadline_ms: 30_000 });
    const living = (await devices(tenant, '100', '101')).map((each) => each.id);
    assert.ok(!living.includes(dead.id) && !living.includes(late.id) && living.includes(quick.id));
    const revived = await tenant.api.ok('POST', `${base}/push-devices`, { number: dead.number, provider: 'expo', token: expoToken(), device_id: dead.device_id, platform: 'android' });
    assert.deepEqual([revived.id, revived.status], [dead.id, 'alive']);
  });

  it('a message that spoils the request for all is found by sending each alone', async (t) => {
    const { tenant, device, attempts } = await furnished(t);
    const [bad, good] = [await device('expo', expoToken()), await device('expo', expoToken())];
    providers.answer = ({ token }) => (token.endsWith(bad.token_end) ? { status: 400, body: { errors: [{ code: 'VALIDATION_ERROR', message: 'to is none' }] } } : undefined);
    await publish(wake(tenant, bad).entry, wake(tenant, good).entry);
    assert.equal((await attempts(good, 1))[0].result, 'sent');
    assert.deepEqual((await attempts(bad, 1)).map(({ result, detail }) => [result, detail]), [['dropped', 'VALIDATION_ERROR: to is none']]);
  });
});

describe("what a provider answered, in the call's timeline", () => {
  const isPush = ({ kind }) => kind.startsWith('push.');
  const lines = async (tenant, call) => {
    const answer = await operator.get(`/v1/tenants/${tenant.id}/calls/${call}/timeline`);
    return answer.status === 404 ? [] : answer.body.items;
  };
  const told = (tenant, call, count) => until(async () => { const all = (await lines(tenant, call)).filter(isPush); return all.length >= count && all; }, { what: `${count} lines of pushes`, deadline_ms: 30_000 });
  const untold = () => belfry.sql('belfry_events', 'SELECT position FROM events.push_line');

  it('stands between the wait and the phone that came, and belfryctl shows it', async (t) => {
    const { world, tenant, device, credentials } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const token = apnsToken();
    const phone = await device('apns', token, { device_id: 'phone-of-101' });
    const book = new CallBook(operator, tenant);
    const a = await book.registered(await world.ua(tenant, '100'));
    const call = a.invite('101', { body: sdp() });
    const push = await providers.push(({ data }) => data.sip_call_id === call.call_id);
    const b = await world.ua(tenant, '101', { transport: 'tcp' });
    assert.equal((await b.register({ contact: `${b.contact};belfry-wake=${push.data.wake_token}` })).status, 200);
    const request = await ringing(b);
    await hangUp(await answers(call, b, request), a);
    const { cdr } = await book.over(call.call_id);
    await told(tenant, cdr.id, 1);
    const story = await lines(tenant, cdr.id);
    assert.deepEqual(story.map(({ kind }) => kind).filter((kind) => /wak|wok|push|branch$|answered|ended/.test(kind)), ['waking', 'push.sent', 'woken', 'branch', 'answered', 'ended']);
    const [line] = story.filter(isPush);
    assert.deepEqual([line.number, line.device, line.code, line.text], ['101', phone.id, 200, `apns took the wake push: ${push.headers['apns-id']}`]);
    assert.ok(!JSON.stringify(story).includes(token));
    const program = path.join(ROOT, 'build', process.env.BUILD ?? 'release', 'bin/belfryctl');
    const out = execFileSync(program, ['why', cdr.id], { encoding: 'utf8', env: { BELFRY_API: belfry.api, BELFRY_KEY: tenant.key } });
    assert.match(out, new RegExp(`101 \\(${phone.id}\\) is pushed to: 200 apns took the wake push: `));
  });

  it('a refusal, in the words of the provider without the token, and the cancel push', async (t) => {
    const { tenant, device, credentials } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const [expo, apns] = [expoToken(), apnsToken()];
    const [dead, alive] = [await device('expo', expo), await device('apns', apns)];
    providers.answer = ({ token }) => (token === expo ? { ticket: { status: 'error', message: `"${expo}" is not a registered push notification recipient`, details: { error: 'DeviceNotRegistered' } } } : undefined);
    const [one, two] = [wake(tenant, dead), wake(tenant, alive)];
    await publish(one.entry, two.entry);
    const [refused] = await told(tenant, one.call, 1);
    assert.deepEqual([refused.kind, refused.device, refused.code], ['push.failed', dead.id, 200]);
    assert.match(refused.text, /^expo refused the wake push: DeviceNotRegistered: "ExponentPushToken\[\]" is not a registered/);
    await told(tenant, two.call, 1);
    await publish(wakeEnd(tenant, two.call, 'cancelled'));
    const both = await told(tenant, two.call, 2);
    assert.deepEqual(both.map(({ kind, text }) => [kind, /the (wake|cancel) push/.exec(text)[1]]), [['push.sent', 'wake'], ['push.sent', 'cancel']]);
    const kept = await belfry.sql('belfry_events', `SELECT body FROM events.event WHERE tenant_id = '${tenant.id}' UNION ALL SELECT detail FROM events.push_attempt WHERE tenant_id = '${tenant.id}' UNION ALL SELECT why FROM events.push_device WHERE tenant_id = '${tenant.id}'`);
    assert.ok(kept.length >= 5 && !kept.some((text) => text.includes(expo.slice(18, -1)) || text.includes(apns)), kept.join('\n'));
  });

  it('once, though call-control is away for a while and event-fanout is killed meanwhile', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const calls = [];
    for (const { name } of belfry.controls) await belfry.stop(name);
    try {
      for (let i = 1; i <= 3; i++) {
        const { call, entry } = wake(tenant, phone);
        await publish(entry);
        await attempts(phone, i);
        calls.push(call);
      }
      await until(async () => (await untold()).length === 3, { what: 'they wait' });
      for (const { name } of belfry.fanouts) await belfry.kill9(name);
      for (const { name } of belfry.fanouts) await until(() => belfry.ready(name), { what: `${name} is back`, deadline_ms: 30_000 });
    } finally {
      for (const { name } of belfry.controls) await belfry.start(name);
      await belfry.allWell();
      bus.close();
      bus = await Bus.open(belfry.fanouts[0].bus);
    }
    for (const call of calls) assert.equal((await told(tenant, call, 1)).length, 1);
    await until(async () => (await untold()).length === 0, { what: 'nothing waits any more', deadline_ms: 30_000 });
    // A line whose acknowledgement was lost is told again, and stays one.
    for (const { name } of belfry.controls) await belfry.stop(name);
    const { call, entry } = wake(tenant, phone);
    await publish(entry);
    await attempts(phone, 4);
    await belfry.sql('belfry_events', 'INSERT INTO events.push_line (tenant_id, call, line) SELECT tenant_id, call, line FROM events.push_line');
    for (const { name } of belfry.controls) await belfry.start(name);
    await until(async () => (await untold()).length === 0, { what: 'both were taken', deadline_ms: 30_000 });
    assert.equal((await told(tenant, call, 1)).length, 1);
  });
});

describe('when a provider is in trouble', () => {
  async function tried(t, answer, options) {
    const office = await furnished(t);
    await office.credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await office.device('apns', apnsToken());
    providers.answer = answer;
    const made = wake(office.tenant, phone, options);
    await publish(made.entry);
    return { ...office, phone, ...made };
  }

  it('503, 429 and silence are tried again', async (t) => {
    const { attempts, phone } = await tried(t, ({ nth }) => [{ status: 503, body: { reason: 'ServiceUnavailable' } }, { status: 429, body: { reason: 'TooManyRequests' }, headers: { 'retry-after': '1' } }, hang][nth - 1]);
    const log = await attempts(phone, 4);
    assert.deepEqual(log.map(({ attempt, result, code }) => [attempt, result, code]).reverse(), [[1, 'retry', 503], [2, 'retry', 429], [3, 'retry', 0], [4, 'sent', 200]]);
    assert.ok(Date.parse(log[1].at) - Date.parse(log[2].at) >= 900, 'Retry-After is honoured');
  });

  it('but not longer than the call waits', async (t) => {
    const { attempts, phone, call, tenant } = await tried(t, () => ({ status: 500, body: { reason: 'InternalServerError' } }), { for_ms: 3_000 });
    const last = await until(async () => (await attempts(phone, 1)).find(({ result }) => result === 'dropped'), { what: 'the push is given up', deadline_ms: 20_000 });
    assert.match(last.detail, /no time left/);
    assert.ok(providers.got.filter(({ data }) => data.call_id === call).length >= 2);
    assert.equal((await devices(tenant, '101')).length, 1, 'the device is not to blame');
  });

  it('a token that is dead is dead, whatever was said before', async (t) => {
    const { attempts, shown, phone, tenant } = await tried(t, ({ nth }) => (nth === 1 ? { status: 503, body: {} } : { status: 410, body: { reason: 'Unregistered', timestamp: Date.now() + 5_000 } }));
    assert.equal((await attempts(phone, 2))[0].result, 'token-dead');
    assert.deepEqual([(await shown(phone)).status, (await shown(phone)).why], ['dead', 'Unregistered']);
    assert.deepEqual(await devices(tenant, '101'), []);
  });

  it('a device that registered after Apple found it gone lives on', async (t) => {
    const { attempts, shown, phone } = await tried(t, () => ({ status: 410, body: { reason: 'Unregistered', timestamp: Date.now() - 3_600_000 } }));
    await attempts(phone, 1);
    assert.equal((await shown(phone)).status, 'alive');
  });

  it('a wake that ends while its push is under way is cancelled behind it', async (t) => {
    const answers = [];
    const { tenant, call, attempts, phone } = await tried(t, ({ data }) => (data.type === 'incoming_call' ? new Promise((resolve) => answers.push(resolve)) : undefined));
    await until(() => answers.length, { what: 'the push is under way' });
    await publish(wakeEnd(tenant, call, 'cancelled'));
    answers[0](undefined);
    assert.deepEqual((await attempts(phone, 2)).map(({ kind }) => kind), ['cancel', 'wake']);
    assert.deepEqual(providers.got.filter(({ data }) => data.call_id === call).map(({ data }) => data.type), ['incoming_call', 'call_cancelled']);
  });
});

describe('when PostgreSQL dies under a push', () => {
  it('its outcome is written when it is back, and nothing is pushed twice', async (t) => {
    const { tenant, device, credentials, attempts } = await furnished(t);
    t.after(() => belfry.allWell());
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const pid = await belfry.pid('postgres');
    providers.answer = () => void process.kill(pid, 'SIGKILL');
    const { call, entry } = wake(tenant, phone);
    await publish(entry);
    assert.deepEqual((await attempts(phone, 1)).map(({ attempt, result }) => [attempt, result]), [[1, 'sent']]);
    await belfry.allWell();
    await publish(entry, wakeEnd(tenant, call, 'registered', phone));
    assert.equal(providers.got.filter(({ data }) => data.call_id === call).length, 1);
  });
});

describe('a test push', () => {
  it('goes out like a wake and says what became of it', async (t) => {
    const { tenant, base, device, attempts } = await furnished(t);
    const phone = await device('expo', expoToken());
    const { push } = await tenant.api.ok('POST', `${base}/push-devices/${phone.id}/test`);
    const sent = await providers.push(({ data }) => data.call_id === push);
    assert.equal(sent.data.type, 'test');
    assert.deepEqual((await attempts(phone, 1)).map(({ kind, call_id, push: id_ }) => [kind, call_id, id_]), [['test', null, push]]);
  });
});

describe('a replica that is killed in mid push', () => {
  it('its pushes go on at another one', async (t) => {
    const was = { fanouts: belfry.fanouts.length };
    await belfry.scale({ fanouts: 2 });
    t.after(async () => {
      await belfry.scale(was);
      await belfry.allWell();
    });
    const { tenant, device, credentials, attempts, pushes } = await furnished(t);
    await credentials({ provider: 'apns', apns: providers.apns() });
    const phone = await device('apns', apnsToken());
    const second = await Bus.open(belfry.fanouts[1].bus);
    t.after(() => second.close());
    const { call, entry } = wake(tenant, phone, { for_ms: 60_000 });
    const pid = await belfry.pid('event-fanout-2');
    providers.answer = ({ nth }) => {
      if (nth > 1) return undefined;
      process.kill(pid, 'SIGKILL');
      return hang;
    };
    await second.call('Publish', message([1, [entry]]));
    assert.deepEqual((await attempts(phone, 1)).map(({ result }) => result), ['sent']);
    assert.equal(providers.got.filter(({ data }) => data.call_id === call).length, 2);
    assert.equal((await pushes(phone)).length, 1);
  });
});
