// Two edges, two relays and two call-controls act as one, and go on as one when parts of them die.
//
// LONG=1 lets Redis and PostgreSQL be away for 60 s each; otherwise it is a few seconds, with the same assertions.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertProblem } from '../lib/api.mjs';
import { answers, attended, office, refuses, ringing, stops } from '../lib/office.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { Ua } from '../lib/sip.mjs';
import { mediaOf, sdp, uriOf } from '../lib/sip_message.mjs';
import { DeadlineError, elapsed, until } from '../lib/until.mjs';
import { World, hangUp, source } from '../lib/world.mjs';

const AWAY_MS = process.env.LONG ? 60_000 : 4_000;
const SLACK = ['asan', 'tsan'].includes(process.env.BUILD) ? 6 : 3;
const MANY = 1000;
const SLOW_MS = 7_000; // longer than the gateway gives each of two replicas at first

const { belfry } = new World();
const was = { edges: belfry.edges.length, relays: belfry.relays.length, controls: belfry.controls.length };
let A;
let B;

before(async () => {
  await belfry.scale({ edges: 2, relays: 2, controls: 2 });
  await belfry.allWell();
  [A, B] = belfry.edges;
}, { timeout: 180_000 });
after(() => belfry.scale(was), { timeout: 180_000 });
beforeEach(() => belfry.allWell());
afterEach(() => belfry.allWell());

const redis = (...args) => execFileSync('redis-cli', ['-s', belfry.env.BELFRY_REDIS, ...args], { encoding: 'utf8' }).trim();

function observed(t, what, took_ms, promised_ms) {
  t.diagnostic(`${what}: ${took_ms.toFixed(0)} ms (promised ${promised_ms})`);
  assert.ok(took_ms <= promised_ms * SLACK, `${what} took ${took_ms.toFixed(0)} ms; promised ${promised_ms}, tolerated ${promised_ms * SLACK}`);
}

/** Does the topmost Via say that `edge` sent this? */
const cameBy = (request, edge) => assert.ok(request.get('Via').includes(`${edge.sip.host}:${edge.sip.port}`), `by ${edge.id}: ${request.get('Via')}`);

/** All processes of a program, its main one last. */
async function processesOf(program) {
  const main = await belfry.pid(program);
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
    try {
      return { pid: Number(name), parent: Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))[1]) };
    } catch {
      return null; // it ended meanwhile
    }
  }).filter(Boolean);
  const below = (pid) => all.filter(({ parent }) => parent === pid).flatMap((child) => [...below(child.pid), child.pid]);
  return [...below(main), main];
}

async function restarted(edge, before_pid, t) {
  const time = elapsed();
  await until(async () => {
    const pid = await belfry.pid(edge.name);
    return pid && pid !== before_pid && (await belfry.ready(edge.name));
  }, { what: `${edge.id} serving again`, deadline_ms: 60_000, every_ms: 20 });
  observed(t, `${edge.id} serves again`, time(), 3_000);
}

/** What `meanwhile` gives, done while these programs hang. */
async function hung(names, meanwhile) {
  const pids = await Promise.all(names.map((name) => belfry.pid(name)));
  pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  try {
    return await meanwhile();
  } finally {
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
}

describe('one system', () => {
  it('a phone on A calls a group on A and B: one answers, the others stop; figures, hang up by REST, CDR and timeline', async (t) => {
    const { book, phone } = await office(t, {
      numbers: ['100', '101', '102', '103'], groups: [{ number: '600', strategy: 'all', members: ['101', '102', '103'] }],
    });
    const a = await phone('100', { edge: A });
    const members = [await phone('101', { edge: A }), await phone('102', { edge: B }), await phone('103', { edge: B, transport: 'tcp' })];
    const [ra, rb] = [await RtpEnd.open(), await RtpEnd.open()];
    t.after(() => Promise.all([ra.close(), rb.close()]));
    const call = a.invite('600', { body: sdp(ra) });
    const requests = await Promise.all(members.map((ua) => ringing(ua)));
    requests.forEach((request, i) => cameBy(request, i === 0 ? A : B));
    for (const request of requests) assert.match(request.get('P-Asserted-Identity'), /^<sip:100@/, 'who calls is told over the edge too');
    await call.ringing();
    await answers(call, members[1], requests[1], { body: sdp(rb) });
    await Promise.all([stops(members[0], requests[0]), stops(members[2], requests[2])]);
    await Promise.all([ra.send(mediaOf(call.reply.body), 100, { gap_ms: 10 }), rb.send(mediaOf(requests[1].body), 100, { gap_ms: 10 })]);
    const live = await book.running(call.call_id, { state: /answered/ });
    const legs = await until(async () => {
      const { media } = await book.call(live.id);
      return media?.length === 2 && media.every(({ packets }) => packets >= 90) && media;
    }, { what: 'figures of both legs', every_ms: 100 });
    assert.deepEqual(legs.map(({ party }) => party).sort(), ['callee', 'caller']);
    const hung_up = await book.hangUp(live.id);
    assert.ok([202, 204].includes(hung_up.status), hung_up.text);
    for (const ua of [a, members[1]]) ua.reply(await ua.incoming('BYE', { deadline_ms: 3_000 }), 200);
    const { cdr, story } = await book.over(call.call_id);
    assert.deepEqual([cdr.caller, cdr.callee, cdr.answered_by, cdr.result, cdr.hung_up_by, cdr.edge], ['100', '600', '102', 'answered', 'api', 'edge-1']);
    assert.deepEqual(story.filter((line) => /^branch /.test(line)).sort(), ['branch 101', 'branch 102', 'branch 103']);
    assert.deepEqual(story.filter((line) => /branch-ended|answered/.test(line)).sort(), ['answered 102 200', 'branch-ended 101 487', 'branch-ended 103 487']);
  });

  it('from A to B and back, UDP and TCP: re-INVITE, INFO and BYE from either side', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A, transport: 'tcp' }), await phone('101', { edge: B, transport: 'tcp' })];
    for (const [caller, callee, number, from] of [[a, b, '101', A], [b, a, '100', B]]) {
      const call = caller.invite(number, { body: sdp() });
      const request = await ringing(callee);
      cameBy(request, from === A ? B : A);
      assert.equal(request.uri.includes(`:${callee.port}`), true, request.uri);
      const dialog = await answers(call, callee, request);
      for (const [asker, other] of [[call.dialog, callee], [dialog, caller]]) {
        const hold = asker.ask('INVITE', { body: sdp({ direction: 'sendonly', version: 2 }) });
        other.reply(await other.incoming('INVITE'), 200, { body: sdp({ direction: 'recvonly', version: 2 }) });
        assert.equal((await hold).status, 200);
        await other.incoming('ACK');
        const info = asker.ask('INFO', { headers: [['Content-Type', 'application/dtmf-relay']], body: 'Signal=5\r\n' });
        other.reply(await other.incoming('INFO'), 200);
        assert.equal((await info).status, 200);
      }
      assert.equal((await hangUp(dialog, caller)).status, 200);
      const { cdr } = await book.over(call.call_id);
      assert.deepEqual([cdr.result, cdr.hung_up_by, cdr.edge], ['answered', 'callee', from.id]);
      assert.equal((await book.cdrs()).filter(({ sip_call_id }) => sip_call_id === call.call_id).length, 1, 'the other edge makes no call of its own');
    }
  });

  it('a phone on B’s TLS: reached from A, its media protected or, if it will not, in clear', async (t) => {
    const { world, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A, transport: 'tls' }), await phone('101', { edge: B, transport: 'tls' })];
    const { call, request } = await world.call(a, b, { answer_body: sdp({ sdes: ['AES_CM_128_HMAC_SHA1_80'] }) });
    assert.equal(mediaOf(request.body).profile, 'RTP/SAVP');
    assert.equal((await hangUp(call.dialog, b)).status, 200);
    const again = a.invite('101', { body: sdp() });
    await refuses(b, 488);
    const second = await ringing(b);
    assert.equal(mediaOf(second.body).profile, 'RTP/AVP');
    const dialog = await answers(again, b, second);
    assert.equal((await hangUp(dialog, a)).status, 200);
  });

  it('CANCEL reaches the phone on the other edge; its refusal reaches the caller', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const given_up = a.invite('101', { body: sdp() });
    const request = await ringing(b);
    await given_up.ringing();
    await Promise.all([given_up.cancel(), stops(b, request)]);
    assert.equal((await given_up.final).status, 487);
    const refused = a.invite('101', { body: sdp() });
    await refuses(b, 486);
    assert.equal((await refused.final).status, 486);
    assert.equal((await book.over(given_up.call_id)).cdr.result, 'cancelled');
    assert.equal((await book.over(refused.call_id)).cdr.result, 'busy');
  });

  it('a phone that moves from A to B is rung on B only', async (t) => {
    const { book, tenant, world, phone } = await office(t);
    const a = await phone('100', { edge: A });
    const instance = [['Supported', 'outbound']];
    const old = await phone('101', { edge: A, headers: instance });
    await old.register({ expires_s: 0 });
    const moved = await book.registered(await world.ua(tenant, '101', { edge: B, headers: instance }));
    const call = a.invite('101', { body: sdp() });
    await refuses(moved, 486);
    assert.equal((await call.final).status, 486);
    assert.ok(!old.has('INVITE'));
  });

  it('a phone that has just left is not rung', async (t) => {
    const { phone } = await office(t);
    const a = await phone('100', { edge: A });
    const left = await phone('101', { edge: A });
    await left.register({ expires_s: 0 });
    assert.equal((await a.invite('101', { body: sdp() }).final).status, 480);
    assert.ok(!left.has('INVITE'));
  });

  // A third edge has no part in the call that is replaced: whoever takes it is given a number, which leads to the other from anywhere.
  for (const [who, called] of [['who called', false], ['who was called', true]]) {
    for (const [where, of_b] of [['B', () => B], ['A', () => A]]) {
      it(`attended transfer by a phone on A, ${who}: who takes it is on ${where}, the other, named by its Contact, on B`, async (t) => {
        const { world, book, tenant, phone } = await office(t);
        const [a, b, c] = [await phone('100', { edge: A }), await phone('101', { edge: of_b() }), await phone('102', { edge: B })];
        const { first, consultation, taken, joined, refer_to } = await attended(world, a, b, c, ({ answer }) => uriOf(answer.get('Contact')), { called });
        assert.equal(refer_to, `sip:102@${tenant.domain}`);
        await hangUp(consultation.dialog, a); // c ends what was replaced
        await hangUp(first.call.dialog, called ? a : b);
        await hangUp(joined, b);
        const { cdr } = await book.over(taken.call_id);
        assert.deepEqual([cdr.caller, cdr.callee, cdr.result], ['101', '102', 'answered']);
        const [transfer] = (await book.over(first.call.call_id)).cdr.transfers;
        assert.deepEqual([transfer.to, transfer.how], ['102', `attended by ${called ? 'callee' : 'caller'}`]);
      });
    }
  }

  it('max_calls is one count over both edges', async (t) => {
    const { book, phone } = await office(t, { numbers: ['100', '101', '102'], limits: { max_calls: 2 } });
    const [a, b, c] = [await phone('100', { edge: A }), await phone('101', { edge: B }), await phone('102', { edge: A })];
    const calls = [...Array.from({ length: 4 }, () => a.invite('102', { body: sdp() })), ...Array.from({ length: 4 }, () => b.invite('102', { body: sdp() }))];
    const through = [await ringing(c), await ringing(c)];
    await until(() => calls.filter(({ reply }) => reply).length === 6, { what: 'six are refused' });
    assert.ok(calls.every(({ reply }) => !reply || reply.status === 486));
    assert.ok(!c.has('INVITE'));
    through.forEach((request) => c.reply(request, 603));
    for (const call of calls.filter(({ reply }) => !reply)) await book.over((await call.final, call.call_id));
  });
});

describe('the socket between the edges', () => {
  for (const transport of ['udp', 'tcp']) {
    it(`refuses strangers over ${transport}`, async (t) => {
      const { tenant, phone, world } = await office(t);
      const b = await phone('101', { edge: B });
      for (const edge of [A, B]) {
        const stranger = await Ua.open({ server: edge.internal, user: '100', domain: tenant.domain, password: tenant.passwords['100'], host: source(), transport });
        world.onClose(() => stranger.close());
        await Promise.all(['OPTIONS', 'INVITE', 'REGISTER', 'BYE'].map(async (method) => {
          const request = stranger.compose(method, { uri: `sip:101@${b.host}:${b.port}`, headers: [['Contact', stranger.contact]], routes: [`<sip:${B.internal.host}:${B.internal.port};lr>`] });
          const reply = await stranger.transact(request, { deadline_ms: 700 }).catch((error) => {
            if (error instanceof DeadlineError) return null;
            throw error;
          });
          assert.ok(!reply || reply.status === 403, `${edge.id} ${method}: ${reply?.first}`);
        }));
      }
      await delay(200);
      for (const method of ['INVITE', 'OPTIONS', 'BYE']) assert.ok(!b.has(method), `${method} did not get through`);
    });
  }

  it('a Path or Route that a phone makes up leads nowhere', async (t) => {
    const { phone, book } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const call = a.invite('101', { body: sdp(), routes: [`<sip:${B.internal.host}:${B.internal.port};lr;received=sip:${b.host}:${b.port}>`] });
    const outcome = await Promise.race([call.final, b.incoming('INVITE').then((request) => request, () => null)]);
    if (outcome?.method === 'INVITE') {
      cameBy(outcome, B);
      b.reply(outcome, 486);
      await call.final;
      await book.over(call.call_id);
    } else assert.ok(outcome.status >= 400, outcome?.first);
    const liar = await phone('102', { edge: A, headers: [['Path', `<sip:${b.host}:${b.port};lr>`], ['Supported', 'path']] });
    const through = a.invite('102', { body: sdp() });
    await refuses(liar, 486);
    assert.equal((await through.final).status, 486);
    assert.ok(!b.has('INVITE'), 'what a phone says about its Path is not believed');
  });
});

describe('an edge killed in mid call', () => {
  it('A: calls on B are untouched, leases freed, CDR closed, phones reachable again without a REGISTER', async (t) => {
    const { world, book, phone } = await office(t, { numbers: ['100', '101', '102', '103'], limits: { max_calls: 2 } });
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const [c, d] = [await phone('102', { edge: B }), await phone('103', { edge: B })];
    const lost = await world.call(a, b);
    const kept = await world.call(c, d);
    await Promise.all([lost, kept].map(({ call }) => book.running(call.call_id, { state: /answered/ })));
    assert.equal((await d.invite('102', { body: sdp() }).final).status, 486, 'both places are taken');
    const pid = await belfry.kill9(A.name);
    const time = elapsed();
    const { cdr } = await book.over(lost.call.call_id, { deadline_ms: 20_000, whole: false });
    observed(t, 'the CDR of a lost call', time(), 5_000);
    assert.deepEqual([cdr.result, cdr.reason, cdr.hung_up_by, cdr.edge], ['lost', 'edge-restarted', null, 'edge-1']);
    assert.ok(cdr.talk_ms >= 0 && cdr.answered_at, JSON.stringify(cdr));
    await until(() => world.reaches(d, c), { what: 'the place of the lost call is free', deadline_ms: 5_000, every_ms: 50 });
    await restarted(A, pid, t);
    await until(() => world.reaches(c, a), { what: 'a phone of A is rung from B', deadline_ms: 5_000, every_ms: 50 });
    observed(t, 'a phone of A is reachable again, from the kill', time(), 8_000);
    await until(() => world.reaches(a, b), { what: 'and from A itself', deadline_ms: 2_000, every_ms: 20 });
    assert.equal((await hangUp(kept.dialog, c)).status, 200);
    const other = await book.over(kept.call.call_id);
    assert.deepEqual([other.cdr.result, other.cdr.hung_up_by, other.cdr.edge], ['answered', 'callee', 'edge-2']);
    assert.equal((await book.cdrs()).filter(({ sip_call_id }) => sip_call_id === lost.call.call_id).length, 1);
  });

  it('an extension deleted while its edge is down: its device does not come back with the edge, others do', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const kept = await phone('100', { edge: A });
    await phone('102', { edge: A });
    const b = await phone('101', { edge: B });
    await belfry.stop(A.name);
    try {
      assert.equal((await world.operator.delete(`/v1/tenants/${tenant.id}/extensions/102`)).status, 204);
    } finally {
      await belfry.start(A.name);
      await belfry.allWell();
    }
    await until(() => world.reaches(b, kept), { what: 'the other device of the edge is rung', deadline_ms: 10_000, every_ms: 50 });
    const numbers = async () => (await book.registrations()).map(({ number }) => number).sort().join(' ');
    await until(async () => (await numbers()) === '100 101', { what: 'what the edge says it has is without the deleted one', deadline_ms: 10_000 });
    assert.match(await A.kamcmd('ul.lookup', 'location', `102@${tenant.id}`), /^error: .*AOR not found/);
    assert.match(await A.kamcmd('ul.lookup', 'location', `100@${tenant.id}`), /Address: sip:100@/);
  });

  it('the callee’s edge: the call between both ends, one CDR; the caller’s edge goes on', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b, c] = [await phone('100', { edge: A }), await phone('101', { edge: B }), await phone('102', { edge: A })];
    const { call } = await world.call(a, b);
    const pid = await belfry.kill9(B.name);
    assert.ok(await world.reaches(a, c), 'A is untouched');
    await restarted(B, pid, t);
    const bye = call.dialog.ask('BYE');
    b.reply(await b.incoming('BYE', { deadline_ms: 5_000 }), 200);
    assert.equal((await bye).status, 200, 'the BYE finds its way through the restarted edge');
    assert.equal((await book.over(call.call_id)).cdr.hung_up_by, 'caller');
    await until(() => world.reaches(a, b), { what: 'it is rung on B', deadline_ms: 5_000, every_ms: 50 });
  });

  it('it hangs (SIGSTOP): its calls are closed as edge-lost, its places freed; awake again: nothing twice, all in step', async (t) => {
    const { world, book, phone } = await office(t, { limits: { max_calls: 1 } });
    const [a, b, c] = [await phone('100', { edge: A }), await phone('101', { edge: A }), await phone('102', { edge: B })];
    const { call, dialog } = await world.call(a, b);
    await book.running(call.call_id, { state: /answered/ });
    const pids = await processesOf(A.name);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await book.over(call.call_id, { deadline_ms: 20_000, whole: false });
      const reply = await c.invite('100', { body: sdp() }).final;
      assert.notEqual(reply.status, 486, 'the limit does not count what is lost');
    } finally {
      for (const pid of pids.reverse()) process.kill(pid, 'SIGCONT');
    }
    assert.equal((await hangUp(dialog, a)).status, 200, 'the phones did not notice');
    await until(() => world.reaches(c, a), { what: 'A is rung again', deadline_ms: 10_000, every_ms: 100 });
    const { cdr } = await book.over(call.call_id, { whole: false });
    assert.equal(cdr.reason, 'edge-lost');
    await until(async () => (await book.live()).length === 0, { what: 'nothing runs' });
    // its timers run through the time it missed, and may end what has only just begun: not the next test's phones
    await belfry.stop(A.name);
    await belfry.start(A.name);
    await belfry.allWell();
  });
});

describe('a thousand phones', () => {
  it('are back after kill -9, and register all at once: all 200, each once in the index', async (t) => {
    const numbers = Array.from({ length: 100 }, (_, i) => String(2000 + i));
    const { world, tenant, book } = await office(t, { numbers: ['100', ...numbers] });
    const each = await Promise.all(numbers.flatMap((number) => Array.from({ length: MANY / numbers.length }, () => world.ua(tenant, number, { edge: A }))));
    for (const number of numbers) await operatorMaxContacts(world, tenant, number);
    const all = async (limits) => {
      const replies = await Promise.all(each.map((ua) => ua.register(limits)));
      assert.deepEqual(replies.filter(({ status }) => status !== 200).map(({ first }) => first), []);
    };
    const indexed = () => until(async () => (await book.api.list(`${book.base}/registrations`, { limit: 200 })).length === MANY, { what: `${MANY} in the index`, deadline_ms: 20_000, every_ms: 200 });
    await all({ deadline_ms: 30_000 });
    await indexed();
    const pid = await belfry.kill9(A.name);
    await restarted(A, pid, t);
    const edge = async () => (await world.operator.ok('GET', '/v1/edges')).items.find(({ id }) => id === A.id);
    await until(async () => (await edge()).bindings >= MANY, { what: 'the edge has its bindings back', deadline_ms: 5_000 });
    const time = elapsed();
    await all({ deadline_ms: 30_000 });
    observed(t, `${MANY} registrations at once after a restart`, time(), 5_000);
    await indexed();
    const contacts = (await book.api.list(`${book.base}/registrations`, { limit: 200 })).map(({ contact }) => contact);
    assert.equal(new Set(contacts).size, MANY, 'no device is there twice');
  });
});

const operatorMaxContacts = (world, tenant, number) => world.operator.ok('PATCH', `/v1/tenants/${tenant.id}/extensions/${number}`, { max_contacts: 20 });

describe('Redis', () => {
  it('restarted empty: bindings, running calls and limits are there again within seconds', async (t) => {
    const { world, book, phone } = await office(t, { numbers: ['100', '101', '102', '103'], limits: { max_calls: 2 } });
    const [a, b, c, d] = [await phone('100', { edge: A }), await phone('101', { edge: B, transport: 'tcp' }), await phone('102', { edge: A }), await phone('103', { edge: B })];
    const { call, dialog } = await world.call(a, b);
    await book.running(call.call_id, { state: /answered/ });
    await belfry.stop('redis');
    for (const name of readdirSync(path.join(belfry.run, 'redis'))) rmSync(path.join(belfry.run, 'redis', name), { recursive: true });
    await belfry.start('redis');
    const time = elapsed();
    await until(async () => redis('PING') === 'PONG', { what: 'Redis' });
    await until(async () => (await book.registrations()).length === 4, { what: 'all bindings are published again', deadline_ms: 20_000, every_ms: 50 });
    observed(t, 'bindings published again', time(), 3_000);
    await until(() => world.reaches(c, d), { what: 'a call from A to B', deadline_ms: 10_000, every_ms: 50 });
    observed(t, 'plans work again', time(), 4_000);
    await book.running(call.call_id, { state: /answered/, deadline_ms: 20_000 });
    await until(async () => (await book.live()).length === 1, { what: 'the call before is over' });
    const second = await world.call(c, d);
    assert.equal((await d.invite('102', { body: sdp() }).final).status, 486, 'the call from before still has its place');
    await hangUp(second.dialog, c);
    await hangUp(dialog, a);
    assert.equal((await book.over(call.call_id)).cdr.hung_up_by, 'callee');
    await book.over(second.call.call_id);
  });

  it(`away for ${AWAY_MS / 1000} s: phones of one edge still call each other; nothing of it is lost`, async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
    const running = await world.call(a, b);
    await book.running(running.call.call_id, { state: /answered/ });
    const { made, late } = await whileAway(['redis'], async (still) => callsMeanwhile({ world, tenant, a, b, running, still }));
    await until(async () => (await book.registrations('102')).length === 1, { what: 'a binding made meanwhile', deadline_ms: 20_000 });
    assert.equal((await book.over(running.call.call_id, { deadline_ms: 30_000 })).cdr.result, 'answered');
    for (const call of made) assert.equal((await book.over(call.call_id, { deadline_ms: 30_000 })).cdr.result, 'answered');
    await until(() => world.reaches(a, late), { what: 'the new phone is rung' });
    await until(async () => (await book.live()).length === 0, { what: 'nothing runs' });
  });
});

describe('an edge that is taken away for good', () => {
  it('is forgotten with its calls and devices, and is a new one when it is started again', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const { call } = await world.call(b, a);
    await book.running(call.call_id, { state: /answered/ });
    const forget = () => world.operator.delete(`/v1/edges/${B.id}`);
    const listed = async () => (await world.operator.ok('GET', '/v1/edges')).items.find(({ id }) => id === B.id);
    const registered = async () => (await tenant.api.ok('GET', `/v1/tenants/${tenant.id}/registrations`)).items.map(({ number }) => number).join();
    const refused = await forget();
    assertProblem(refused, { status: 409 });
    assert.match(refused.body.detail, /stop it first/);
    await belfry.stop(B.name);
    try {
      await until(async () => (await forget()).status === 204, { what: 'it is silent for long enough', deadline_ms: 20_000, every_ms: 200 });
      assert.equal(await listed(), undefined);
      assert.equal(await registered(), '100');
      assert.equal((await forget()).status, 404);
      const { cdr } = await book.over(call.call_id, { whole: false });
      assert.deepEqual([cdr.result, cdr.reason, cdr.edge], ['lost', 'edge-lost', B.id]);
    } finally {
      await belfry.start(B.name);
    }
    await belfry.allWell();
    await until(async () => (await listed())?.alive, { what: 'it is listed again', deadline_ms: 20_000 });
    assert.equal(await registered(), '100', 'what it had is forgotten');
    await book.registered(b);
    assert.ok(await world.reaches(a, b));
  });
});

describe('PostgreSQL', () => {
  it(`away for ${AWAY_MS / 1000} s: calls go on over both edges; every CDR is written afterwards`, async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const running = await world.call(a, b);
    await book.running(running.call.call_id, { state: /answered/ });
    assert.ok(await world.reaches(a, b), 'what a plan needs is known');
    const { made } = await whileAway(['postgres'], async (still) => callsMeanwhile({ world, tenant, a, b, running, still, newcomer: false }));
    assert.equal((await book.over(running.call.call_id, { deadline_ms: 30_000 })).cdr.result, 'answered');
    for (const call of made) assert.equal((await book.over(call.call_id, { deadline_ms: 30_000 })).cdr.result, 'answered');
    await until(async () => (await book.live()).length === 0, { what: 'nothing runs' });
  });
});

describe('PostgreSQL away', () => {
  it('a phone that registers meanwhile is found by the other edge, behind more call events than a Report takes; every CDR is written once', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const late = await world.ua(tenant, '102', { edge: A });
    for (const expires_s of [60, 0]) assert.equal((await late.register({ expires_s })).status, 200, 'the edge knows its password');
    for (let i = 0; i < 4; i++) { // each call-control knows the numbers
      assert.equal((await b.invite('102', { body: sdp() }).final).status, 480);
      assert.ok(await world.reaches(a, b));
    }
    const made = [];
    const waiting = async () => Number(/events_waiting:\s*(\d+)/.exec(await A.kamcmd('tenant.status'))[1]);
    await belfry.stop('postgres');
    try {
      while ((await waiting()) <= 1_000) {
        assert.ok(made.length < 1_000, 'what happens to calls waits at the edge');
        const call = a.invite('101', { body: sdp() });
        await refuses(b, 486);
        assert.equal((await call.final).status, 486);
        made.push(call);
      }
      assert.equal((await late.register()).status, 200);
      await until(() => world.reaches(b, late), { what: 'the new phone is rung from the other edge', deadline_ms: 5_000, every_ms: 50 });
      assert.ok((await waiting()) > 1_000, 'the call events wait for PostgreSQL');
    } finally {
      await belfry.start('postgres');
      await belfry.allWell();
    }
    const told = async () => {
      const ids = (await book.cdrs()).map(({ sip_call_id }) => sip_call_id);
      return made.every(({ call_id }) => ids.includes(call_id)) && ids;
    };
    const ids = await until(told, { what: 'all CDRs', deadline_ms: 30_000, every_ms: 200 });
    assert.equal(new Set(ids).size, ids.length, 'each call once');
  });
});

/** Programs stopped for AWAY_MS; `still()` says whether they are to stay away. */
async function whileAway(programs, how) {
  for (const name of programs) await belfry.stop(name);
  const time = elapsed();
  try {
    return await how(() => time() < AWAY_MS);
  } finally {
    for (const name of programs) await belfry.start(name);
    await belfry.allWell();
  }
}

/** Calls one after the other, the one that ran before ended, and a new phone. */
async function callsMeanwhile({ world, tenant, a, b, running, still, newcomer = true }) {
  const made = [];
  const late = newcomer ? await world.ua(tenant, '102', { edge: A }) : null;
  if (late) assert.equal((await late.register()).status, 200);
  await hangUp(running.dialog, a);
  do {
    const time = elapsed();
    const { call, dialog } = await world.call(a, b);
    assert.ok(time() < 3_000, `a call took ${time().toFixed(0)} ms`);
    assert.equal((await hangUp(dialog, a)).status, 200);
    made.push(call);
    await delay(200);
  } while (still());
  return { made, late };
}

describe('a relay', () => {
  const probe = async (world, tenant) => {
    const ua = await Ua.open({ server: A.sip, user: 'probe', domain: tenant.domain, host: source() });
    world.onClose(() => ua.close());
    return ua;
  };

  /** Calls and pings of the edge until `ends()`; the slowest ping, and when the last call failed or was slow. */
  async function watch({ a, b, ping, time, ends }) {
    const seen = { ping_ms: 0, last_bad_ms: 0, calls: 0 };
    const pinging = (async () => {
      while (!ends()) {
        const { took_ms } = await ping.transact(ping.compose('OPTIONS'));
        seen.ping_ms = Math.max(seen.ping_ms, took_ms);
        await delay(5);
      }
    })();
    while (!ends()) {
      const start = time();
      const call = a.invite('101', { body: sdp() });
      await until(() => b.has('INVITE') || call.reply, { what: 'it rings or is refused', deadline_ms: 5_000, every_ms: 2 });
      if (time() - start > 200 || call.reply) seen.last_bad_ms = start;
      if (b.has('INVITE')) await refuses(b, 486);
      await call.final;
      seen.calls += 1;
      await delay(20);
    }
    await pinging;
    return seen;
  }

  for (const [how, signal] of [['killed and kept down', 'stop'], ['that hangs (SIGSTOP)', 'SIGSTOP']]) {
    it(`${how}: taken out within 2 s, no worker is held up; back: used again`, async (t) => {
      const { world, tenant, phone } = await office(t);
      const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: A })];
      const ping = await probe(world, tenant);
      const relay = belfry.relays[1];
      const pid = await belfry.pid(relay.name);
      const stopped = signal === 'stop' ? belfry.stop(relay.name) : process.kill(pid, signal);
      try {
        const time = elapsed();
        const seen = await watch({ a, b, ping, time, ends: () => time() > 5_000 });
        await stopped;
        t.diagnostic(`${seen.calls} calls, the last bad one began after ${seen.last_bad_ms.toFixed(0)} ms, slowest OPTIONS ${seen.ping_ms.toFixed(0)} ms`);
        assert.ok(seen.last_bad_ms <= 2_500, `a call was slow or refused ${seen.last_bad_ms.toFixed(0)} ms after the relay was gone`);
        assert.ok(seen.ping_ms <= 1_000, `the edge was held up for ${seen.ping_ms.toFixed(0)} ms`);
      } finally {
        if (signal === 'stop') await belfry.start(relay.name);
        else process.kill(pid, 'SIGCONT');
      }
      const used = async () => (await A.kamcmd('rtpengine.show', 'all')).split('node:').some((node) => node.includes(`:${relay.ng.port}`) && /disabled:\s*0/.test(node));
      await until(used, { what: 'the relay is in use again', deadline_ms: 5_000, every_ms: 100 });
    });
  }

  it('killed in mid call: the signalling of its calls still ends them, and the CDR is written', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const calls = [];
    for (let i = 0; i < 4; i++) calls.push(await world.call(a, b)); // both relays have some
    for (const { name } of belfry.relays) await belfry.kill9(name);
    for (const { dialog } of calls) assert.equal((await hangUp(dialog, a)).status, 200);
    for (const { call } of calls) assert.equal((await book.over(call.call_id)).cdr.hung_up_by, 'callee');
  });
});

/** Until the gateway asks this replica: one that was away it leaves out for 5 s. */
function asked(book, { name }) {
  const ids = [];
  return until(async () => {
    ids.push((await book.api.get(`${book.base}/cdrs`)).headers.get('x-request-id'));
    const log = readFileSync(path.join(belfry.run, 'log', `${name}.log`), 'utf8'); // has it a moment after the answer
    return ids.some((id) => log.includes(id));
  }, { what: `the gateway asks ${name}`, deadline_ms: 10_000, every_ms: 100 });
}

describe('call-control', () => {
  it('one of two replicas hangs (SIGSTOP): what REST reads is answered by the other one', async (t) => {
    const { book } = await office(t);
    for (const { name } of belfry.controls) {
      for (const each of belfry.controls) await asked(book, each);
      await hung([name], async () => {
        const slowest = [];
        for (let i = 0; i < 6; i++) {
          const time = elapsed();
          assert.deepEqual([(await book.registrations()).length, (await book.live()).length, (await book.cdrs()).length], [0, 0, 0]);
          slowest.push(time());
        }
        t.diagnostic(`${name} hangs; three reads took at most ${Math.max(...slowest).toFixed(0)} ms`);
      });
    }
  });

  it('one of two replicas stopped: the other one plans all calls', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    for (const { name } of belfry.controls) {
      await belfry.stop(name);
      try {
        await until(() => world.reaches(a, b), { what: `the other edge is reached without ${name}`, deadline_ms: 5_000, every_ms: 20 });
        for (let i = 0; i < 5; i++) {
          const { call, dialog } = await world.call(a, b);
          await hangUp(dialog, a);
          const { cdr } = await book.over(call.call_id, { deadline_ms: 20_000 });
          assert.deepEqual([cdr.result, cdr.local_plan], ['answered', false]);
        }
      } finally {
        await belfry.start(name);
      }
      await belfry.allWell();
    }
  });

  it('one of two replicas hangs (SIGSTOP): the other one plans every call, and none takes two places', async (t) => {
    const { world, tenant, book, phone } = await office(t, { limits: { max_calls: 1 } });
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const pid = await belfry.pid(belfry.controls[1].name);
    const places = () => Number(redis('ZCARD', `l:{${tenant.id}}`)); // REST would now and then ask the one that hangs
    const leftOut = async () => Number(/replicas_left_out:\s*(\d+)/.exec(await A.kamcmd('tenant.status'))[1]);
    const calls = [];
    process.kill(pid, 'SIGSTOP');
    try {
      for (let i = 0; i < 12; i++) {
        const time = elapsed();
        const { call, dialog } = await world.call(a, b);
        assert.ok(time() < 1_500, `a call took ${time().toFixed(0)} ms`);
        assert.equal(places(), 1);
        await hangUp(dialog, a);
        await until(() => places() === 0, { what: 'its place is free for the next one', deadline_ms: 10_000 });
        calls.push(call);
      }
      await until(async () => (await leftOut()) > 0, { what: 'the edge leaves it out' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(async () => (await leftOut()) === 0, { what: 'it is asked again', deadline_ms: 10_000, every_ms: 100 });
    for (const call of calls) {
      const { cdr } = await book.over(call.call_id);
      assert.deepEqual([cdr.result, cdr.local_plan], ['answered', false]);
    }
    assert.equal((await book.cdrs()).length, calls.length, 'a call that was planned twice is one');
  });

  it('both replicas are slow (SIGSTOP for a while): the gateway waits for what is read, and sends once what writes', async (t) => {
    const { book } = await office(t);
    const nothing = '01900000-0000-7000-8000-000000000000';
    const { asked } = await hung(belfry.controls.map(({ name }) => name), async () => {
      const requests = [book.api.get(`${book.base}/cdrs`), book.api.delete(`${book.base}/calls/${nothing}`)];
      await delay(SLOW_MS);
      return { asked: requests };
    });
    const [read, written] = await Promise.all(asked);
    assert.equal(read.status, 200, read.text);
    assertProblem(written, { status: 404, type: 'not-found' });
  });

  it('killed with -9 in mid call, again and again: nothing is lost and nothing is twice', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100', { edge: A }), await phone('101', { edge: B })];
    const calls = [];
    for (let i = 0; i < 3; i++) {
      await until(() => world.reaches(a, b), { what: 'the other edge is reached', deadline_ms: 20_000, every_ms: 50 });
      const { call, dialog } = await world.call(a, b);
      const killed = await Promise.all(belfry.controls.map(({ name }) => belfry.kill9(name)));
      assert.equal((await hangUp(dialog, a)).status, 200, 'a running call ends as usual');
      calls.push(call);
      await until(async () => !killed.includes(await belfry.pid(belfry.controls[0].name)), { what: 'started again', deadline_ms: 30_000 });
      await belfry.allWell();
    }
    for (const call of calls) {
      const { cdr } = await book.over(call.call_id, { deadline_ms: 20_000 });
      assert.deepEqual([cdr.result, cdr.answered_by, cdr.hung_up_by], ['answered', '101', 'callee']);
    }
    assert.deepEqual(await book.live(), []);
  });
});
