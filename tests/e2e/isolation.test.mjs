// Every route of openapi.yaml, tried with another tenant's key and another tenant's ids. A route that this file does not
// know fails the test: whoever adds one says here how it is tried.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertProblem } from '../lib/api.mjs';
import { CallBook } from '../lib/calls.mjs';
import { routes } from '../lib/openapi.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const world = new World();
const { operator } = world;
const NOBODY = { t: '018f0000-0000-7000-8000-000000000001', slug: 'nobody-has-this-slug', d: 'nobody.example', number: '999', group: '998', call: '018f0000-0000-7000-8000-000000000003', cdr: '018f0000-0000-7000-8000-000000000004', webhook: '018f0000-0000-7000-8000-000000000005', device: '018f0000-0000-7000-8000-000000000006', credential: '018f0000-0000-7000-8000-000000000007', delivery: '018f0000-0000-7000-8000-000000000008', id: '018f0000-0000-7000-8000-000000000002' };

// How each route is tried. `body`: one that would be accepted from the owner. `child`: the parameter that names something of
// the tenant, so that it is also tried inside the own tenant. `public`: no key needed. `platform`: what a tenant's key gets.
const HOW = {
  'GET /openapi.yaml': { public: true },
  'POST /v1/logins': { platform: 'own' },
  'POST /v1/session': { platform: 'own' },
  'GET /v1/session': { platform: 'own' },
  'DELETE /v1/session': { platform: 'own' },
  'GET /provision/{code}': { public: true }, // the code is the key: session.test.mjs tries it
  'POST /v1/tenants': { platform: 403, body: { slug: 'stolen', name: 'x', domains: ['stolen.example'] } },
  'GET /v1/tenants': { platform: 'own' },
  'GET /v1/tenants/{t}': {},
  'PATCH /v1/tenants/{t}': { body: { name: 'stolen' } },
  'DELETE /v1/tenants/{t}': {},
  'GET /v1/tenants/{t}/domains': {},
  'POST /v1/tenants/{t}/domains': { body: { name: 'stolen.example' } },
  'DELETE /v1/tenants/{t}/domains/{d}': { child: 'd' },
  'GET /v1/tenants/{t}/extensions': {},
  'POST /v1/tenants/{t}/extensions': { body: { number: '666', kind: 'softphone' } },
  'GET /v1/tenants/{t}/extensions/{number}': { child: 'number' },
  'PATCH /v1/tenants/{t}/extensions/{number}': { child: 'number', body: { display_name: 'stolen' } },
  'DELETE /v1/tenants/{t}/extensions/{number}': { child: 'number' },
  'POST /v1/tenants/{t}/extensions/{number}/password': { child: 'number', body: {} },
  'POST /v1/tenants/{t}/extensions/{number}/provisioning': { child: 'number' },
  'GET /v1/tenants/{t}/groups': {},
  'POST /v1/tenants/{t}/groups': { body: { number: '667', strategy: 'all', members: ['100'] } },
  'GET /v1/tenants/{t}/groups/{group}': { child: 'group' },
  'PATCH /v1/tenants/{t}/groups/{group}': { child: 'group', body: { display_name: 'stolen' } },
  'DELETE /v1/tenants/{t}/groups/{group}': { child: 'group' },
  'GET /v1/tenants/{t}/keys': {},
  'POST /v1/tenants/{t}/keys': { body: { name: 'stolen', role: 'admin' } },
  'GET /v1/tenants/{t}/keys/{id}': { child: 'id' },
  'DELETE /v1/tenants/{t}/keys/{id}': { child: 'id' },
  'POST /v1/tenants/{t}/tokens': { body: { number: '100' } },
  'GET /v1/tenants/{t}/ice-servers': {},
  'GET /v1/tenants/{t}/dns': {},
  'GET /v1/tenants/{t}/audit': {},
  // of event-fanout
  'GET /openapi-events.yaml': { public: true },
  'GET /v1/events': { public: true }, // a WebSocket: sockets.test.mjs tries it
  'GET /v1/tenants/{t}/webhooks': {},
  'POST /v1/tenants/{t}/webhooks': { body: { url: 'https://stolen.example/', events: ['*'] } },
  'GET /v1/tenants/{t}/webhooks/{webhook}': { child: 'webhook' },
  'PATCH /v1/tenants/{t}/webhooks/{webhook}': { child: 'webhook', body: { url: 'https://stolen.example/' } },
  'DELETE /v1/tenants/{t}/webhooks/{webhook}': { child: 'webhook' },
  'POST /v1/tenants/{t}/webhooks/{webhook}/secret': { child: 'webhook', body: {} },
  'POST /v1/tenants/{t}/webhooks/{webhook}/test': { child: 'webhook', body: {} },
  'POST /v1/tenants/{t}/webhooks/{webhook}/replay': { child: 'webhook', body: { from: '2026-01-01T00:00:00Z' } },
  'GET /v1/tenants/{t}/deliveries': {},
  'GET /v1/tenants/{t}/deliveries/{delivery}': { child: 'delivery' },
  'POST /v1/tenants/{t}/deliveries/{delivery}/replay': { child: 'delivery', body: {} },
  'POST /push/register': { public: true }, // as the tests' instance has it; push.test.mjs tries it
  'GET /v1/push-credentials': { platform: 403 },
  'POST /v1/push-credentials': { platform: 403, body: { provider: 'expo', expo: { access_token: 'stolen' } } },
  'DELETE /v1/push-credentials/{id}': { platform: 403 },
  'GET /v1/tenants/{t}/push-credentials': {},
  'POST /v1/tenants/{t}/push-credentials': { body: { provider: 'expo', expo: { access_token: 'stolen' } } },
  'DELETE /v1/tenants/{t}/push-credentials/{credential}': { child: 'credential' },
  'GET /v1/tenants/{t}/push-devices': {},
  'POST /v1/tenants/{t}/push-devices': { body: { number: '100', provider: 'expo', token: 'ExponentPushToken[stolen]', device_id: 'stolen', platform: 'ios' } },
  'GET /v1/tenants/{t}/push-devices/{device}': { child: 'device' },
  'DELETE /v1/tenants/{t}/push-devices/{device}': { child: 'device' },
  'GET /v1/tenants/{t}/push-devices/{device}/pushes': { child: 'device' },
  'POST /v1/tenants/{t}/push-devices/{device}/test': { child: 'device' },
  // of call-control
  'GET /openapi-calls.yaml': { public: true },
  'GET /v1/edges': { platform: 403 },
  'DELETE /v1/edges/{id}': { platform: 403 },
  'GET /v1/processes': { platform: 403 },
  'GET /v1/tenants/{t}/registrations': {},
  'GET /v1/tenants/{t}/calls': {},
  'POST /v1/tenants/{t}/calls': { body: { from: '100', to: '777' } },
  'GET /v1/tenants/{t}/calls/{call}': { child: 'call' },
  'DELETE /v1/tenants/{t}/calls/{call}': { child: 'call' },
  'POST /v1/tenants/{t}/calls/{call}/transfer': { child: 'call', body: { to: '777' } },
  'GET /v1/tenants/{t}/calls/{call}/timeline': { child: 'call' },
  'GET /v1/tenants/{t}/cdrs': {},
  'GET /v1/tenants/{t}/cdrs/{cdr}': { child: 'cdr' },
};

const known = Object.entries(HOW).map(([name, how]) => ({ name, method: name.split(' ')[0], path: name.split(' ')[1], ...how }));
const fill = (path, values) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
const shape = (path) => path.replace(/\{\w+\}/g, '{}');
const faceless = ({ status, body }) => ({ status, body: { ...body, request_id: null } });

let mallory;
let victim;
let state;

/** All that a tenant has, as the operator sees it; what reading itself changes left out. */
async function everything(tenant) {
  const base = `/v1/tenants/${tenant.id}`;
  const lists = await Promise.all(['domains', 'extensions', 'groups', 'keys', 'audit', 'registrations', 'calls', 'cdrs', 'push-devices', 'webhooks', 'deliveries'].map((name) => operator.list(`${base}/${name}`)));
  lists.push((await operator.ok('GET', `${base}/push-credentials`)).items);
  return JSON.parse(JSON.stringify([await operator.ok('GET', base), ...lists], (name, value) => (name.startsWith('last_used') || name === 'talk_ms' ? undefined : value)));
}

/** A tenant with one of everything, and the values that name it in paths. */
async function furnished() {
  const tenant = await world.tenant({ numbers: ['100', '777'] });
  const key = await operator.ok('POST', `/v1/tenants/${tenant.id}/keys`, { name: 'one', role: 'admin' });
  await operator.ok('POST', `/v1/tenants/${tenant.id}/groups`, { number: '600', strategy: 'all', members: ['100'] });
  const webhook = await operator.ok('POST', `/v1/tenants/${tenant.id}/webhooks`, { url: 'https://hook.example/', events: ['registration.gone'] });
  const { id: delivery } = await operator.ok('POST', `/v1/tenants/${tenant.id}/webhooks/${webhook.id}/test`, {});
  await operator.ok('PATCH', `/v1/tenants/${tenant.id}/webhooks/${webhook.id}`, { status: 'paused' });
  await until(async () => (await operator.ok('GET', `/v1/tenants/${tenant.id}/deliveries/${delivery}`)).next_attempt_at === null, { what: 'the delivery waits, and nothing of it changes by itself' });
  const device = await operator.ok('POST', `/v1/tenants/${tenant.id}/push-devices`, { number: '100', provider: 'expo', token: 'ExponentPushToken[mine]', device_id: 'mine', platform: 'ios' });
  const credential = await operator.ok('POST', `/v1/tenants/${tenant.id}/push-credentials`, { provider: 'expo', expo: { access_token: 'mine' } });
  return Object.assign(tenant, { ids: { device: device.id, credential: credential.id, t: tenant.id, d: tenant.domain, number: '777', group: '600', id: key.id, webhook: webhook.id, delivery } });
}

/** A running call and a finished one, of phones that stay. */
async function talks(tenant) {
  const book = new CallBook(operator, tenant);
  const [a, b] = [await book.registered(await world.ua(tenant, '100')), await book.registered(await world.ua(tenant, '777'))];
  await world.reaches(a, b);
  const { call } = await world.call(a, b);
  tenant.ids.call = (await book.running(call.call_id, { state: /answered/ })).id;
  [{ id: tenant.ids.cdr }] = await until(async () => ((await book.cdrs()).length === 1 ? book.cdrs() : null), { what: 'a CDR' });
}

before(async () => {
  [mallory, victim] = [await furnished(), await furnished()];
  await talks(victim);
  // 777 and 600 are only the victim's
  for (const mine of ['extensions/777', 'groups/600']) await operator.ok('DELETE', `/v1/tenants/${mallory.id}/${mine}`);
  state = await everything(victim);
});

after(() => world.close());

describe('openapi.yaml and this test know the same routes', () => {
  it('none is missing here, none is made up', async () => {
    const promised = [];
    for (const file of ['/openapi.yaml', '/openapi-calls.yaml', '/openapi-events.yaml']) {
      const answer = await operator.as(null).get(file);
      assert.equal(answer.status, 200);
      promised.push(...routes(answer.text).map(({ method, path }) => `${method} ${shape(path)}`));
    }
    assert.deepEqual(known.map(({ method, path }) => `${method} ${shape(path)}`).sort(), promised.sort());
  });
});

describe("another tenant's key", () => {
  for (const route of known.filter(({ path }) => path.includes('{t}'))) {
    it(`${route.name}: as if the tenant did not exist`, async () => {
      for (const t of [victim.id, victim.slug]) {
        const foreign = await mallory.api.send(route.method, fill(route.path, { ...victim.ids, t }), route.body && JSON.stringify(route.body));
        const nobody = await mallory.api.send(route.method, fill(route.path, { ...NOBODY, t: t === victim.id ? NOBODY.t : NOBODY.slug }), route.body && JSON.stringify(route.body));
        assertProblem(foreign, { status: 404 });
        assert.deepEqual(faceless(foreign), faceless(nobody));
      }
    });
  }

  for (const route of known.filter(({ child }) => child)) {
    it(`${route.name}: another tenant's ${route.child} inside the own tenant`, async () => {
      const send = (values) => mallory.api.send(route.method, fill(route.path, { ...values, t: mallory.id }), route.body && JSON.stringify(route.body));
      const foreign = await send(victim.ids);
      assertProblem(foreign, { status: 404 });
      assert.deepEqual(faceless(foreign), faceless(await send(NOBODY)));
    });
  }

  for (const route of known.filter(({ platform }) => platform === 403)) {
    it(`${route.name}: not with a tenant's key`, async () => {
      assertProblem(await mallory.api.send(route.method, route.path, JSON.stringify(route.body)), { status: 403 });
    });
  }

  it('GET /v1/tenants: only the own one, whatever the cursor', async () => {
    assert.deepEqual((await mallory.api.list('/v1/tenants')).map((each) => each.id), [mallory.id]);
    const { next } = await operator.ok('GET', '/v1/tenants?limit=1');
    const page = await mallory.api.get(`/v1/tenants?after=${encodeURIComponent(next ?? '')}`);
    if (page.status === 200) assert.ok(page.body.items.every((each) => each.id === mallory.id));
    else assertProblem(page, { status: 400 });
  });

  it("another tenant's extension is no member of an own group", async () => {
    const answer = await mallory.api.post(`/v1/tenants/${mallory.id}/groups`, { number: '668', strategy: 'all', members: ['100', '777'] });
    assertProblem(answer, { status: 400, field: 'members' });
    assert.equal((await mallory.api.get(`/v1/tenants/${mallory.id}/groups/668`)).status, 404);
  });

  it('a domain of another tenant: taken, and by whom is not said', async () => {
    const answer = await mallory.api.post(`/v1/tenants/${mallory.id}/domains`, { name: victim.domain });
    assertProblem(answer, { status: 409 });
    assert.ok(!answer.text.includes(victim.id) && !answer.text.includes(victim.slug.toUpperCase()));
  });
});

describe('no key', () => {
  for (const route of known.filter((each) => !each.public)) {
    it(`${route.name}: 401`, async () => {
      const answer = await operator.as(null).send(route.method, fill(route.path, victim.ids), route.body && JSON.stringify(route.body));
      assertProblem(answer, { status: 401 });
    });
  }
});

describe('by SIP', () => {
  it("a number and password of one tenant do not open another's domain", async (t) => {
    const own = new World(t);
    const ua = await own.ua({ ...victim, passwords: mallory.passwords }, '100');
    assert.equal((await ua.register()).status, 401);
  });

  it('the same number of both tenants: each call reaches its own', async (t) => {
    const own = new World(t);
    const [m, v] = [await own.tenant(), await own.tenant()];
    const [[m100, m101], [v100, v101]] = [await own.pair(m), await own.pair(v)];
    await own.call(m100, m101);
    await own.call(v100, v101);
    assert.ok(!m101.has('INVITE') && !v101.has('INVITE'), 'nobody rang twice');
  });

  it("another tenant's domain: 404, word for word as one that does not exist", async (t) => {
    const own = new World(t);
    const [m, v] = [await own.tenant(), await own.tenant()];
    const [[m100], [, v101]] = [await own.pair(m), await own.pair(v)];
    const foreign = await m100.invite(`sip:101@${v.domain}`).final;
    const nobody = await m100.invite('sip:101@nobody-has-this.example').final;
    assert.deepEqual([foreign.status, foreign.reason], [404, nobody.reason]);
    assert.equal(nobody.status, 404);
    assert.deepEqual(foreign.headers.map(([name]) => name), nobody.headers.map(([name]) => name));
    assert.ok(!v101.has('INVITE'));
  });

  it("a Contact that names another tenant's phone: the call goes to where the REGISTER came from", async (t) => {
    const calls = new World(t);
    const [ours, theirs] = [await calls.tenant(), await calls.tenant()];
    const [, target] = await calls.pair(theirs);
    const liar = await calls.ua(ours, '101', { contact: `<sip:101@${target.host}:${target.port}>` });
    assert.equal((await liar.register()).status, 200);
    const caller = await calls.ua(ours, '100');
    caller.invite('101').final.catch(() => {});
    await liar.incoming('INVITE');
    assert.ok(!target.has('INVITE'), "the other tenant's phone does not ring");
  });

  it("a From of another tenant's domain is not let through with the own password", async (t) => {
    const own = new World(t);
    const [m, v] = [await own.tenant(), await own.tenant()];
    const [, v101] = await own.pair(v);
    const liar = await own.ua({ ...v, passwords: m.passwords }, '100');
    assert.equal((await liar.invite('101').final).status, 407);
    assert.ok(!v101.has('INVITE'));
  });
});

describe('afterwards', () => {
  it('the victim is what it was', async () => {
    assert.deepEqual(await everything(victim), state);
  });
});
