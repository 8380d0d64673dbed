// REGISTER: who may, who may not, and what each is told.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { CallBook } from '../lib/calls.mjs';
import { authorization, challengeOf, elements, sdp, uriOf } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const shared = new World();
let tenant;

before(async () => {
  tenant = await shared.tenant({ numbers: ['100', '101', '102'] });
});

const contactsOf = (reply) => reply.all('Contact').flatMap(elements);

/** Headers of a reply without what differs from request to request. */
const face = (reply) => [reply.first, ...reply.headers.filter(([name]) => !['via', 'to', 'from', 'call-id', 'cseq'].includes(name))
  .map(([name, value]) => `${name}: ${value.replace(/nonce="[^"]*"/, 'nonce=""')}`)];

for (const transport of ['udp', 'tcp']) {
  describe(`over ${transport}`, () => {
    it('challenged, then 200 with the binding and its expiry; deregistered by Expires: 0', async (t) => {
      const ua = await new World(t).ua(tenant, '100', { transport });
      const reply = await ua.register({ expires_s: 300 });
      assert.equal(reply.status, 200);
      const challenge = challengeOf(reply.challenge.get('WWW-Authenticate'));
      assert.equal(reply.challenge.status, 401);
      assert.equal(challenge.realm, tenant.domain);
      assert.equal(challenge.qop, 'auth');
      const contact = contactsOf(reply).find((value) => value.includes(`:${ua.port}`));
      assert.ok(contact, 'the binding is in the reply');
      const expires = Number(/expires=(\d+)/.exec(contact)[1]);
      assert.ok(expires > 250 && expires <= 300, contact);
      const gone = await ua.register({ expires_s: 0 });
      assert.equal(gone.status, 200);
      assert.ok(!contactsOf(gone).some((value) => value.includes(`:${ua.port}`)));
    });

    it('again with the same Call-ID: still one binding', async (t) => {
      const ua = await new World(t).ua(tenant, '101', { transport });
      for (let i = 0; i < 3; i++) assert.equal((await ua.register()).status, 200);
      const reply = await ua.register();
      assert.equal(contactsOf(reply).length, 1, reply.bytes.toString());
      await ua.register({ expires_s: 0 });
    });

    it('without a Contact: tells the bindings and changes nothing', async (t) => {
      const ua = await new World(t).ua(tenant, '102', { transport });
      await ua.register();
      const reply = await ua.ask('REGISTER');
      assert.equal(reply.status, 200);
      assert.equal(contactsOf(reply).length, 1);
      await ua.register({ expires_s: 0 });
    });
  });
}

describe('what a device says for our eyes only (RFC 8599)', () => {
  const pn = (token, more = '') => `;pn-provider=apns;pn-prid=${token};pn-param=TEAM.app.voip;pn-purr=p${more}`;
  const secret = /pn-|belfry-wake|SECRET/i;

  /** A phone whose Contact has these parameters, each REGISTER anew. */
  const asking = (ua, token) => ({ contact: `${ua.contact.replace('>', `${pn(token)}>`)};belfry-wake=WAKE-SECRET;+sip.instance="<urn:x:${token.slice(0, 4)}>"` });

  for (const limits of [undefined, { max_registrations: 10 }]) {
    it(`is in no answer, not even its own${limits ? ', with max_registrations' : ''}`, async (t) => {
      const world = new World(t);
      const own = await world.tenant({ numbers: ['100', '101'], ...(limits ? { limits } : {}) });
      const [a, b, caller] = [await world.ua(own, '100'), await world.ua(own, '100', { transport: 'tcp' }), await world.ua(own, '101')];
      for (const [ua, token] of [[a, 'AAAA-SECRET'], [b, 'BBBB-SECRET'], [a, 'AAAA-SECRET']]) {
        const reply = await ua.register(asking(ua, token));
        assert.equal(reply.status, 200, reply.first);
        assert.ok(!secret.test(reply.bytes.toString()), reply.bytes.toString());
        assert.ok(contactsOf(reply).some((value) => value.includes(`:${ua.port}`)), 'its binding is there');
      }
      const rotated = await a.register(asking(a, 'AAAA-SECRET-2'));
      assert.equal(contactsOf(rotated).length, 2, 'another token is the same contact');
      const list = await b.ask('REGISTER');
      assert.equal(contactsOf(list).length, 2);
      assert.ok(!secret.test(list.bytes.toString()), list.bytes.toString());
      const [edge] = world.belfry.edges;
      const bound = await edge.kamcmd('ul.lookup', 'location', `100@${own.id}`);
      assert.ok(bound.includes(`:${a.port}`) && !secret.test(bound), bound);
      const book = new CallBook(world.operator, own);
      await until(async () => (await book.registrations('100')).length === 2, { what: 'both in the location index' });
      assert.ok(!secret.test(JSON.stringify(await book.registrations())));
      const keys = execFileSync('redis-cli', ['-s', world.belfry.env.BELFRY_REDIS, 'HGETALL', `b:{${own.id}}:100`], { encoding: 'latin1' });
      assert.ok(keys.includes(`:${a.port}`) && !/SECRET/.test(keys), 'Redis does not have it');
      await caller.register();
      const call = caller.invite('100', { body: sdp() });
      for (const ua of [a, b]) {
        const request = await ua.incoming('INVITE');
        assert.ok(!secret.test(request.bytes.toString()), request.bytes.toString());
        ua.reply(request, 486);
      }
      assert.equal((await call.final).status, 486);
    });
  }

  it('an answer is never of another extension, whatever was refused before it', async (t) => {
    const world = new World(t);
    const [one, other] = [await world.tenant({ numbers: ['100'] }), await world.tenant({ numbers: ['100'] })];
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}/extensions/100`, { max_contacts: 1 });
    const [first, second, stranger] = [await world.ua(one, '100'), await world.ua(one, '100'), await world.ua(other, '100')];
    assert.equal((await first.register()).status, 200);
    for (let i = 0; i < 20; i++) { // whichever workers these come to
      assert.equal((await second.register()).status, 403);
      const reply = await stranger.ask('REGISTER', { headers: [['Contact', '*'], ['Expires', 0]] });
      assert.deepEqual([reply.status, reply.get('Contact')], [200, undefined], reply.bytes.toString());
      const bad = await stranger.ask('REGISTER', { headers: [['Contact', '*'], ['Expires', 60]] });
      assert.deepEqual([bad.status, bad.get('Contact')], [400, undefined], bad.bytes.toString());
    }
  });
});

describe('a number that is deleted and made again', () => {
  it("does not ring its former owner's phone, which is still registered", async (t) => {
    const world = new World(t);
    const own = await world.tenant({ numbers: ['100', '101'] });
    const base = `/v1/tenants/${own.id}/extensions`;
    const [caller, former] = await world.pair(own);
    await world.operator.delete(`${base}/101`);
    const made = await world.operator.ok('POST', base, { number: '101', kind: 'softphone' });
    const early = caller.invite('101', { body: sdp() });
    assert.equal((await early.final).status, 480);
    own.passwords['101'] = made.password;
    const owner = await new CallBook(world.operator, own).registered(await world.ua(own, '101'));
    const call = caller.invite('101', { body: sdp() });
    owner.reply(await owner.incoming('INVITE'), 486);
    assert.equal((await call.final).status, 486);
    assert.ok(!former.has('INVITE'));
    assert.equal((await former.register()).status, 401);
    await until(async () => (await new CallBook(world.operator, own).registrations('101')).length === 1, { what: 'its binding is gone' });
  });
});

describe('limits', () => {
  it('expiry is kept between the smallest and the largest that the edge allows', async (t) => {
    const ua = await new World(t).ua(tenant, '100');
    const long = await ua.register({ expires_s: 999_999 });
    assert.equal(long.status, 200);
    assert.ok(Number(/expires=(\d+)/.exec(long.get('Contact'))[1]) <= 3600);
    const short = await ua.register({ expires_s: 1 });
    if (short.status === 423) assert.match(short.get('Min-Expires') ?? '', /^\d+$/);
    else assert.ok(Number(/expires=(\d+)/.exec(short.get('Contact'))[1]) >= 30);
    await ua.register({ expires_s: 0 });
  });

  it('one contact more than max_contacts is refused and says so; the others stay', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100'] });
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}/extensions/100`, { max_contacts: 2 });
    const [a, b, c] = [await world.ua(one, '100'), await world.ua(one, '100', { transport: 'tcp' }), await world.ua(one, '100')];
    assert.equal((await a.register()).status, 200);
    assert.equal((await b.register()).status, 200);
    const refused = await c.register();
    assert.equal(refused.status, 403);
    assert.match(refused.reason, /contacts/i);
    const list = await a.ask('REGISTER');
    assert.deepEqual(contactsOf(list).map((value) => Number(/:(\d+)/.exec(uriOf(value).split('@')[1])[1])).sort(), [a.port, b.port].sort());
    assert.equal((await a.register()).status, 200, 'a known contact refreshes at the limit');
    await b.register({ expires_s: 0 });
    assert.equal((await c.register()).status, 200, 'and there is room again');
  });

  it('a raised max_contacts is effective with the next REGISTER', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100'] });
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}/extensions/100`, { max_contacts: 1 });
    const [a, b] = [await world.ua(one, '100'), await world.ua(one, '100')];
    assert.equal((await a.register()).status, 200);
    assert.equal((await b.register()).status, 403);
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}/extensions/100`, { max_contacts: 2 });
    await until(async () => (await b.register()).status === 200, { what: 'the second contact', deadline_ms: 5_000 });
  });
});

describe('who may not', () => {
  it('a wrong password and an unknown user: the same answers, header by header', async (t) => {
    const world = new World(t);
    const wrong = await world.ua(tenant, '100', { password: 'wrong-password-x' });
    const unknown = await world.ua(tenant, '404404', { password: 'wrong-password-x' });
    const [w, u] = [await wrong.register(), await unknown.register()];
    assert.equal(w.status, 401);
    assert.deepEqual(face(u.challenge), face(w.challenge));
    assert.deepEqual(face(u), face(w));
    const again = [await wrong.register(), await unknown.register()]; // now both are cached
    assert.deepEqual(face(again[1]), face(again[0]));
  });

  it('somebody else’s credentials for this extension', async (t) => {
    const ua = await new World(t).ua(tenant, '100', { auth_user: '101', password: tenant.passwords['101'] });
    assert.equal((await ua.register()).status, 401);
  });

  it('a nonce of our own making', async (t) => {
    const ua = await new World(t).ua(tenant, '100');
    const first = ua.compose('REGISTER', { headers: [['Contact', ua.contact]] });
    const reply = await ua.transact(first);
    const challenge = { ...challengeOf(reply.get('WWW-Authenticate')), nonce: 'Zm9yZ2VkZm9yZ2VkZm9yZ2Vk' };
    const forged = ua.compose('REGISTER', { headers: [['Contact', ua.contact],
      ['Authorization', authorization(challenge, { method: 'REGISTER', uri: first.uri, user: '100', password: ua.password })]] });
    assert.equal((await ua.transact(forged)).status, 401);
  });

  it('the same nonce count twice (a replay)', async (t) => {
    const ua = await new World(t).ua(tenant, '100');
    const first = ua.compose('REGISTER', { headers: [['Contact', ua.contact]] });
    const reply = await ua.transact(first);
    const header = ['Authorization', authorization(challengeOf(reply.get('WWW-Authenticate')), { method: 'REGISTER', uri: first.uri, user: '100', password: ua.password })];
    const send = () => ua.transact(ua.compose('REGISTER', { headers: [['Contact', ua.contact], header] }));
    assert.equal((await send()).status, 200);
    const replay = await send();
    assert.equal(replay.status, 401);
    assert.match(replay.get('WWW-Authenticate'), /stale=true/i);
    await ua.register({ expires_s: 0 });
  });

  it('a wrong digest URI, realm or method in the digest', async (t) => {
    const ua = await new World(t).ua(tenant, '100');
    for (const change of [{ realm: 'other.example' }, { method: 'INVITE' }]) {
      const first = ua.compose('REGISTER', { headers: [['Contact', ua.contact]] });
      const challenge = challengeOf((await ua.transact(first)).get('WWW-Authenticate'));
      const value = authorization(challenge, { method: 'REGISTER', uri: first.uri, user: '100', password: ua.password, ...change });
      const reply = await ua.transact(ua.compose('REGISTER', { headers: [['Contact', ua.contact], ['Authorization', value]] }));
      assert.equal(reply.status, 401, JSON.stringify(change));
    }
  });

  it('an unknown domain: 404, without a challenge', async (t) => {
    const ua = await new World(t).ua({ ...tenant, domain: 'nobody-has-this.example' }, '100');
    const reply = await ua.register();
    assert.deepEqual([reply.status, reply.challenge], [404, undefined]);
  });

  it('a suspended tenant: 403; active again: 200, without a restart', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100'] });
    const ua = await world.ua(one, '100');
    assert.equal((await ua.register()).status, 200);
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}`, { status: 'suspended' });
    const refused = await until(async () => {
      const reply = await ua.register();
      return reply.status !== 200 && reply;
    }, { what: 'refusal after suspension', deadline_ms: 5_000 });
    assert.equal(refused.status, 403);
    assert.match(refused.reason, /suspended/i);
    assert.equal((await ua.invite('100').final).status, 403);
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}`, { status: 'active' });
    await until(async () => (await ua.register()).status === 200, { what: 'registration after reactivation', deadline_ms: 5_000 });
  });
});

describe('changes by REST', () => {
  it('a new tenant, domain and extension register at once', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100'] });
    const second = `second.${one.domain}`;
    await world.operator.ok('POST', `/v1/tenants/${one.id}/domains`, { name: second });
    const ua = await world.ua({ ...one, domain: second }, '100');
    const reply = await until(async () => {
      const answer = await ua.register();
      return answer.status !== 404 && answer;
    }, { what: 'the new domain at the edge', deadline_ms: 5_000 });
    assert.equal(reply.status, 200);
    assert.equal(challengeOf(reply.challenge.get('WWW-Authenticate')).realm, one.domain, 'the realm stays the first domain');
    assert.equal((await world.operator.delete(`/v1/tenants/${one.id}/domains/${second}`)).status, 204);
    await until(async () => (await ua.register()).status === 404, { what: 'the removed domain gone', deadline_ms: 5_000 });
  });

  it('a password reset: the new one registers, the old one does not', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100'] });
    const old = await world.ua(one, '100');
    assert.equal((await old.register()).status, 200);
    const { password } = await world.operator.ok('POST', `/v1/tenants/${one.id}/extensions/100/password`, {});
    await until(async () => (await old.register()).status === 401, { what: 'refusal of the old password', deadline_ms: 5_000, every_ms: 100 });
    const fresh = await world.ua({ ...one, passwords: { 100: password } }, '100');
    assert.equal((await fresh.register()).status, 200);
  });

  it('an extension that was unknown a moment ago registers once it is made', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: [] });
    const early = await world.ua({ ...one, passwords: { 100: 'nobody-knows-it' } }, '100');
    await until(async () => (await early.register()).status === 401, { what: '401 for an unknown user', deadline_ms: 5_000 });
    const { password } = await world.operator.ok('POST', `/v1/tenants/${one.id}/extensions`, { number: '100', kind: 'softphone' });
    const ua = await world.ua({ ...one, passwords: { 100: password } }, '100');
    await until(async () => (await ua.register()).status === 200, { what: 'registration', deadline_ms: 5_000, every_ms: 100 });
  });

  it('a deleted extension: its bindings are gone, a call to it is told so', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a] = await world.pair(one);
    assert.equal((await world.operator.delete(`/v1/tenants/${one.id}/extensions/101`)).status, 204);
    const reply = await until(async () => {
      const answer = await a.invite('101', { deadline_ms: 3_000 }).final;
      return answer.status === 404 && answer;
    }, { what: '404 for a deleted extension', deadline_ms: 10_000, every_ms: 100 });
    assert.equal(reply.status, 404);
  });
});

it('a challenge has the credential looked up: the answer to it is not suspended', async (t) => {
  const world = new World(t);
  const one = await world.tenant({ numbers: ['100'] });
  const count = (name) => world.belfry.metric('kamailio', `kamailio_tenant_${name}`);
  const ua = await world.ua(one, '100');
  const request = ua.compose('REGISTER', { headers: [['Contact', ua.contact]] });
  const before = [await count('credentials'), await count('expects'), await count('asks')];
  const challenge = await until(async () => {
    const reply = await ua.transact(ua.compose('REGISTER', { headers: [['Contact', ua.contact]] }));
    return reply.status === 401 && reply;
  }, { what: 'the new domain at the edge', deadline_ms: 5_000 });
  await until(async () => (await count('credentials')) === before[0] + 1, { what: 'the credential in the cache', deadline_ms: 5_000 });
  assert.equal((await ua.transact(ua.authorize(request, challenge))).status, 200);
  assert.deepEqual([await count('expects'), await count('asks')], [before[1] + 1, before[2]]);
});

it('the second of two tenants with the same numbers has its own bindings', async (t) => {
  const world = new World(t);
  const [one, two] = [await world.tenant(), await world.tenant()];
  await world.pair(one);
  const ua = await world.ua(two, '100');
  assert.equal(contactsOf(await ua.register()).length, 1);
});
