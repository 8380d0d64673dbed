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
