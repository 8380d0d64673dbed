// WebSockets: what a tenant's backend and its apps hear of calls, live and after they were away. Two event-fanouts.
import assert from 'node:assert/strict';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { assertProblem } from '../lib/api.mjs';
import { forgeries, partsOf, signed, tokenOf } from '../lib/app_token.mjs';
import { Refused, Socket } from '../lib/socket.mjs';
import { until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry, operator } = new World();
const EVENTS = `${belfry.api.replace(/^http/, 'ws')}/v1/events`;

const was = { fanouts: belfry.fanouts.length };

before(() => belfry.scale({ fanouts: 2 }), { timeout: 120_000 });
after(() => belfry.scale(was), { timeout: 120_000 });
afterEach(() => belfry.allWell());

const bearer = (secret) => ({ headers: { authorization: `Bearer ${secret}` } });
const isEvent = ({ type }) => type.includes('.');

/** A socket that is in: `ready` has come. */
async function listen(world, secret, { url = EVENTS, after: last, ...options } = {}) {
  const socket = await Socket.open(last ? `${url}?after=${last}` : url, { ...(secret ? bearer(secret) : {}), ...options });
  world.onClose(() => socket.drop());
  await until(() => socket.closed || socket.got.some(({ type }) => type === 'ready'), { what: 'ready' });
  assert.equal(socket.closed, null, `closed: ${JSON.stringify(socket.closed)}`);
  return socket;
}

async function refused(secret, url = EVENTS, options = bearer(secret)) {
  const answer = await Socket.open(url, options).then((socket) => socket, (error) => error);
  if (answer instanceof Refused) return { status: answer.status, ...answer.body };
  if (answer instanceof Error) throw answer;
  const { code, reason } = await answer.end();
  return { code, detail: reason };
}

async function aCall({ world, a, b }) {
  const { call, dialog } = await world.call(a, b);
  await hangUp(dialog, a);
  return call;
}

const story = (socket, call_id) => socket.got.filter((event) => event.call_id === call_id).map(({ type }) => type);
const WHOLE = ['call.started', 'call.incoming', 'call.answered', 'call.ended'];
const whole = (types) => types.filter((type) => type !== 'call.ringing');

/** Puts events into the database as a replica would that died before it told anybody. */
async function stored(tenant, count, { numbers = '{100}', pad = 10 } = {}) {
  const ids = await belfry.sql('belfry_events', `INSERT INTO events.event (id, tenant_id, type, seq, at, numbers, body)
    SELECT id, '${tenant.id}', 'test.made', 0, now(), '${numbers}', json_build_object('id', id, 'type', 'test.made', 'tenant', '${tenant.id}', 'time', now(), 'n', n, 'data', json_build_object('pad', repeat('x', ${pad})))::text
    FROM (SELECT events.new_id() AS id, n FROM generate_series(1, ${count}) AS n) made RETURNING id`);
  return ids;
}

describe('app tokens', () => {
  it('are JWTs for one extension, signed with a key that the registry has told, and in the audit trail without themselves', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const made = await tenant.api.ok('POST', `/v1/tenants/${tenant.slug}/tokens`, { number: '100', expires_in_seconds: 600 });
    const [header, claims] = made.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.deepEqual([header.alg, header.typ, claims.iss, claims.aud, claims.sub, claims.tenant, claims.jti], ['EdDSA', 'JWT', 'belfry', 'belfry-app', '100', tenant.id, made.id]);
    assert.equal(claims.exp - claims.iat, 600);
    assert.equal(Date.parse(made.expires_at), claims.exp * 1000);
    const [x] = await belfry.sql('belfry_registry', `SELECT translate(encode(public, 'base64'), '+/=', '-_') FROM registry.app_key WHERE kid = '${header.kid}'`);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const dot = made.token.lastIndexOf('.');
    assert.ok(verify(null, Buffer.from(made.token.slice(0, dot)), key, Buffer.from(made.token.slice(dot + 1), 'base64url')));
    const audit = await tenant.api.list(`/v1/tenants/${tenant.id}/audit`);
    assert.ok(audit.some(({ action, target }) => action === 'token.create' && target === 'extension/100'));
    assert.ok(!JSON.stringify(audit).includes(made.token.slice(dot + 1)), 'a token is shown once');
  });

  it('are made once for one Idempotency-Key, and only for extensions', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const post = (body, key) => tenant.api.post(`/v1/tenants/${tenant.id}/tokens`, body, key ? { headers: { 'idempotency-key': key } } : {});
    const key = randomUUID();
    assert.deepEqual((await post({ number: '100' }, key)).body, (await post({ number: '100' }, key)).body);
    await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/groups`, { number: '600', strategy: 'all', members: ['100'] });
    for (const number of ['999', '600']) assertProblem(await post({ number }), { status: 400, field: 'number' });
    for (const expires_in_seconds of [0, 3601]) assertProblem(await post({ number: '100', expires_in_seconds }), { status: 400, field: 'expires_in_seconds' });
    const reader = await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/keys`, { role: 'reader' });
    assertProblem(await tenant.api.as(reader.api_key).post(`/v1/tenants/${tenant.id}/tokens`, { number: '100' }), { status: 403 });
  });
});

describe('a WebSocket', () => {
  it("hears a call in order: the tenant's key all of it, byte for byte, each app what names its number", async (t) => {
    const world = new World(t);
    const tenant = await world.tenant({ numbers: ['100', '101', '102'] });
    const other = await world.tenant();
    const [a, b] = await world.pair(tenant);
    const backend = await listen(world, tenant.key);
    const [app, old] = [await listen(world, await tokenOf(tenant, '101'), { protocols: ['belfry.v1'] }), await listen(world, await tokenOf(tenant, '101'))];
    const strangers = [await listen(world, await tokenOf(tenant, '102')), await listen(world, await tokenOf(other, '101')), await listen(world, other.key)];
    assert.deepEqual(backend.got[0], { type: 'ready', tenant: tenant.id, number: null });
    assert.deepEqual(app.got[0], { type: 'ready', tenant: tenant.id, number: '101' });
    assert.equal(app.protocol, 'belfry.v1');
    const call = await aCall({ world, a, b });
    for (const socket of [backend, app, old]) {
      const { call_id } = await socket.message(({ type }) => type === 'call.ended');
      assert.deepEqual(whole(story(socket, call_id)), WHOLE);
    }
    const [started] = backend.got.filter(isEvent);
    assert.equal(started.data.sip_call_id, call.call_id);
    assert.equal(started.tenant, tenant.id);
    const bodies = await belfry.sql('belfry_events', `SELECT body FROM events.event WHERE tenant_id = '${tenant.id}' AND call IS NOT NULL ORDER BY position`);
    assert.deepEqual(backend.raw.filter((text) => text.includes('"call.')), bodies);
    const incoming = old.got.find(({ type }) => type === 'incoming_call');
    const event = old.got.find(({ type }) => type === 'call.incoming');
    assert.deepEqual(incoming.call, { id: event.call_id, from: '100', to: '101', number: '101', time: event.time, event_id: event.id });
    assert.ok(!app.got.some(({ type }) => type === 'incoming_call'), 'who asks for belfry.v1 is no old app');
    for (const socket of strangers) assert.deepEqual(socket.got.filter(({ type }) => type !== 'ready'), []);
  });

  it('takes its token as header, as subprotocol and, of old apps, in the URL, which no log has', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const token = await tokenOf(tenant, '100');
    assert.equal((await listen(world, null, { protocols: ['belfry.v1', `token.${token}`] })).protocol, 'belfry.v1');
    await listen(world, null, { protocols: ['belfry.v1', `token.${tenant.key}`] });
    await listen(world, null, { url: `${EVENTS}?token=${token}` });
    assert.equal((await refused(null, `${EVENTS}?token=${tenant.key}`, {})).field, 'token');
    const logs = path.join(belfry.run, 'log');
    for (const file of readdirSync(logs)) {
      const text = readFileSync(path.join(logs, file), 'utf8');
      for (const secret of [token.slice(-60), tenant.key]) assert.ok(!text.includes(secret), `${file} has a secret`);
    }
  });

  it('is refused to bad tokens and keys', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const token = await tokenOf(tenant, '100');
    const { header, claims } = partsOf(token);
    const bad = await forgeries(belfry, token, { tenant: await world.tenant(), number: '101' });
    for (const [what, each] of Object.entries(bad)) assert.equal((await refused(each)).status, 401, what);
    const unknown = await refused(signed({ ...header, kid: 'nobody' }, claims));
    assert.deepEqual([unknown.code, /key/.test(unknown.detail)], [4401, true]);
    const wrong = `${tenant.key.slice(0, -8)}${[...tenant.key.slice(-8)].reverse().join('')}`;
    assert.equal((await refused(wrong)).code, 4401);
    assert.equal((await refused(belfry.operator_key)).code, 4403);
    const none = await refused(null, EVENTS, {});
    assert.deepEqual([none.status, none.type], [401, 'urn:belfry:problem:unauthenticated']);
    assert.equal((await refused(token, `${EVENTS}?after=yesterday`)).field, 'after');
    assert.equal((await refused(token, `${EVENTS}?before=x`)).status, 400);
    assert.equal((await refused(null, EVENTS, { protocols: ['chat'] })).status, 400);
    assert.equal((await operator.get('/v1/events')).status, 400);
  });

  it('ends when what it stands for ends: its token, its extension, its key, its tenant', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant({ numbers: ['100', '101', '102'] });
    const [deleted, stays] = [await tokenOf(tenant, '100'), await tokenOf(tenant, '101')];
    const brief = await listen(world, await tokenOf(tenant, '102', { expires_in_seconds: 3 }));
    const key = await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/keys`, { role: 'reader' });
    const sockets = { gone: await listen(world, deleted), stays: await listen(world, stays), key: await listen(world, key.api_key), owner: await listen(world, tenant.key) };
    await tenant.api.delete(`/v1/tenants/${tenant.id}/extensions/100`);
    assert.equal((await sockets.gone.end()).code, 4401);
    assert.equal((await refused(deleted)).code, 4401);
    const expired = await brief.end();
    assert.deepEqual([expired.code, /expired/.test(expired.reason)], [4401, true]);
    await tenant.api.delete(`/v1/tenants/${tenant.id}/keys/${key.id}`);
    assert.equal((await sockets.key.end({ deadline_ms: 30_000 })).code, 4401);
    assert.deepEqual([sockets.stays.closed, sockets.owner.closed], [null, null]);
    await operator.ok('PATCH', `/v1/tenants/${tenant.id}`, { status: 'suspended' });
    for (const socket of [sockets.stays, sockets.owner]) assert.equal((await socket.end()).code, 4403);
    assert.equal((await refused(stays)).code, 4403);
  });

  it('ends with its extension, though the number was made again at once', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const token = await tokenOf(tenant, '100');
    const [former, stays] = [await listen(world, token), await listen(world, await tokenOf(tenant, '101'))];
    await tenant.api.delete(`/v1/tenants/${tenant.id}/extensions/100`);
    await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/extensions`, { number: '100', kind: 'softphone' });
    assert.equal((await former.end()).code, 4401);
    assert.equal((await refused(token)).code, 4401);
    const next = await listen(world, await tokenOf(tenant, '100'));
    await tenant.api.ok('PATCH', `/v1/tenants/${tenant.id}/extensions/100`, { display_name: 'Next' });
    const [id] = await stored(tenant, 1);
    await next.message((event) => event.id === id);
    assert.deepEqual([next.closed, stays.closed], [null, null]);
  });

  it('goes on where it was after a cut, and says so when that is too long ago', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const first = await listen(world, tenant.key);
    await stored(tenant, 3);
    await first.message(({ n }) => n === 3);
    const last = first.got.at(-1).id;
    first.drop();
    const missed = await stored(tenant, 20);
    const foreign = await stored(await world.tenant(), 1);
    const second = await listen(world, tenant.key, { after: last });
    await until(() => missed.every((id) => second.got.some((event) => event.id === id)), { what: 'what it missed' });
    const ids = second.got.filter(isEvent).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'each once');
    assert.deepEqual(ids.filter((id) => missed.includes(id)), missed, 'in order');
    const before_ready = second.got.slice(0, second.got.findIndex(({ type }) => type === 'ready'));
    assert.ok(missed.every((id) => before_ready.some((event) => event.id === id)), 'what it missed comes before what happens now'); // one of before `last` may come again
    const app = await listen(world, await tokenOf(tenant, '101'), { after: last });
    assert.deepEqual(app.got.filter(isEvent), [], 'none of them named it');
    for (const after_id of [randomUUID(), foreign[0]]) {
      const lost = await listen(world, tenant.key, { after: after_id });
      assert.deepEqual([lost.got[0].type, lost.got[0].after], ['replay_gap', after_id]);
    }
    for (const count of [550, 550]) { // told to all before the next: more would be cut, as of a socket that does not read
      const told = await stored(tenant, count);
      await until(() => second.got.some(({ id }) => id === told.at(-1)), { what: 'they are told' });
    }
    assert.equal((await listen(world, tenant.key, { after: last })).got[0].type, 'replay_gap');
  });

  it('that does not read is cut with 4408, and others go on', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const direct = belfry.fanouts[0].sockets;
    const [slow, quick] = [await listen(world, tenant.key, { url: direct }), await listen(world, tenant.key, { url: direct })];
    slow.pause();
    const slow_ones = () => belfry.metric('event-fanout', 'belfry_fanout_sockets_closed_total{why="slow"}');
    const before_it = await slow_ones();
    const cut = async () => (await slow_ones()) > before_it;
    let ids = [];
    for (let i = 0; i < 20 && !(await cut()); i++) {
      ids = ids.concat(await stored(tenant, 200, { pad: 15_000 }));
      await until(() => quick.got.some(({ id }) => id === ids.at(-1)), { what: 'the other one gets them', deadline_ms: 20_000 });
    }
    assert.ok(await cut());
    slow.resume();
    assert.equal((await slow.end()).code, 4408);
    assert.deepEqual(slow.got.filter(isEvent).map(({ id }) => id), ids.slice(0, slow.got.filter(isEvent).length));
    assert.deepEqual(quick.got.filter(isEvent).map(({ id }) => id), ids);
    assert.equal(quick.closed, null);
  });
});

describe('limits', () => {
  it('a tenant has so many WebSockets, and others have theirs', async (t) => {
    const world = new World(t);
    const [tenant, other] = [await world.tenant(), await world.tenant()];
    const url = belfry.fanouts[0].sockets;
    const five = [];
    for (let i = 0; i < 5; i++) five.push(await listen(world, tenant.key, { url }));
    assert.equal((await refused(tenant.key, url)).code, 4429);
    await listen(world, other.key, { url });
    await five[0].close();
    assert.equal(five[0].closed.code, 1000);
    await until(() => listen(world, tenant.key, { url }).then(() => true), { what: 'its place is free again' });
  });

  it('who sends much is cut; who says little is not answered', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const socket = await listen(world, tenant.key);
    socket.send('{"type":"hello"}');
    await stored(tenant, 1);
    await socket.message(isEvent);
    assert.deepEqual(socket.got.map(({ type }) => type), ['ready', 'test.made']);
    for (let i = 0; i < 130; i++) socket.send('x');
    assert.ok([1008, 1006].includes((await socket.end()).code), 'what it still sends may outrun the reason');
  });

  it('idle ones are pinged; who does not answer is closed', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const url = belfry.fanouts[0].sockets;
    const [quiet, dead] = [await listen(world, tenant.key, { url }), await listen(world, tenant.key, { url })];
    const open = () => belfry.metric('event-fanout', 'belfry_fanout_sockets');
    const both = await open();
    dead.pause();
    await until(() => quiet.pings >= 2, { what: 'pings', deadline_ms: 30_000 });
    await until(async () => (await open()) === both - 1, { what: 'the dead one is closed', deadline_ms: 40_000 });
    assert.equal(quiet.closed, null);
  });
});

describe('several replicas', () => {
  it('each tell their own sockets, in order, whoever took the event', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const [a, b] = await world.pair(tenant);
    const sockets = await Promise.all(belfry.fanouts.map(({ sockets: url }) => listen(world, tenant.key, { url })));
    for (let i = 0; i < 5; i++) await aCall({ world, a, b });
    for (const socket of sockets) {
      await until(() => socket.got.filter(({ type }) => type === 'call.ended').length === 5, { what: 'five calls', deadline_ms: 20_000 });
      for (const call_id of new Set(socket.got.filter(isEvent).map((event) => event.call_id))) assert.deepEqual(whole(story(socket, call_id)), WHOLE);
    }
  });

  it('miss nothing while Redis is away', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const sockets = await Promise.all(belfry.fanouts.map(({ sockets: url }) => listen(world, tenant.key, { url })));
    await belfry.stop('redis');
    let ids;
    try {
      ids = await stored(tenant, 50);
      for (const socket of sockets) {
        await until(() => socket.got.some(({ n }) => n === 50), { what: 'events without Redis' });
        assert.deepEqual(socket.got.filter(isEvent).map(({ id }) => id), ids);
      }
    } finally {
      await belfry.start('redis');
    }
  });

  it('one is killed: its sockets go on at another, and nothing is missing', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const [a, b] = await world.pair(tenant);
    const victim = belfry.fanouts[1];
    const first = await listen(world, tenant.key, { url: victim.sockets });
    await aCall({ world, a, b });
    await first.message(({ type }) => type === 'call.ended');
    const calling = (async () => {
      for (let i = 0; i < 4; i++) await aCall({ world, a, b });
    })();
    await first.message(({ call_id, type }) => type === 'call.started' && call_id !== first.got.find(isEvent).call_id);
    await belfry.kill9(victim.name);
    assert.equal((await first.end()).code, 1006);
    const last = first.got.filter(isEvent).at(-1).id;
    await calling;
    const second = await listen(world, tenant.key, { after: last });
    const seen = () => new Map([...first.got, ...second.got].filter(isEvent).map((event) => [event.id, event]));
    const ended = () => [...seen().values()].filter(({ type }) => type === 'call.ended');
    await until(() => ended().length === 5, { what: 'all five calls have ended', deadline_ms: 30_000 });
    for (const { call_id } of ended()) {
      assert.deepEqual(whole([...seen().values()].filter((event) => event.call_id === call_id).sort((x, y) => x.seq - y.seq).map(({ type }) => type)), WHOLE);
    }
    assert.ok(!second.got.some(({ type }) => type === 'replay_gap'));
  });
});
