// What tenants are told of their calls: webhooks, as a backend sees them.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { assertProblem } from '../lib/api.mjs';
import { CallBook } from '../lib/calls.mjs';
import { Receiver, verified } from '../lib/receiver.mjs';
import { until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();

afterEach(() => belfry.allWell());

/** A tenant with two registered phones and a webhook at a receiver of its own. */
async function told(t, { events = ['*'] } = {}) {
  const world = new World(t);
  const receiver = await Receiver.open();
  world.onClose(() => receiver.close());
  const tenant = await world.tenant();
  const webhook = await tenant.api.ok('POST', `/v1/tenants/${tenant.slug}/webhooks`, { url: receiver.url('/calls?of=us'), events });
  const [a, b] = await world.pair(tenant);
  return { world, tenant, receiver, webhook, a, b };
}

async function aCall({ world, a, b }) {
  const { call, dialog } = await world.call(a, b);
  await hangUp(dialog, a);
  return call;
}

/** The types in the order they came first; what was sent again is known by its id. */
function story(receiver, call_id) {
  const seen = new Map(receiver.got.filter(({ event }) => event.call_id === call_id).map(({ event }) => [event.id, event.type]));
  return [...seen.values()];
}

describe('a webhook', () => {
  it('is told of a call, in order, signed, within the envelope that is promised', async (t) => {
    const office = await told(t);
    const { tenant, receiver, webhook, a } = office;
    const call = await aCall(office);
    const ended = await receiver.event(({ type }) => type === 'call.ended');
    const [cdr] = await until(async () => {
      const cdrs = await new CallBook(tenant.api, tenant).cdrs();
      return cdrs.length ? cdrs : null;
    }, { what: 'the CDR' });
    assert.equal(ended.event.call_id, cdr.id);
    assert.deepEqual(story(receiver, cdr.id).filter((type) => type !== 'call.ringing'), ['call.started', 'call.incoming', 'call.answered', 'call.ended']);
    for (const request of receiver.got) {
      assert.ok(verified(request, webhook.secret), `signature of ${request.event.type}`);
      assert.ok(!verified({ ...request, body: `${request.body} ` }, webhook.secret));
      assert.equal(request.path, '/calls?of=us');
      assert.equal(request.headers['content-type'], 'application/json');
      assert.equal(request.headers['belfry-event-id'], request.event.id);
      assert.equal(request.event.tenant, tenant.id);
      assert.ok(Math.abs(Date.parse(request.event.time) - request.at_ms) < 60_000);
    }
    const seqs = receiver.got.map(({ event }) => event.seq);
    assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y));
    assert.deepEqual([ended.event.data.caller, ended.event.data.callee, ended.event.data.answered_by, ended.event.data.result], ['100', '101', '101', 'answered']);
    assert.equal(receiver.got[0].event.data.sip_call_id, call.call_id);
    assert.equal(a.user, '100');
  });

  it('that fails gets the same event again until it takes it; what came behind waits', async (t) => {
    const office = await told(t);
    let refused = 0;
    office.receiver.answer = ({ event }) => (event.type === 'call.incoming' && refused++ < 2 ? { status: 503, body: 'not now' } : 204);
    await aCall(office);
    const ended = await office.receiver.event(({ type }) => type === 'call.ended');
    const incoming = office.receiver.got.filter(({ event }) => event.type === 'call.incoming');
    assert.deepEqual(incoming.map(({ headers }) => headers['belfry-attempt']), ['1', '2', '3']);
    assert.equal(new Set(incoming.map(({ body }) => body)).size, 1);
    assert.ok(office.receiver.got.indexOf(incoming[2]) < office.receiver.got.findIndex(({ event }) => event.type === 'call.answered'), 'the answer was told after it');
    assert.equal(office.receiver.got.filter(({ event }) => event.call_id === ended.event.call_id && event.type === 'call.answered').length, 1);
  });

  it('gets the types that it asked for', async (t) => {
    const office = await told(t, { events: ['call.ended'] });
    await aCall(office);
    await office.receiver.event(({ type }) => type === 'call.ended');
    assert.deepEqual(office.receiver.got.map(({ event }) => event.type), ['call.ended']);
  });

  it('is told afterwards of calls during which event-fanout was away', async (t) => {
    const office = await told(t);
    for (const { name } of belfry.fanouts) await belfry.stop(name);
    try {
      await aCall(office);
    } finally {
      for (const { name } of belfry.fanouts) await belfry.start(name);
    }
    const ended = await office.receiver.event(({ type }) => type === 'call.ended', { deadline_ms: 30_000 });
    assert.deepEqual(story(office.receiver, ended.event.call_id).filter((type) => type !== 'call.ringing'), ['call.started', 'call.incoming', 'call.answered', 'call.ended']);
  });

  it('that answers 410 is told nothing more', async (t) => {
    const office = await told(t);
    office.receiver.answer = () => 410;
    await aCall(office);
    await until(async () => (await office.tenant.api.ok('GET', `/v1/tenants/${office.tenant.id}/webhooks/${office.webhook.id}`)).status === 'gone', { what: 'the webhook is gone' });
  });
});

describe('webhooks by REST', () => {
  it('are made, listed, looked at and deleted; the secret is shown once', async (t) => {
    const { tenant, webhook, receiver } = await told(t);
    const base = `/v1/tenants/${tenant.id}/webhooks`;
    assert.match(webhook.secret, /^whsec_[0-9A-Za-z]{32,}$/);
    const { secret, ...rest } = webhook;
    assert.deepEqual((await tenant.api.ok('GET', base)).items, [rest]);
    assert.deepEqual(await tenant.api.ok('GET', `${base}/${webhook.id}`), rest);
    assert.equal(rest.url, receiver.url('/calls?of=us'));
    assert.equal((await tenant.api.send('DELETE', `${base}/${webhook.id}`)).status, 204);
    assertProblem(await tenant.api.get(`${base}/${webhook.id}`), { status: 404 });
    assert.ok(secret);
  });

  it('refuse URLs and types that are none, and name the field', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const post = (body) => tenant.api.post(`/v1/tenants/${tenant.id}/webhooks`, body);
    for (const url of ['ftp://a.example/', 'https://', 'https://me:secret@a.example/', 'http://a b/', 'https://a.example/#x', `https://a.example/${'x'.repeat(2048)}`]) {
      assertProblem(await post({ url, events: ['*'] }), { status: 400, field: 'url' });
    }
    for (const events of [[], ['call'], ['call.'], ['*.ended'], ['Call.ended']]) {
      assertProblem(await post({ url: 'https://a.example/', events }), { status: 400 });
    }
  });
});

/** A tenant with a webhook at a receiver of its own, and what is done with it by REST; without phones. */
async function hooked(t, { events = ['*'], url } = {}) {
  const world = new World(t);
  const receiver = await Receiver.open();
  world.onClose(() => receiver.close());
  const tenant = await world.tenant();
  const base = `/v1/tenants/${tenant.id}`;
  const webhook = await tenant.api.ok('POST', `${base}/webhooks`, { url: url?.(receiver) ?? receiver.url('/'), events });
  const at = `${base}/webhooks/${webhook.id}`;
  return {
    world, tenant, receiver, webhook, base, at,
    test: () => tenant.api.ok('POST', `${at}/test`, {}),
    replay: (delivery) => tenant.api.ok('POST', `${base}/deliveries/${delivery.id}/replay`, {}),
    shown: () => tenant.api.ok('GET', at),
    /** The delivery, once it is so. */
    delivery: ({ id }, is, what) => until(async () => {
      const delivery = await tenant.api.ok('GET', `${base}/deliveries/${id}`);
      return is(delivery) ? delivery : null;
    }, { what, deadline_ms: 30_000 }),
  };
}

const delivered = ({ state }) => state === 'delivered';
const tried = ({ attempts }) => attempts > 0;

describe('the log of deliveries', () => {
  it('has each attempt with code, latency and the first KiB of the answer', async (t) => {
    const hook = await hooked(t);
    hook.receiver.answer = ({ headers }) => (headers['belfry-attempt'] === '1' ? { status: 503, body: `${'x'.repeat(1023)}ä${'y'.repeat(5000)}` } : { status: 201, body: 'thanks' });
    const made = await hook.test();
    assert.equal(made.type, 'webhook.test');
    const delivery = await hook.delivery(made, delivered, 'the test is delivered');
    assert.deepEqual(delivery.log.map(({ number, code, error }) => [number, code, error]), [[1, 503, null], [2, 201, null]]);
    assert.deepEqual(delivery.log.map(({ answer }) => answer), ['x'.repeat(1023), 'thanks']); // half a letter is none
    assert.ok(delivery.log.every(({ latency_ms }) => latency_ms >= 0 && latency_ms < 10_000));
    assert.deepEqual([delivery.attempts, delivery.code, delivery.next_attempt_at], [2, 201, null]);
    assert.equal(hook.receiver.got[0].headers['belfry-delivery-id'], made.id);
    assert.equal(hook.receiver.got[0].event.data.webhook, hook.webhook.id);
    assert.ok(verified(hook.receiver.got[1], hook.webhook.secret));
  });

  it('is listed newest first, in pages, by webhook, state and type', async (t) => {
    const hook = await hooked(t);
    const made = [];
    for (let i = 0; i < 3; i++) {
      made.unshift((await hook.test()).id);
      await hook.delivery({ id: made[0] }, delivered, 'it is delivered');
    }
    const list = (query) => hook.tenant.api.ok('GET', `${hook.base}/deliveries${query}`);
    const page = await list('?limit=2');
    assert.deepEqual(page.items.map(({ id }) => id), made.slice(0, 2));
    const rest = await list(`?limit=2&after=${page.next}`);
    assert.deepEqual([rest.items.map(({ id }) => id), rest.next], [made.slice(2), null]);
    assert.equal((await list(`?webhook=${hook.webhook.id}&state=delivered&type=webhook.test`)).items.length, 3);
    assert.equal((await list(`?event=${page.items[0].event}`)).items.length, 1);
    assert.equal((await list('?state=dead')).items.length, 0);
    for (const [field, query] of [['state', 'state=lost'], ['webhook', 'webhook=x'], ['type', 'type=Call'], ['after', 'after=zz'], ['limit', 'limit=0']]) {
      assertProblem(await hook.tenant.api.get(`${hook.base}/deliveries?${query}`), { status: 400, field });
    }
  });
});

describe('a webhook whose receiver', { concurrency: true }, () => { // they wait
  it('redirects is not followed', async (t) => {
    const hook = await hooked(t);
    const elsewhere = await Receiver.open();
    hook.world.onClose(() => elsewhere.close());
    hook.receiver.answer = () => ({ status: 307, headers: { location: elsewhere.url('/') } });
    const delivery = await hook.delivery(await hook.test(), tried, 'an attempt');
    assert.equal(delivery.log[0].code, 307);
    assert.equal(elsewhere.got.length, 0);
  });

  it('closes half-way is told again; one that sends far too much was told', async (t) => {
    const hook = await hooked(t);
    const ways = [
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
      ({ socket }) => socket.destroy(),
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(1_000_000)}`),
    ];
    hook.receiver.answer = (request) => {
      ways[request.headers['belfry-attempt'] - 1](request);
      return new Promise(() => {});
    };
    const delivery = await hook.delivery(await hook.test(), delivered, 'the huge answer counts');
    assert.deepEqual(delivery.log.map(({ code }) => code), [200, null, 200]);
    assert.deepEqual(delivery.log.map(({ error }) => error === null), [false, false, true]);
    assert.deepEqual(delivery.log.map(({ answer }) => answer.length), [4, 0, 1024]);
  });

  it('hangs costs others nothing, and is told again', async (t) => {
    const hook = await hooked(t);
    const other = await hooked(t);
    hook.receiver.answer = ({ headers }) => (headers['belfry-attempt'] === '1' ? new Promise(() => {}) : 204);
    const hanging = await hook.test();
    await hook.receiver.event(() => true);
    await other.delivery(await other.test(), delivered, 'the other is told meanwhile');
    assert.equal((await hook.tenant.api.ok('GET', `${hook.base}/deliveries/${hanging.id}`)).state, 'pending');
    const delivery = await hook.delivery(hanging, delivered, 'it is told again');
    assert.equal(delivery.log[0].code, null);
    assert.match(delivery.log[0].error, /timed out/i);
    assert.equal(new Set(hook.receiver.got.map(({ event }) => event.id)).size, 1);
  });

  it('is at an address that is not public is not asked', async (t) => {
    for (const host of ['169.254.169.254', '10.255.255.1', '[::1]', '[::ffff:10.0.0.1]', '[fd00::1]', '0.0.0.0']) {
      const hook = await hooked(t, { url: (receiver) => receiver.url('/').replace('127.0.0.1', host) });
      const delivery = await hook.delivery(await hook.test(), tried, `an attempt at ${host}`);
      assert.deepEqual([delivery.code, delivery.error], [null, 'its address is not one that webhooks may go to'], host);
      assert.equal(hook.receiver.got.length, 0);
    }
  });

  it('is dead rests, and is told of everything when it is made active', async (t) => {
    const hook = await hooked(t);
    hook.receiver.answer = () => 500;
    const made = [await hook.test()];
    for (let i = 0; i < 7; i++) made.push(await hook.replay(made[0]));
    const resting = await until(async () => ((await hook.shown()).resting_until ? hook.shown() : null), { what: 'it rests' });
    assert.ok(resting.failures >= 5 && resting.failing_since !== null);
    hook.receiver.answer = () => 204;
    const well = await hook.tenant.api.ok('PATCH', hook.at, { status: 'active' });
    assert.deepEqual([well.failures, well.failing_since, well.resting_until], [0, null, null]);
    for (const each of made) await hook.delivery(each, delivered, 'all are told');
    await until(async () => (await hook.shown()).failures === 0, { what: 'it is well' });
  });

  it('answers 410 is told nothing until it is made active', async (t) => {
    const hook = await hooked(t);
    hook.receiver.answer = () => 410;
    const delivery = await hook.delivery(await hook.test(), ({ state }) => state === 'dead', 'it is dead');
    assert.equal(delivery.code, 410);
    assert.equal((await hook.shown()).status, 'gone');
    assertProblem(await hook.tenant.api.post(`${hook.at}/test`, {}), { status: 409 });
    assertProblem(await hook.tenant.api.post(`${hook.base}/deliveries/${delivery.id}/replay`, {}), { status: 409 });
    hook.receiver.answer = () => 204;
    await hook.tenant.api.ok('PATCH', hook.at, { status: 'active' });
    const from = new Date(Date.parse(delivery.created_at) - 1000).toISOString();
    assert.deepEqual(await hook.tenant.api.ok('POST', `${hook.at}/replay`, { from }), { replayed: 1, next_from: null });
    const again = await until(async () => (await hook.tenant.api.ok('GET', `${hook.base}/deliveries?state=delivered`)).items[0], { what: 'it is told after all' });
    assert.deepEqual([again.replay_of, again.event], [delivery.id, delivery.event]);
    assertProblem(await hook.tenant.api.post(`${hook.at}/replay`, { from, to: from }), { status: 400, field: 'from' });
  });
});

describe('webhooks change by REST', () => {
  it('have two secrets that are good until the overlap ends', async (t) => {
    const hook = await hooked(t);
    const rotated = await hook.tenant.api.ok('POST', `${hook.at}/secret`, { overlap_seconds: 3600 });
    assert.notEqual(rotated.secret, hook.webhook.secret);
    assert.ok(Date.parse(rotated.old_secret_until) > Date.now() + 3_000_000);
    await hook.delivery(await hook.test(), delivered, 'it is told');
    const [both] = hook.receiver.got;
    assert.ok(verified(both, hook.webhook.secret) && verified(both, rotated.secret));
    assert.equal(both.headers['belfry-signature'].split('v1=').length, 3);
    const last = await hook.tenant.api.ok('POST', `${hook.at}/secret`, { overlap_seconds: 0 });
    assert.equal(last.old_secret_until, null);
    await hook.delivery(await hook.test(), delivered, 'it is told');
    const one = hook.receiver.got.at(-1);
    assert.ok(verified(one, last.secret) && !verified(one, rotated.secret) && !verified(one, hook.webhook.secret));
    assertProblem(await hook.tenant.api.post(`${hook.at}/secret`, { overlap_seconds: -1 }), { status: 400, field: 'overlap_seconds' });
  });

  it('wait while they are paused, and get other events at another URL afterwards', async (t) => {
    const office = await told(t, { events: ['call.*'] });
    const at = `/v1/tenants/${office.tenant.id}/webhooks/${office.webhook.id}`;
    await office.tenant.api.ok('PATCH', at, { status: 'paused' });
    await aCall(office);
    await until(async () => (await office.tenant.api.ok('GET', `/v1/tenants/${office.tenant.id}/deliveries?type=call.ended`)).items.length === 1, { what: 'the delivery waits' });
    assert.equal(office.receiver.got.length, 0);
    const changed = await office.tenant.api.ok('PATCH', at, { status: 'active', url: office.receiver.url('/new'), events: ['call.ended'] });
    assert.deepEqual([changed.status, changed.url, changed.events], ['active', office.receiver.url('/new'), ['call.ended']]);
    const ended = await office.receiver.event(({ type }) => type === 'call.ended');
    assert.equal(ended.path, '/new');
    assert.deepEqual(story(office.receiver, ended.event.call_id).filter((type) => type !== 'call.ringing'), ['call.started', 'call.incoming', 'call.answered', 'call.ended']);
    assertProblem(await office.tenant.api.patch(at, {}), { status: 400 });
    assertProblem(await office.tenant.api.patch(at, { status: 'gone' }), { status: 400, field: 'status' });
    assertProblem(await office.tenant.api.patch(at, { url: 'ftp://a/' }), { status: 400, field: 'url' });
  });

  it('are made once when a request is repeated, and the secret is the same', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant();
    const path = `/v1/tenants/${tenant.id}/webhooks`;
    const headers = { 'idempotency-key': 'only-once' };
    const body = { url: 'https://a.example/', events: ['*'] };
    const [first, again] = [await tenant.api.post(path, body, { headers }), await tenant.api.post(path, body, { headers })];
    assert.deepEqual([first.status, again.status, again.headers.get('idempotency-replayed')], [201, 201, 'true']);
    assert.deepEqual(again.body, first.body);
    assert.equal((await tenant.api.ok('GET', path)).items.length, 1);
    assertProblem(await tenant.api.post(path, { ...body, events: ['call.*'] }, { headers }), { status: 409 });
  });
});

describe('with two replicas', () => {
  it('kill -9 of one in mid delivery loses nothing; what comes twice has the same id and body', async (t) => {
    const office = await told(t);
    const was = { fanouts: belfry.fanouts.length };
    await belfry.scale({ fanouts: 2 });
    try {
      let held = [];
      office.receiver.answer = () => new Promise((resolve) => { held.push(resolve); });
      for (let i = 0; i < 3; i++) await aCall(office);
      const calls = await until(async () => {
        const cdrs = await new CallBook(office.tenant.api, office.tenant).cdrs();
        return cdrs.length === 3 ? cdrs : null;
      }, { what: 'three CDRs' });
      await until(() => new Set(office.receiver.got.map(({ event }) => event.call_id)).size === 3, { what: 'a request of each call is on its way' });
      for (const { name } of belfry.fanouts.slice(0, 1)) await belfry.kill9(name);
      office.receiver.answer = () => 204;
      held.splice(0).forEach((resolve) => resolve(204)); // of the dead one nobody hears the answer
      for (const { id } of calls) {
        await until(() => story(office.receiver, id).includes('call.ended'), { what: `all of call ${id} is told`, deadline_ms: 60_000 });
        assert.deepEqual(story(office.receiver, id).filter((type) => type !== 'call.ringing'), ['call.started', 'call.incoming', 'call.answered', 'call.ended']);
      }
      const bodies = new Map();
      for (const { event, body } of office.receiver.got) {
        assert.equal(bodies.get(event.id) ?? body, body);
        bodies.set(event.id, body);
      }
      await until(async () => (await office.tenant.api.list(`/v1/tenants/${office.tenant.id}/deliveries`)).every(delivered), { what: 'all are settled', deadline_ms: 60_000 });
    } finally {
      await belfry.scale(was);
    }
  });
});
