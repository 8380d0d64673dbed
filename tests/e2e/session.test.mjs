// What people are let in by: sessions and links that are good once, links that set up a phone; and what operators see of the platform.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertProblem } from '../lib/api.mjs';
import { md5 } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const SESSION = '/v1/session';

test('a key is told what it stands for', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const operator = await world.operator.ok('GET', SESSION);
  assert.equal(operator.role, 'operator');
  assert.equal(operator.tenant, null);
  const admin = await tenant.api.ok('GET', SESSION);
  assert.equal(admin.role, 'admin');
  assert.deepEqual(admin.tenant, { id: tenant.id, slug: tenant.slug, name: `Test ${tenant.slug}`, status: 'active' });
  assert.equal(admin.expires_at, null);
  const reader = await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/keys`, { role: 'reader', name: 'r' });
  assert.equal((await tenant.api.as(reader.api_key).ok('GET', SESSION)).role, 'reader');
  assertProblem(await tenant.api.as(null).get(SESSION), { status: 401 });
});

for (const who of ['operator', 'admin']) {
  test(`a login of an ${who} becomes a session, once, and the session can be ended`, async (t) => {
    const world = new World(t);
    const tenant = await world.tenant({ numbers: [] });
    const api = who === 'operator' ? world.operator : tenant.api;
    const { login, path, expires_at } = await api.ok('POST', '/v1/logins', { expires_in_seconds: 60 });
    assert.equal(path, `/#login=${login}`);
    assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 60_000) < 10_000);
    const { api_key } = await api.as(login).ok('POST', SESSION, undefined);
    const session = api.as(api_key);
    const said = await session.ok('GET', SESSION);
    assert.equal(said.role, who);
    assert.equal(said.tenant?.id ?? null, who === 'operator' ? null : tenant.id);
    assert.ok(Date.parse(said.expires_at) > Date.now() + 7 * 3_600_000, 'it lasts a working day');
    assertProblem(await api.as(login).get(SESSION), { status: 401 });
    assertProblem(await api.as(login).send('POST', SESSION), { status: 401 });
    assert.equal((await session.delete(SESSION)).status, 204);
    assertProblem(await session.get(SESSION), { status: 401 });
  });
}

test('a login is good until it expires, and neither it nor its session is in any log', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const late = await tenant.api.ok('POST', '/v1/logins', { expires_in_seconds: 1 });
  const { login } = await tenant.api.ok('POST', '/v1/logins', { expires_in_seconds: 60 });
  const { api_key } = await tenant.api.as(login).ok('POST', SESSION, undefined);
  await until(() => Date.now() > Date.parse(late.expires_at), { what: 'the login has expired' });
  assertProblem(await tenant.api.as(late.login).send('POST', SESSION), { status: 401 });
  assertProblem(await tenant.api.as(login).send('POST', SESSION), { status: 401 });
  const folder = join(world.belfry.run, 'log');
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'latin1');
    for (const secret of [late.login, login, api_key]) assert.ok(!text.includes(secret), `${file} has a secret`);
  }
});

test('of many who come with the same login at the same time one gets in', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const { login } = await tenant.api.ok('POST', '/v1/logins', {});
  const answers = await Promise.all(Array.from({ length: 12 }, () => tenant.api.as(login).send('POST', SESSION)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(11).fill(401)]);
});

test('what is no login is refused, and sessions are not made of other keys', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  assertProblem(await tenant.api.send('POST', SESSION), { status: 409 });
  assertProblem(await tenant.api.delete(SESSION), { status: 409 });
  const { login } = await tenant.api.ok('POST', '/v1/logins', {});
  assertProblem(await tenant.api.as(login).send('POST', SESSION, undefined, { headers: { 'idempotency-key': 'x' } }), { status: 400, field: 'Idempotency-Key' });
  const reader = await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/keys`, { role: 'reader' });
  assertProblem(await tenant.api.as(reader.api_key).post('/v1/logins'), { status: 403 });
  assertProblem(await tenant.api.post(`/v1/tenants/${tenant.id}/keys`, { role: 'admin', name: 'console:login' }), { status: 400, field: 'name' });
  for (const expires_in_seconds of [0, 3601]) assertProblem(await tenant.api.post('/v1/logins', { expires_in_seconds }), { status: 400, field: 'expires_in_seconds' });
});

test('logins and sessions are in the audit trail, without their secrets', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const { login } = await tenant.api.ok('POST', '/v1/logins', {});
  const { api_key } = await tenant.api.as(login).ok('POST', SESSION, undefined);
  await tenant.api.as(api_key).ok('DELETE', SESSION);
  const trail = await tenant.api.list(`/v1/tenants/${tenant.id}/audit`);
  assert.deepEqual(trail.slice(0, 3).map(({ action }) => action), ['session.delete', 'session.create', 'login.create']);
  assert.ok(!JSON.stringify(trail).includes(login) && !JSON.stringify(trail).includes(api_key));
});

test('operators see every process, others none', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const { items } = await world.operator.ok('GET', '/v1/processes');
  const programs = (await world.belfry.programs()).map(({ name }) => name).filter((name) => name !== 'watch');
  assert.deepEqual(items.map(({ name }) => name).sort(), programs.sort());
  assert.ok(items.every(({ state, answer_ms }) => state === 'ready' && answer_ms !== null), JSON.stringify(items));
  const relays = items.filter(({ relay }) => relay);
  assert.deepEqual(relays.map(({ name }) => name).sort(), world.belfry.relays.map(({ name }) => name).sort());
  assert.ok(relays.every(({ calls }) => Number.isInteger(calls)) && items.every(({ relay, calls }) => relay || calls === null), JSON.stringify(items));
  assertProblem(await tenant.api.get('/v1/processes'), { status: 403 });
});

test('a provisioning link gives the account as it is now, to who has it, and not for ever', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: ['100'] });
  const extension = `/v1/tenants/${tenant.id}/extensions/100`;
  const nobody = tenant.api.as(null);
  const { path, expires_at } = await tenant.api.ok('POST', `${extension}/provisioning`, undefined);
  assert.ok(Date.parse(expires_at) - Date.now() < 16 * 60_000);
  const given = await nobody.get(path);
  assert.equal(given.status, 200);
  assert.ok(given.text.includes(md5(`100:${tenant.domain}:${tenant.passwords['100']}`)));
  assert.equal(given.headers.get('cache-control'), 'no-store');
  const { password } = await tenant.api.ok('POST', `${extension}/password`, {});
  assert.ok((await nobody.get(path)).text.includes(md5(`100:${tenant.domain}:${password}`)), 'the password of now');
  assertProblem(await nobody.get(`${path.slice(0, -2)}AA`), { status: 404 });
  assertProblem(await tenant.api.post(`/v1/tenants/${tenant.id}/extensions/999/provisioning`, undefined), { status: 404 });
  await world.operator.ok('PATCH', `/v1/tenants/${tenant.id}`, { status: 'suspended' });
  assertProblem(await nobody.get(path), { status: 404 });
  await world.operator.ok('PATCH', `/v1/tenants/${tenant.id}`, { status: 'active' });
  await tenant.api.ok('DELETE', extension);
  assertProblem(await nobody.get(path), { status: 404 });
});
