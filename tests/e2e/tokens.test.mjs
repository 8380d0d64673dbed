// App tokens at the edge: who has one registers and calls with it in place of a password, and nobody else does.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { forgeries, partsOf, signed, tokenOf } from '../lib/app_token.mjs';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { CallBook } from '../lib/calls.mjs';
import { sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { World, hangUp, source } from '../lib/world.mjs';

const { belfry } = new World();
afterEach(() => belfry.allWell());

const bearer = (token) => ['Authorization', `Bearer ${token}`];
const refusals = () => belfry.metric('kamailio', 'kamailio_script_refused_password');

/** A user agent that shows a token in all that it sends, as JsSIP does. */
const holder = (world, tenant, number, token, more = {}) => world.ua(tenant, number, { transport: 'tls', password: 'not its own', headers: [bearer(token)], ...more });

/** A REGISTER or INVITE and its only answer: no challenge is answered. */
const once = (ua, method, { headers = [], ...options } = {}) =>
  ua.transact(ua.compose(method, method === 'INVITE' ? { uri: `sip:101@${ua.domain}`, to: `sip:101@${ua.domain}`, body: sdp(), headers: [['Contact', ua.contact], ...headers] } : { headers: [['Contact', ua.contact], ['Expires', 600], ...headers], ...options }));

async function refused(ua, why, method = 'REGISTER', what = why) {
  const reply = await once(ua, method);
  assert.equal(reply.status, 401, `${what}: ${method}: ${reply.first}`);
  assert.match(reply.get('WWW-Authenticate'), /^Bearer realm="[^"]+", error="invalid_token", error_description="[^"]+"$/);
  assert.match(reply.get('WWW-Authenticate'), why);
}

describe('an app token', () => {
  it('registers and calls over TLS, in either header; who is called does not see it', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const a = await holder(world, one, '100', await tokenOf(one, '100'));
    const b = await world.ua(one, '101');
    const book = new CallBook(world.operator, one);
    for (const ua of [a, b]) await book.registered(ua);
    const { call, request, dialog } = await world.call(a, b);
    const info = call.dialog.ask('INFO', { headers: [['Content-Type', 'text/plain']], body: 'x' });
    const inside = await b.incoming('INFO');
    b.reply(inside, 200);
    assert.equal((await info).status, 200);
    for (const each of [request, inside]) assert.doesNotMatch(each.headers.map(([name, value]) => `${name}: ${value}`).join('\n'), /bearer|authorization/i);
    await hangUp(dialog, a);
    a.headers = [['Proxy-Authorization', bearer(await tokenOf(one, '100'))[1]]];
    assert.ok(await world.reaches(a, b));
  });

  it('is refused when it is forged, expired, or somebody else’s; and counts as a wrong password', async (t) => {
    const world = new World(t);
    const [one, other] = [await world.tenant(), await world.tenant()];
    const token = await tokenOf(one, '100');
    const a = await holder(world, one, '100', token);
    const before = await refusals();
    let tries = 0;
    const says = async (text, why, what = why) => {
      a.headers = [bearer(text)];
      for (const method of ['REGISTER', 'INVITE']) await refused(a, why, method, what);
      tries += 2;
    };
    for (const [what, text] of Object.entries(await forgeries(belfry, token, { tenant: other, number: '101' }))) await says(text, /token/, what);
    const { header, claims } = partsOf(token);
    await says(signed({ ...header, kid: 'nobody' }, claims), /key is unknown/);
    await says(await tokenOf(one, '101'), /another extension/);
    await says(await tokenOf(other, '100'), /another tenant/);
    const brief = await tokenOf(one, '100', { expires_in_seconds: 1 });
    await until(() => Date.now() / 1000 > partsOf(brief).claims.exp + 1, { what: 'a token to expire' });
    await says(brief, /expired/);
    assert.equal(await refusals(), before + tries);
    a.headers = [bearer(token)];
    assert.equal((await a.register()).status, 200);
  });

  it('is no good once its extension is gone, made again under the same number or not, or its tenant suspended', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const a = await holder(world, one, '100', await tokenOf(one, '100'));
    const book = new CallBook(world.operator, one);
    await book.registered(a);
    await one.api.ok('DELETE', `/v1/tenants/${one.id}/extensions/100`);
    await until(async () => (await once(a, 'REGISTER')).status === 401, { what: 'the edge to hear of it' });
    await refused(a, /is gone/);
    await until(async () => (await book.registrations('100')).length === 0, { what: 'its binding to go' });
    await one.api.ok('POST', `/v1/tenants/${one.id}/extensions`, { number: '100', kind: 'softphone' });
    const again = await holder(world, one, '100', await tokenOf(one, '100'));
    await until(async () => (await once(again, 'REGISTER')).status === 200, { what: 'the new extension to be known' });
    await refused(a, /is gone/);
    await world.operator.ok('PATCH', `/v1/tenants/${one.id}`, { status: 'suspended' });
    await until(async () => (await once(again, 'REGISTER')).status === 403, { what: 'the suspension' });
  });

  it('is not taken where others can read it', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const token = await tokenOf(one, '100');
    for (const transport of ['udp', 'tcp']) {
      const a = await holder(world, one, '100', token, { transport });
      for (const method of ['REGISTER', 'INVITE']) assert.deepEqual([(await once(a, method)).status, transport], [403, transport]);
    }
  });

  it('keeps a binding no longer than it is good itself', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ limits: { max_registrations: 3 } });
    const a = await holder(world, one, '100', await tokenOf(one, '100', { expires_in_seconds: 90 }));
    const expires = (reply) => Number(/;expires=(\d+)/.exec(reply.get('Contact'))[1]);
    for (const headers of [[['Expires', 600]], [], [['Expires', 60]]]) {
      const reply = await a.transact(a.compose('REGISTER', { headers: [['Contact', a.contact], ...headers] }));
      assert.equal(reply.status, 200);
      assert.ok(expires(reply) <= (headers[0]?.[1] === 60 ? 60 : 90) && expires(reply) > 30, reply.get('Contact'));
    }
    const inside = await a.transact(a.compose('REGISTER', { headers: [['Contact', `${a.contact};expires=3600`]] }));
    assert.ok(expires(inside) <= 90, inside.get('Contact'));
    assert.equal((await a.transact(a.compose('REGISTER', { headers: [['Contact', `${a.contact};expires=0`]] }))).get('Contact'), undefined);
  });

  it('works on while the registry is away, and a new key is taken when it is back', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const token = await tokenOf(one, '100');
    const a = await holder(world, one, '100', token);
    assert.equal((await a.register()).status, 200);
    await belfry.stop('tenant-registry');
    try {
      const again = await holder(world, one, '100', token);
      assert.equal((await again.register()).status, 200);
      await refused(await holder(world, one, '100', token.slice(0, -9)), /token/);
    } finally {
      await belfry.start('tenant-registry');
    }
    await belfry.allWell();
    await belfry.sql('belfry_registry', 'DELETE FROM registry.app_key'); // all that were signed with them are void
    await belfry.kill9('tenant-registry');
    await belfry.allWell();
    const next = await until(() => tokenOf(one, '100').catch(() => null), { what: 'a new key' });
    assert.notEqual(partsOf(next).header.kid, partsOf(token).header.kid);
    const newer = await holder(world, one, '100', next);
    await until(async () => (await once(newer, 'REGISTER')).status === 200, { what: 'the edge to know the new key' });
    await refused(a, /key is unknown or revoked/);
  });

  it('a guesser is banned', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const host = source();
    const a = await holder(world, one, '100', `${await tokenOf(one, '100')}x`, { host });
    await belfry.kamcmd('htable.seti', 'authfail', host, '98');
    t.after(() => belfry.kamcmd('htable.delete', 'ban', host));
    for (let i = 0; i < 2; i++) await refused(a, /token/);
    assert.match(await belfry.kamcmd('htable.dump', 'ban'), new RegExp(host.replaceAll('.', '\\.')));
  });
});

describe('a browser with an app token', () => {
  it('registers, is called and calls, over wss and ws; the token stands in no log', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const browsers = await BrowserPhones.open(t, belfry);
    const tokens = [await tokenOf(one, '100'), await tokenOf(one, '101')];
    const [a, b] = [await browsers.add(t, one, '100', { hertz: 700, jwt: tokens[0] }), await browsers.add(t, one, '101', { hertz: 1100, jwt: tokens[1], url: belfry.ws })];
    for (const each of [a, b]) await each.register();
    for (const [from, to] of [[a, b], [b, a]]) {
      await from.call(to.user);
      const { request } = await to.incoming();
      assert.doesNotMatch(request, /bearer/i);
      await to.answer();
      for (const each of [from, to]) await each.event('confirmed');
      await Promise.all([from.hears(to.hertz), to.hears(from.hertz)]);
      await from.do('hangUp');
      await to.event('ended');
    }
    const wrong = await browsers.add(t, one, '101', { jwt: tokens[0] });
    await assert.rejects(wrong.register(), { status: 401 });
    const logs = path.join(belfry.run, 'log');
    for (const file of readdirSync(logs)) for (const token of tokens) assert.ok(!readFileSync(path.join(logs, file), 'utf8').includes(token.slice(-60)), `${file} has a token`);
  });
});
