// Calls inside a tenant: set-up, media, changes, ends, and who may claim to be whom.
import assert from 'node:assert/strict';
import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { melody, recognise, writeWav } from '../lib/audio.mjs';
import { RtpEnd, delays, relayed } from '../lib/rtp.mjs';
import { encode } from '../lib/sip.mjs';
import { mediaOf, sdp, tagOf, uriOf } from '../lib/sip_message.mjs';
import { sipp } from '../lib/sipp.mjs';
import { until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();
const NUMBERS = { numbers: ['100', '101', '102'] };

const gone = (call_id) => until(async () => {
  const answer = await relayed(belfry.relays, call_id);
  return answer.result === 'error' || Object.values(answer.tags ?? {}).every((tag) => tag.deleted);
}, { what: `end of ${call_id} at rtpengine`, deadline_ms: 10_000, every_ms: 200 });

for (const [from, to] of [['udp', 'udp'], ['tcp', 'udp'], ['udp', 'tcp'], ['tcp', 'tcp']]) {
  describe(`${from} calls ${to}`, () => {
    it('INVITE, 180, 200, ACK, BYE from either side; the media goes through the relay', async (t) => {
      const world = new World(t);
      const [a, b] = await world.pair(await world.tenant(), { caller: { transport: from }, callee: { transport: to } });
      const [ra, rb] = [await RtpEnd.open(), await RtpEnd.open()];
      t.after(() => Promise.all([ra.close(), rb.close()]));
      for (const who of ['caller', 'callee']) {
        const call = a.invite('101', { body: sdp(ra) });
        const request = await b.incoming('INVITE');
        b.reply(request, 180);
        await call.ringing();
        b.reply(request, 200, { body: sdp(rb) });
        const answer = await call.final;
        assert.equal(answer.status, 200);
        call.ack();
        await b.incoming('ACK');
        const relay = [mediaOf(request.body).port, mediaOf(answer.body).port];
        for (const port of relay) assert.ok(port >= belfry.port(1000) && port <= belfry.port(2999), `media at ${port}`);
        await Promise.all([ra.send(mediaOf(answer.body), 10), rb.send(mediaOf(request.body), 10)]);
        await until(() => delays(ra, rb).length >= 10 && delays(rb, ra).length >= 10, { what: 'RTP both ways' });
        const dialog = b.dialog(request);
        const bye = await (who === 'caller' ? hangUp(call.dialog, b) : hangUp(dialog, a));
        assert.equal(bye.status, 200);
        await gone(call.call_id);
        ra.received.length = rb.received.length = 0;
        ra.sent.clear();
        rb.sent.clear();
      }
    });

    it('CANCEL: 200, 487, and the callee stops ringing', async (t) => {
      const world = new World(t);
      const [a, b] = await world.pair(await world.tenant(), { caller: { transport: from }, callee: { transport: to } });
      const call = a.invite('101', { body: sdp() });
      const request = await b.incoming('INVITE');
      b.reply(request, 180);
      await call.ringing();
      const cancel = call.cancel();
      b.reply(await b.incoming('CANCEL'), 200);
      b.reply(request, 487);
      assert.equal((await cancel).status, 200);
      assert.equal((await call.final).status, 487);
      await b.incoming('ACK');
    });

    it('re-INVITE from either side: hold and back; UPDATE-free SDP answers stay at the relay', async (t) => {
      const world = new World(t);
      const [a, b] = await world.pair(await world.tenant(), { caller: { transport: from }, callee: { transport: to } });
      const { call, dialog } = await world.call(a, b);
      for (const [asker, other, direction, answer] of [
        [call.dialog, b, 'sendonly', 'recvonly'], [call.dialog, b, 'sendrecv', 'sendrecv'], [dialog, a, 'inactive', 'inactive'], [dialog, a, 'sendrecv', 'sendrecv'],
      ]) {
        const ask = asker.ask('INVITE', { body: sdp({ port: 4000, direction, version: 2 }) });
        const request = await other.incoming('INVITE');
        assert.equal(mediaOf(request.body).direction, direction);
        assert.ok(mediaOf(request.body).port >= belfry.port(1000), 'the offer still leads to the relay');
        other.reply(request, 200, { body: sdp({ port: 4002, direction: answer, version: 2 }) });
        const reply = await ask;
        assert.equal(reply.status, 200);
        assert.equal(mediaOf(reply.body).direction, answer);
        await other.incoming('ACK');
      }
      const refused = call.dialog.ask('INVITE', { body: sdp({ version: 3 }) });
      b.reply(await b.incoming('INVITE'), 488);
      assert.equal((await refused).status, 488);
      assert.equal((await hangUp(dialog, a)).status, 200, 'a refused re-INVITE ends nothing');
    });
  });
}

describe('real phones', () => {
  it('hear each other: udp to tcp, both directions, one of them holding in between', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const phones = world.phones();
    const sounds = [melody(11, 30), melody(12, 30)];
    mkdirSync(world.output, { recursive: true });
    const files = sounds.map((sound, i) => {
      const file = path.join(world.output, `sound-${i}.wav`);
      writeWav(file, sound);
      return file;
    });
    const caller = await phones.add({ user: '100', domain: one.domain, password: one.passwords['100'], sound: files[0], transport: 'udp' });
    const callee = await phones.add({ user: '101', domain: one.domain, password: one.passwords['101'], sound: files[1], transport: 'tcp', answer: 'manual' });
    for (const phone of [caller, callee]) await phone.register();
    await caller.dial(`sip:101@${one.domain}`);
    await callee.event('CALL_INCOMING');
    await callee.answer();
    const { id } = await caller.event('CALL_ESTABLISHED');
    await callee.event('CALL_ESTABLISHED');
    await delay(3000); // the talk
    const { totals } = await relayed(belfry.relays, id);
    assert.ok(totals.RTP.packets >= 200 && totals.RTP.errors === 0, JSON.stringify(totals));
    await caller.hangup();
    await callee.event('CALL_CLOSED');
    for (const [hears, sound, other] of [[callee, sounds[0], sounds[1]], [caller, sounds[1], sounds[0]]]) {
      const { heard, ...seen } = await hears.hears(sound, 3000);
      assert.ok(seen.match >= 0.95, `${hears.user} heard ${JSON.stringify(seen)}`);
      assert.ok(recognise(other, heard).match < 0.1, 'and nothing of its own sound');
    }
    await gone(id);
  });

  it('a phone that refuses, one that does not answer, one that is not there', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ numbers: ['100', '101', '102'] });
    const phones = world.phones();
    const caller = await phones.add({ user: '100', domain: one.domain, password: one.passwords['100'] });
    const callee = await phones.add({ user: '101', domain: one.domain, password: one.passwords['101'], answer: 'manual', transport: 'tcp' });
    for (const phone of [caller, callee]) await phone.register();
    await caller.dial(`sip:101@${one.domain}`);
    await callee.event('CALL_INCOMING');
    await callee.hangup();
    assert.match((await caller.event('CALL_CLOSED')).param, /^486/);
    await caller.dial(`sip:101@${one.domain}`);
    await callee.event('CALL_INCOMING');
    callee.forget();
    await caller.hangup();
    await callee.event('CALL_CLOSED');
    await caller.event('CALL_CLOSED').catch(() => {});
    for (const [number, reply] of [['102', /^480/], ['999', /^404/]]) {
      caller.forget();
      await caller.dial(`sip:${number}@${one.domain}`);
      assert.match((await caller.event('CALL_CLOSED')).param, reply);
    }
  });
});

describe('refusals', () => {
  it('busy, declined, not acceptable: the callee’s own answer', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a, b] = await world.pair(tenant);
    for (const status of [486, 603, 488, 415]) {
      const call = a.invite('101', { body: sdp() });
      b.reply(await b.incoming('INVITE'), status);
      assert.equal((await call.final).status, status);
      await gone(call.call_id);
    }
  });

  it('not registered: 480; no such extension: 404; no user: 484', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a] = await world.pair(tenant);
    assert.equal((await a.invite('102').final).status, 480);
    assert.equal((await a.invite('987').final).status, 404);
    assert.equal((await a.invite(`sip:${tenant.domain}`).final).status, 484);
  });

  it('over max_calls: 486 that says so; an ended call frees its place', async (t) => {
    const world = new World(t);
    const one = await world.tenant({ limits: { max_calls: 1 } });
    const [a, b] = await world.pair(one);
    const { dialog } = await world.call(a, b);
    const refused = await b.invite('100', { body: sdp() }).final;
    assert.equal(refused.status, 486);
    assert.match(refused.get('Reason') ?? '', /max_calls/);
    await hangUp(dialog, a);
    await until(() => world.reaches(b, a), { what: 'the place freed', deadline_ms: 10_000 });
  });

  it('too many hops: 483; a loop of routes is not followed', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a] = await world.pair(tenant);
    const request = a.compose('INVITE', { uri: `sip:101@${tenant.domain}`, headers: [['Contact', a.contact]] });
    request.headers = request.headers.map(([name, value]) => [name, name === 'Max-Forwards' ? 0 : value]);
    assert.equal((await a.transact(request)).status, 483);
  });
});

describe('identity', () => {
  it('the From’s user is who authenticated', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a, b] = await world.pair(tenant);
    a.auth_user = '100';
    const liar = await a.invite('101', { from: `sip:102@${tenant.domain}` }).final;
    assert.equal(liar.status, 403);
    assert.ok(!b.has('INVITE'));
  });

  it('a From of nobody’s domain: 404; without a user: 403', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a] = await world.pair(tenant);
    assert.equal((await a.invite('101', { from: 'sip:100@nobody-has-this.example' }).final).status, 404);
    assert.equal((await a.invite('101', { from: `sip:${tenant.domain}` }).final).status, 403);
  });

  it('a wrong password: 407 and nobody rings', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [, b] = await world.pair(tenant);
    const thief = await world.ua(tenant, '100', { password: 'wrong-password-x' });
    assert.equal((await thief.invite('101').final).status, 407);
    assert.ok(!b.has('INVITE'));
  });

  it('what a caller asserts about itself does not reach the callee, nor do its credentials', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a, b] = await world.pair(tenant);
    const call = a.invite('101', { headers: [['Contact', a.contact], ['P-Asserted-Identity', '<sip:boss@acme.example>'], ['Remote-Party-ID', '<sip:boss@acme.example>']] });
    const request = await b.incoming('INVITE');
    assert.equal(request.get('P-Asserted-Identity'), `<sip:100@${tenant.domain}>`, 'ours alone');
    assert.equal(request.get('Remote-Party-ID'), undefined);
    assert.equal(request.get('Proxy-Authorization'), undefined);
    b.reply(request, 486);
    await call.final;
  });
});

describe('NAT', () => {
  it('a Contact and Via with a private address: answers and calls go where the packets came from', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const b = await world.ua(one, '101', { contact: '<sip:101@192.168.77.5:5060>' });
    const a = await world.ua(one, '100', { contact: '<sip:100@10.1.2.3:5060>' });
    for (const ua of [a, b]) assert.equal((await ua.register()).status, 200);
    const { call, request, dialog, answer } = await world.call(a, b);
    assert.match(uriOf(request.get('Contact')), new RegExp(`alias=${a.host.replaceAll('.', '\\.')}~${a.port}~1`));
    assert.match(uriOf(answer.get('Contact')), new RegExp(`alias=${b.host.replaceAll('.', '\\.')}~${b.port}~1`));
    const hold = call.dialog.ask('INVITE', { body: sdp({ direction: 'sendonly' }) });
    b.reply(await b.incoming('INVITE'), 200, { body: sdp({ direction: 'recvonly' }) });
    assert.equal((await hold).status, 200);
    await b.incoming('ACK');
    assert.equal((await hangUp(dialog, a)).status, 200, 'the BYE from the callee finds the caller');
  });

  it('RTP from elsewhere than the SDP says is learned (symmetric RTP)', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const [ra, rb] = [await RtpEnd.open(), await RtpEnd.open()];
    t.after(() => Promise.all([ra.close(), rb.close()]));
    const { call, request, answer, dialog } = await world.call(a, b, { body: sdp({ host: '10.9.9.9', port: 4444 }), answer_body: sdp({ host: '10.8.8.8', port: 5555 }) });
    await until(async () => {
      await Promise.all([ra.send(mediaOf(answer.body), 2), rb.send(mediaOf(request.body), 2)]);
      return delays(ra, rb).length > 0 && delays(rb, ra).length > 0;
    }, { what: 'learned addresses' });
    await hangUp(dialog, a);
    await gone(call.call_id);
  });
});

describe('forking', () => {
  it('both devices ring, the first to answer has the call, the other is cancelled; each has its own media', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one, { callee: { transport: 'tcp' } });
    const c = await world.ua(one, '101');
    assert.equal((await c.register()).status, 200);
    const call = a.invite('101', { body: sdp() });
    const [at_b, at_c] = [await b.incoming('INVITE'), await c.incoming('INVITE')];
    assert.notEqual(mediaOf(at_b.body).port, mediaOf(at_c.body).port, 'each branch has its own offer');
    b.reply(at_b, 180);
    c.reply(at_c, 180);
    await call.ringing();
    c.reply(at_c, 200, { body: sdp({ port: 21 }) });
    const answer = await call.final;
    assert.equal(answer.status, 200);
    b.reply(await b.incoming('CANCEL'), 200);
    b.reply(at_b, 487);
    await b.incoming('ACK');
    call.ack();
    await c.incoming('ACK');
    assert.equal((await hangUp(c.dialog(at_c), a)).status, 200);
    await gone(call.call_id);
  });

  it('one device refuses, the other still rings; all refuse: one answer', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one);
    const c = await world.ua(one, '101');
    await c.register();
    const call = a.invite('101', { body: sdp() });
    b.reply(await b.incoming('INVITE'), 486);
    const request = await c.incoming('INVITE');
    c.reply(request, 180);
    await call.ringing();
    c.reply(request, 486);
    assert.equal((await call.final).status, 486);
  });
});

describe('transfer', () => {
  // 100 talks to 101 and 102 and gives each to the other.
  for (const form of ['as that call showed it', 'as a number']) {
    it(`attended: REFER with Replaces, the other party named ${form}`, async (t) => {
      const world = new World(t);
      const tenant = await world.tenant(NUMBERS);
      const [a, b] = await world.pair(tenant);
      const c = await world.ua(tenant, '102');
      assert.equal((await c.register()).status, 200);
      const [ab, ac] = [await world.call(a, b), await world.call(a, c)];
      const target = form === 'as a number' ? `sip:102@${tenant.domain}` : uriOf(ac.answer.get('Contact'));
      const replaces = `${ac.call.call_id};to-tag=${tagOf(ac.answer.get('To'))};from-tag=${ac.call.request.from_tag}`;
      const refer = ab.call.dialog.ask('REFER', { headers: [['Contact', a.contact], ['Refer-To', `<${target}?Replaces=${encodeURIComponent(replaces)}>`]] });
      b.reply(await b.incoming('REFER'), 202);
      assert.equal((await refer).status, 202);
      const notify = ab.dialog.ask('NOTIFY', { headers: [['Event', 'refer'], ['Subscription-State', 'active'], ['Content-Type', 'message/sipfrag']], body: 'SIP/2.0 100 Trying\r\n' });
      a.reply(await a.incoming('NOTIFY'), 200);
      assert.equal((await notify).status, 200);
      const call = b.invite(target, { body: sdp({ port: 41 }), headers: [['Contact', b.contact], ['Replaces', replaces]] });
      const request = await c.incoming('INVITE');
      assert.equal(request.get('Replaces'), replaces);
      c.reply(request, 200, { body: sdp({ port: 43 }) });
      assert.equal((await call.final).status, 200);
      call.ack();
      await c.incoming('ACK');
      assert.equal((await hangUp(ac.dialog, a)).status, 200);
      assert.equal((await hangUp(ab.call.dialog, b)).status, 200);
      assert.equal((await hangUp(call.dialog, c)).status, 200);
    });
  }

  it('blind: REFER, and the one who is transferred calls with its own name', async (t) => {
    const world = new World(t);
    const tenant = await world.tenant(NUMBERS);
    const [a, b] = await world.pair(tenant);
    const c = await world.ua(tenant, '102');
    assert.equal((await c.register()).status, 200);
    const ab = await world.call(a, b);
    const refer = ab.call.dialog.ask('REFER', { headers: [['Contact', a.contact], ['Refer-To', `<sip:102@${tenant.domain}>`]] });
    b.reply(await b.incoming('REFER'), 202);
    assert.equal((await refer).status, 202);
    assert.equal((await hangUp(ab.call.dialog, b)).status, 200);
    const { call } = await world.call(b, c);
    assert.equal((await hangUp(call.dialog, c)).status, 200);
  });

  it('a Replaces of another tenant’s call leads nowhere', async (t) => {
    const world = new World(t);
    const [one, two] = [await world.tenant(NUMBERS), await world.tenant(NUMBERS)];
    const [a, b] = await world.pair(one);
    const [x] = await world.pair(two);
    const { call, answer, dialog } = await world.call(a, b);
    const replaces = `${call.call_id};to-tag=${tagOf(answer.get('To'))};from-tag=${call.request.from_tag}`;
    const refused = await x.invite(uriOf(answer.get('Contact')), { body: sdp(), headers: [['Contact', x.contact], ['Replaces', replaces]] }).final;
    assert.equal(refused.status, 404);
    assert.ok(!b.has('INVITE'));
    assert.equal((await hangUp(dialog, a)).status, 200);
  });
});

describe('inside a call', () => {
  it('INFO and OPTIONS are carried; a BYE is answered once', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const { call, dialog } = await world.call(a, b);
    const info = call.dialog.ask('INFO', { headers: [['Content-Type', 'application/dtmf-relay']], body: 'Signal=5\r\nDuration=100\r\n' });
    const request = await b.incoming('INFO');
    assert.match(request.body.toString(), /Signal=5/);
    b.reply(request, 200);
    assert.equal((await info).status, 200);
    assert.equal((await hangUp(dialog, a)).status, 200);
  });

  it('an INVITE without SDP: the offer comes in the 200, the answer in the ACK, both through the relay', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const call = a.invite('101');
    const request = await b.incoming('INVITE');
    assert.equal(request.body.length, 0);
    b.reply(request, 200, { body: sdp({ port: 31 }) });
    const offer = await call.final;
    assert.ok(mediaOf(offer.body).port >= belfry.port(1000));
    a.send(encode(call.dialog.compose('ACK', { cseq: call.request.cseq, body: sdp({ port: 33 }) })));
    const ack = await b.incoming('ACK');
    assert.ok(mediaOf(ack.body).port >= belfry.port(1000), ack.bytes.toString());
    assert.equal((await hangUp(call.dialog, b)).status, 200);
    await gone(call.call_id);
  });

  it('a call that never had media ends without a word to the relay; one that gets it by a re-INVITE ends there too', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const connect = async () => {
      const call = a.invite('101');
      const request = await b.incoming('INVITE');
      b.reply(request, 200);
      assert.equal((await call.final).status, 200);
      call.ack();
      await b.incoming('ACK');
      return call;
    };
    const asked = async () => {
      const counts = await Promise.all(['query', 'delete'].map((what) => belfry.metric('rtpengine', `rtpengine_requests_total{proxy="127.0.0.1",request="${what}"}`)));
      return counts.reduce((sum, count) => sum + (count ?? 0), 0);
    };
    const before = await asked();
    assert.equal((await hangUp((await connect()).dialog, b)).status, 200);
    assert.equal(await asked(), before);

    const call = await connect();
    const again = call.dialog.ask('INVITE', { body: sdp({ port: 35 }) });
    const request = await b.incoming('INVITE');
    b.reply(request, 200, { body: sdp({ port: 37 }) });
    const answer = await again;
    assert.ok(mediaOf(answer.body).port >= belfry.port(1000));
    await b.incoming('ACK');
    assert.equal((await hangUp(call.dialog, b)).status, 200);
    await gone(call.call_id);
    assert.ok(await asked() > before);
  });

  it('session timers: a too small Session-Expires is 422 with Min-SE; a good one is carried', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const small = await a.invite('101', { body: sdp(), headers: [['Supported', 'timer'], ['Session-Expires', '10'], ['Min-SE', '10']] }).final;
    assert.equal(small.status, 422);
    assert.match(small.get('Min-SE') ?? '', /^\d+$/);
    assert.ok(!b.has('INVITE'), 'a refused INVITE goes nowhere');
    const call = a.invite('101', { body: sdp(), headers: [['Supported', 'timer'], ['Session-Expires', '1800;refresher=uac'], ['Min-SE', '120']] });
    const request = await b.incoming('INVITE');
    assert.match(request.get('Session-Expires') ?? '', /^1800/);
    b.reply(request, 200, { body: sdp(), headers: [['Require', 'timer'], ['Session-Expires', '1800;refresher=uac']] });
    assert.equal((await call.final).status, 200);
    call.ack();
    await b.incoming('ACK');
    assert.equal((await hangUp(call.dialog, b)).status, 200);
  });
});

describe('order', () => {
  it('a 180 and its 200, sent back to back, arrive in this order', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const CALLS = 120;
    let overtaken = 0;
    for (let i = 0; i < CALLS; i++) {
      const call = a.invite('101');
      const at_b = await b.incoming('INVITE');
      b.reply(at_b, 180);
      b.reply(at_b, 200);
      assert.equal((await call.final).status, 200);
      if (!call.provisional.some(({ status }) => status === 180)) overtaken++;
      call.ack();
      await b.incoming('ACK');
      assert.equal((await hangUp(b.dialog(at_b), a)).status, 200);
    }
    assert.ok(overtaken <= 1, `${overtaken} of ${CALLS}`); // a machine that stalls may let one pass
  });
});

describe('many', () => {
  it('SIPp: 200 registrations and 100 calls at once, none fails', async (t) => {
    const world = new World(t);
    const numbers = Array.from({ length: 20 }, (_, i) => String(200 + i));
    const one = await world.tenant({ numbers });
    const rows = numbers.map((number) => [number, one.domain, `[authentication username=${number} password=${one.passwords[number]}]`]);
    const run = (scenario, options) => sipp({ scenario, server: belfry.sip, folder: world.output, rows, deadline_ms: 90_000, ...options });
    const registered = await run('register.xml', { calls: 200, rate: 100, host: '127.0.0.1' });
    assert.ok(registered.ok && registered.failed === 0, JSON.stringify(registered));
    const [callee, caller] = [belfry.port(990), belfry.port(980)];
    const pairs = rows.slice(0, 10).map((row, i) => [...row, numbers[10 + i]]);
    const binding = await run('register.xml', { calls: 10, rate: 50, rows: rows.slice(10), port: callee });
    assert.ok(binding.ok, JSON.stringify(binding));
    const answering = run('answer.xml', { calls: 100, rate: 100, port: callee, media_port: belfry.port(900), rows: undefined });
    const calling = await run('call.xml', { calls: 100, rate: 25, port: caller, media_port: belfry.port(940), rows: pairs });
    assert.ok(calling.ok && calling.failed === 0, JSON.stringify(calling));
    const answered = await answering;
    assert.ok(answered.ok && answered.calls === 100, JSON.stringify(answered));
  });
});
