// max_registrations: one count over two edges and two call-controls, whatever of them is away.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { CallBook } from '../lib/calls.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const { belfry } = new World();
const was = { edges: belfry.edges.length, relays: belfry.relays.length, controls: belfry.controls.length };
let A;
let B;

before(async () => {
  await belfry.scale({ edges: 2, controls: 2 });
  await belfry.allWell();
  [A, B] = belfry.edges;
}, { timeout: 180_000 });
after(() => belfry.scale(was), { timeout: 180_000 });
afterEach(() => belfry.allWell());

const redis = (...args) => execFileSync('redis-cli', ['-s', belfry.env.BELFRY_REDIS, ...args], { encoding: 'utf8' }).trim();
const numbers = (count) => Array.from({ length: count }, (_, i) => String(100 + i));
const sum = async (programs, name) => (await Promise.all(programs.map((program) => belfry.metric(program.name, name)))).reduce((all, each) => all + (each ?? 0), 0);
const unasked = () => sum(belfry.edges, 'kamailio_tenant_admits_unasked');

/** A tenant with this limit: `phone(number, edge)` is a user agent that has not registered; `there(n)`: call-control knows n devices. */
async function limited(t, max_registrations, count) {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: numbers(count), limits: { max_registrations } });
  const book = new CallBook(world.operator, tenant);
  const phone = (number, edge, options) => world.ua(tenant, number, { edge, ...options });
  const there = (n) => until(async () => (await book.registrations()).length === n, { what: `${n} registrations in the location index`, deadline_ms: 15_000, every_ms: 50 });
  return { world, tenant, book, phone, there };
}

async function admitted(ua, options) {
  const reply = await ua.register(options);
  assert.equal(reply.status, 200, reply.first);
  return ua;
}

async function refused(ua, options) {
  const reply = await ua.register(options);
  assert.equal(reply.status, 403, reply.first);
  assert.equal(reply.reason, 'Too Many Registrations');
  assert.match(reply.get('Reason'), /limit:max_registrations/);
}

describe('max_registrations', () => {
  it('of a burst at both edges exactly so many get in; they refresh, and who leaves makes room', async (t) => {
    const { phone, there } = await limited(t, 7, 40);
    const before_ = await sum(belfry.edges, 'kamailio_script_refused_registrations');
    const phones = await Promise.all(numbers(40).map((number, i) => phone(number, i % 2 ? A : B, { transport: i % 3 ? 'udp' : 'tcp' })));
    const replies = await Promise.all(phones.map((ua) => ua.register({ deadline_ms: 20_000 })));
    const inside = phones.filter((_, i) => replies[i].status === 200);
    assert.deepEqual([inside.length, replies.filter(({ status }) => status === 403).length], [7, 33]);
    assert.equal((await sum(belfry.edges, 'kamailio_script_refused_registrations')) - before_, 33);
    await there(7);
    for (const ua of inside) await admitted(ua);
    const outside = phones[replies.findIndex(({ status }) => status === 403)];
    await refused(outside);
    await admitted(inside[0], { expires_s: 0 });
    await there(6);
    await admitted(outside);
    await there(7);
    await refused(inside[0]);
  });

  it('a phone that moves to the other edge is none more', async (t) => {
    const { phone, there } = await limited(t, 2, 3);
    const instance = `<urn:uuid:${randomUUID()}>`;
    const own = (ua) => ({ contact: `${ua.contact};+sip.instance="${instance}"` });
    const [old, other] = [await phone('100', A), await phone('101', A)];
    await admitted(old, own(old));
    await admitted(other);
    await there(2);
    await refused(await phone('102', B));
    const moved = await phone('100', B);
    await admitted(moved, own(moved));
  });

  it('Redis emptied: those that are registered count again', async (t) => {
    const { phone, there } = await limited(t, 2, 3);
    await admitted(await phone('100', A));
    await admitted(await phone('101', B));
    await there(2);
    redis('FLUSHALL');
    await there(2);
    await refused(await phone('102', A));
  });

  it('an edge that is killed: its phones register with the other one', async (t) => {
    const { phone, there } = await limited(t, 2, 3);
    await admitted(await phone('100', A));
    await admitted(await phone('101', A));
    await there(2);
    await refused(await phone('102', B));
    await belfry.stop(A.name);
    try {
      const [c, d] = [await phone('100', B), await phone('101', B)];
      await until(async () => (await c.register()).status === 200, { what: 'a phone gets in at the other edge', deadline_ms: 20_000, every_ms: 100 });
      await admitted(d);
      await refused(await phone('102', B));
    } finally {
      await belfry.start(A.name);
    }
  });

  it('call-control away: let through, and counted', async (t) => {
    const { phone, there } = await limited(t, 1, 3);
    await admitted(await phone('100', A));
    await there(1);
    const before_ = await unasked();
    for (const { name } of belfry.controls) await belfry.stop(name);
    try {
      await admitted(await phone('101', A), { deadline_ms: 5_000 });
      assert.equal((await unasked()) - before_, 1);
    } finally {
      for (const { name } of belfry.controls) await belfry.start(name);
    }
    await there(2);
    await until(async () => (await (await phone('102', B)).register()).status === 403, { what: 'the limit is back', deadline_ms: 20_000, every_ms: 200 });
  });

  it('a limit that is set, raised or taken away counts from the next REGISTER on', async (t) => {
    const { world, tenant, phone, there } = await limited(t, 0, 4);
    const set = (max_registrations) => world.operator.ok('PATCH', `/v1/tenants/${tenant.id}`, { limits: { max_registrations } });
    await admitted(await phone('100', A));
    await admitted(await phone('101', B));
    await there(2);
    const late = await phone('102', A);
    const says = (status) => until(async () => (await late.register()).status === status, { what: `${status}`, deadline_ms: 10_000, every_ms: 50 });
    await set(2);
    await until(async () => {
      const reply = await late.register();
      if (reply.status === 200) await late.register({ expires_s: 0 });
      return reply.status === 403;
    }, { what: 'the limit counts', deadline_ms: 10_000, every_ms: 100 });
    await set(3);
    await says(200);
    await set(0);
    const more = await phone('103', B);
    await until(async () => (await more.register()).status === 200, { what: 'no limit', deadline_ms: 10_000, every_ms: 50 });
  });
});
