// Who is rung: extensions with several devices, groups, do not disturb, forwarding, limits, and calls without call-control.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { answers, office, refuses, ringing, stops } from '../lib/office.mjs';
import { sdp } from '../lib/sip_message.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry, operator } = new World();

afterEach(() => belfry.allWell());

const metric = async (name) => {
  const texts = await Promise.all(belfry.controls.map(async ({ admin }) => (await fetch(`${admin}/metrics`)).text()));
  return texts.flatMap((text) => text.split('\n')).filter((line) => name.test(line)).reduce((sum, line) => sum + Number(line.trim().split(/\s+/).at(-1)), 0);
};

describe('an extension', () => {
  it('all its devices ring; one answers, the other stops; the timeline names both', async (t) => {
    const { book, phone } = await office(t);
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('101', { transport: 'tcp' })];
    const call = a.invite('101', { body: sdp() });
    const [at_b, at_c] = [await ringing(b), await ringing(c)];
    await call.ringing();
    const dialog = await answers(call, c, at_c);
    await stops(b, at_b);
    const live = await book.running(call.call_id, { state: /answered/ });
    assert.deepEqual([live.caller, live.callee, live.number], ['100', '101', '101']);
    await hangUp(dialog, a);
    const { cdr, lines, story } = await book.over(call.call_id);
    assert.deepEqual([cdr.result, cdr.code, cdr.answered_by, cdr.hung_up_by, cdr.local_plan], ['answered', 200, '101', 'callee', false]);
    assert.equal(lines.filter(({ kind }) => kind === 'branch').length, 2, story.join('\n'));
    assert.deepEqual(story.filter((line) => /answered|branch-ended/.test(line)).sort(), ['answered 101 200', 'branch-ended 101 487']);
    const answered = lines.find(({ kind }) => kind === 'answered');
    assert.equal(answered.device, cdr.device);
    assert.notEqual(lines.find(({ kind }) => kind === 'branch-ended').device, answered.device);
    assert.match(lines.find(({ kind }) => kind === 'step').text, /extension 101/);
  });

  it('without a device: 480; a number that does not exist: 404; both are in the book', async (t) => {
    const { book, phone } = await office(t);
    const a = await phone('100');
    for (const [number, status, result] of [['102', 480, 'no-answer'], ['987', 404, 'refused']]) {
      const call = a.invite(number, { body: sdp() });
      assert.equal((await call.final).status, status);
      const { cdr } = await book.over(call.call_id);
      assert.deepEqual([cdr.callee, cdr.code, cdr.result, cdr.answered_by, cdr.talk_ms], [number, status, result, null, 0]);
    }
  });

  it('whose number differs from another one in case alone is another one', async (t) => {
    const { world, book, base, phone } = await office(t, { numbers: ['100', 'Door', 'door'], limits: { max_registrations: 3 } });
    const [a, upper, lower] = [await phone('100'), await phone('Door'), await phone('door')];
    assert.equal((await upper.register()).status, 200, 'a refresh, though the tenant has no place left');
    assert.ok(await world.reaches(a, upper));
    assert.ok(!lower.has('INVITE'));
    assert.ok(await world.reaches(a, lower));
    await world.operator.ok('DELETE', `${base}/extensions/Door`);
    await until(async () => (await book.registrations()).length === 2, { what: 'the deleted one is out of the index', deadline_ms: 10_000, every_ms: 50 });
    assert.ok(await world.reaches(a, lower));
  });

  it('is rung by a call that comes in the very moment it has registered', async (t) => {
    const numbers = Array.from({ length: 10 }, (_, i) => String(200 + i));
    const { world, tenant, phone } = await office(t, { numbers: ['100', ...numbers] });
    const a = await phone('100');
    for (const number of numbers) {
      const b = await world.ua(tenant, number);
      await b.register();
      assert.ok(await world.reaches(a, b), number);
    }
  });

  it('that calls itself: its other device rings, its own does not', async (t) => {
    const { phone } = await office(t);
    const [a, other] = [await phone('100'), await phone('100')];
    const call = a.invite('100', { body: sdp() });
    const request = await ringing(other);
    assert.ok(!a.has('INVITE'), 'the caller does not ring itself');
    other.reply(request, 486);
    assert.equal((await call.final).status, 486);
  });

  it('with one device that calls itself: refused, nothing rings', async (t) => {
    const { phone } = await office(t);
    const a = await phone('100');
    const reply = await a.invite('100', { body: sdp() }).final;
    assert.ok(reply.status >= 400, reply.first);
    assert.ok(!a.has('INVITE'));
  });

  it('on do not disturb: 480 or 486 at once, and it does not ring; off again: it rings', async (t) => {
    const { world, base, book, phone } = await office(t, { set: { 101: { do_not_disturb: true } } });
    const [a, b] = [await phone('100'), await phone('101')];
    const call = a.invite('101', { body: sdp() });
    const reply = await call.final;
    assert.ok([480, 486].includes(reply.status), reply.first);
    assert.match(reply.get('Reason') ?? '', /do-not-disturb/);
    assert.ok(!b.has('INVITE'));
    const { lines } = await book.over(call.call_id);
    assert.match(lines.map(({ text }) => text).join(' '), /do-not-disturb/, 'the timeline says why');
    await operator.ok('PATCH', `${base}/extensions/101`, { do_not_disturb: false });
    const time = elapsed();
    await until(() => world.reaches(a, b), { what: 'it rings again', deadline_ms: 3_000, every_ms: 20 });
    t.diagnostic(`off again is effective after ${time().toFixed(0)} ms`);
  });

  it('deleted while its phone is registered: 404, nothing rings', async (t) => {
    const { base, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    await operator.ok('DELETE', `${base}/extensions/101`);
    await until(async () => (await a.invite('101', { body: sdp() }).final).status === 404, { what: 'a 404', deadline_ms: 3_000, every_ms: 20 });
    await until(async () => (await book.registrations('101')).length === 0, { what: 'its binding gone from the index' });
    b.close();
  });
});

describe('who calls', () => {
  const shown = (request) => ['From', 'P-Asserted-Identity'].map((name) => request.all(name).map((value) => value.replace(/;tag=[^;]*$/, '').replace(/" *</, '" <')).join(' | '));

  /** What b is shown of a call of 100 whose own From has `display`. */
  async function sees({ a, b, tenant }, display, name) {
    const call = a.invite('101', { body: sdp(), display, headers: [['P-Asserted-Identity', '"Boss" <sip:102@evil.example>'], ['P-Preferred-Identity', '<sip:102@evil.example>']] });
    const request = await b.incoming('INVITE');
    b.reply(request, 486, { headers: [['P-Asserted-Identity', '"Boss" <sip:102@evil.example>']] });
    const reply = await call.final;
    assert.equal(reply.get('P-Asserted-Identity'), undefined, 'what the callee asserts of itself stays here too');
    assert.equal(request.get('P-Preferred-Identity'), undefined);
    const identity = `<sip:100@${tenant.domain}>`;
    assert.deepEqual(shown(request), Array(2).fill(name ? `${name} ${identity}` : identity));
  }

  it('is shown by the name that the registry has, whatever its phone says', async (t) => {
    const { tenant, phone } = await office(t, { set: { 100: { display_name: 'Ånn <sip:102@x>; Lee' } } });
    const parties = { a: await phone('100'), b: await phone('101'), tenant };
    for (const display of ['', '"The Boss" ', 'Boss ', '"The <sip:102@x> \\" Boss" ', '"The Boss"']) await sees(parties, display, '"Ånn <sip:102@x>; Lee"');
  });

  it('without a name: by its number alone', async (t) => {
    const { tenant, phone } = await office(t);
    const parties = { a: await phone('100'), b: await phone('101'), tenant };
    for (const display of ['', '"The Boss" ', 'Boss ']) await sees(parties, display, '');
  });
});

describe('forwarding', () => {
  it('always: the target rings and the own phone does not', async (t) => {
    const { book, phone } = await office(t, { set: { 101: { forward_always: '102' } } });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    await hangUp(await answers(call, c, await ringing(c)), a);
    assert.ok(!b.has('INVITE'));
    const { cdr } = await book.over(call.call_id);
    assert.deepEqual([cdr.callee, cdr.answered_by, cdr.result], ['101', '102', 'answered']);
  });

  it('busy: the phone rings first, its 486 leads on', async (t) => {
    const { book, phone } = await office(t, { set: { 101: { forward_busy: '102' } } });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    await refuses(b, 486);
    await hangUp(await answers(call, c, await ringing(c)), a);
    const { cdr, story } = await book.over(call.call_id);
    assert.equal(cdr.answered_by, '102');
    const order = ['branch 101', 'branch-ended 101 486', 'branch 102', 'answered 102 200'].map((line) => story.indexOf(line));
    assert.ok(order.every((at, i) => at >= 0 && (i === 0 || at > order[i - 1])), story.join('\n'));
  });

  it('busy does not lead on when nobody answers; no answer does, after ring_seconds', async (t) => {
    const { book, phone } = await office(t, { set: { 101: { forward_no_answer: '102', ring_seconds: 1 }, 100: { forward_busy: '102', ring_seconds: 1 } } });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    const time = elapsed();
    const at_b = await ringing(b);
    await stops(b, at_b);
    const at_c = await ringing(c);
    assert.ok(time() >= 900 && time() < 4_000, `went on after ${time().toFixed(0)} ms`);
    await hangUp(await answers(call, c, at_c), a);
    assert.equal((await book.over(call.call_id)).cdr.answered_by, '102');
    const alone = b.invite('100', { body: sdp() });
    await stops(a, await ringing(a));
    assert.ok([408, 480].includes((await alone.final).status));
    assert.ok(!c.has('INVITE'), 'an unanswered call is no busy one');
  });

  it('not registered counts as no answer: at once to the target', async (t) => {
    const { phone } = await office(t, { set: { 101: { forward_no_answer: '102' } } });
    const [a, c] = [await phone('100'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    await refuses(c, 486, { deadline_ms: 3_000 });
    assert.equal((await call.final).status, 486);
  });

  it('in a circle, or to itself: an end, and no phone rings twice', async (t) => {
    const { book, phone } = await office(t, { set: { 101: { forward_always: '102' }, 102: { forward_always: '101' }, 100: { forward_busy: '100' } } });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    const reply = await call.final;
    assert.ok(reply.status >= 400 && reply.status < 700, reply.first);
    assert.ok(!b.has('INVITE') && !c.has('INVITE'));
    const { lines } = await book.over(call.call_id);
    assert.match(JSON.stringify(lines), /loop/, 'the timeline says that it is a loop');
    const itself = b.invite('100', { body: sdp() });
    await refuses(a, 486);
    assert.equal((await itself.final).status, 486);
    assert.ok(!a.has('INVITE'));
  });

  it('to a number that does not exist: refused, and the timeline says who forwarded there', async (t) => {
    const { book, phone } = await office(t, { set: { 101: { forward_always: '4711' }, 102: { forward_no_answer: '4711' } } });
    const [a, c] = [await phone('100'), await phone('102')];
    const call = a.invite('101', { body: sdp() });
    assert.ok((await call.final).status >= 400);
    assert.match(JSON.stringify((await book.over(call.call_id)).lines), /unknown-number: forward-always of 101 to 4711/);
    const rung = a.invite('102', { body: sdp() });
    await refuses(c, 486);
    await rung.final;
    assert.match(JSON.stringify((await book.over(rung.call_id)).lines), /extension 102; forward-no-answer of 102 to 4711: unknown-number/);
  });
});

describe('a group', () => {
  const everybody = { number: '600', strategy: 'all', members: ['101', '102'], ring_seconds: 2 };
  const inTurn = { number: '601', strategy: 'sequence', members: ['101', '102'], ring_seconds: 1 };

  it('all: everybody rings, one answers, the others stop', async (t) => {
    const { book, phone } = await office(t, { groups: [everybody] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('600', { body: sdp() });
    const [at_b, at_c] = await Promise.all([ringing(b), ringing(c)]);
    const dialog = await answers(call, b, at_b);
    await stops(c, at_c);
    await hangUp(dialog, a);
    const { cdr, story } = await book.over(call.call_id);
    assert.deepEqual([cdr.callee, cdr.answered_by], ['600', '101']);
    assert.deepEqual(story.filter((line) => /branch/.test(line)).sort(), ['branch 101', 'branch 102', 'branch-ended 102 487']);
  });

  it('all: nobody answers in ring_seconds: 480, and everybody stops', async (t) => {
    const { book, phone } = await office(t, { groups: [everybody] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('600', { body: sdp() });
    const time = elapsed();
    const [at_b, at_c] = await Promise.all([ringing(b), ringing(c)]);
    await Promise.all([stops(b, at_b), stops(c, at_c)]);
    assert.ok([408, 480].includes((await call.final).status));
    assert.ok(time() >= 1_900 && time() < 6_000, `${time().toFixed(0)} ms`);
    assert.equal((await book.over(call.call_id)).cdr.result, 'no-answer');
  });

  it('all: one refuses, the other still rings; all refuse: the caller hears it', async (t) => {
    const { phone } = await office(t, { groups: [everybody] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('600', { body: sdp() });
    await refuses(b, 486);
    const at_c = await ringing(c);
    await call.ringing();
    c.reply(at_c, 486);
    assert.equal((await call.final).status, 486);
  });

  it('sequence: one after the other; who refuses is passed at once', async (t) => {
    const { book, phone } = await office(t, { groups: [inTurn] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const slow = a.invite('601', { body: sdp() });
    const at_b = await ringing(b);
    assert.ok(!c.has('INVITE'), 'the second does not ring yet');
    await stops(b, at_b);
    await hangUp(await answers(slow, c, await ringing(c)), a);
    assert.equal((await book.over(slow.call_id)).cdr.answered_by, '102');
    const quick = a.invite('601', { body: sdp() });
    const time = elapsed();
    await refuses(b, 486);
    const at_c = await ringing(c);
    assert.ok(time() < 900, `passed after ${time().toFixed(0)} ms`);
    await hangUp(await answers(quick, c, at_c), a);
  });

  it('a member on do not disturb or without a phone is left out; the caller does not ring itself', async (t) => {
    const group = { number: '600', strategy: 'all', members: ['100', '101', '102', '103'] };
    const { phone } = await office(t, { numbers: ['100', '101', '102', '103'], set: { 101: { do_not_disturb: true } }, groups: [group] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const call = a.invite('600', { body: sdp() });
    const at_c = await ringing(c);
    assert.ok(!b.has('INVITE') && !a.has('INVITE'));
    c.reply(at_c, 603);
    assert.ok((await call.final).status >= 480);
  });

  it("a member's forward-always rings the other one in its place, its other forwarding is not followed", async (t) => {
    const group = { number: '600', strategy: 'sequence', members: ['101', '102'] };
    const set = { 101: { forward_always: '103' }, 102: { forward_busy: '101' }, 103: { forward_busy: '101' } };
    const { book, phone } = await office(t, { numbers: ['100', '101', '102', '103'], set, groups: [group] });
    const [a, b, c, d] = [await phone('100'), await phone('101'), await phone('102'), await phone('103')];
    const call = a.invite('600', { body: sdp() });
    await refuses(d, 486);
    await refuses(c, 486);
    assert.equal((await call.final).status, 486);
    assert.ok(!b.has('INVITE') && !d.has('INVITE'));
    const steps = (await book.over(call.call_id)).lines.filter(({ kind }) => kind === 'step').map(({ text }) => text);
    assert.deepEqual(steps, ['group 600: 101 forward-always to 103', 'group 600: 102']);
  });

  it('that is empty, or whose members have no phone: 480', async (t) => {
    const { phone } = await office(t, { groups: [{ number: '600', strategy: 'all', members: [] }, { number: '601', strategy: 'sequence', members: ['101', '102'] }] });
    const a = await phone('100');
    for (const number of ['600', '601']) assert.equal((await a.invite(number, { body: sdp() }).final).status, 480);
  });

  it('changed by REST: the new members ring', async (t) => {
    const { base, phone } = await office(t, { groups: [{ ...everybody, members: ['101'] }] });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const rung = async () => {
      const call = a.invite('600', { body: sdp() });
      const who = await until(() => [b, c].find((ua) => ua.has('INVITE')), { what: 'a member rings', every_ms: 2 });
      await refuses(who, 486);
      assert.equal((await call.final).status, 486);
      return who;
    };
    assert.equal(await rung(), b);
    await operator.ok('PATCH', `${base}/groups/600`, { members: ['102'] });
    const time = elapsed();
    await until(async () => (await rung()) === c, { what: 'the new member rings', deadline_ms: 3_000 });
    t.diagnostic(`effective after ${time().toFixed(0)} ms`);
    assert.ok(!b.has('INVITE'));
  });
});

describe('limits', () => {
  const refused = async (book, call, { status, why }) => {
    const reply = await call.final;
    assert.equal(reply.status, status, reply.first);
    assert.match(reply.get('Reason') ?? '', why);
    const { cdr, lines } = await book.over(call.call_id);
    assert.equal(cdr.code, status);
    assert.match(lines.map(({ text }) => text).join(' '), why, 'the timeline says why');
  };

  it('max_calls: 486 with the reason, a metric and a timeline line; an ended call frees its place', async (t) => {
    const { world, book, phone } = await office(t, { limits: { max_calls: 1 } });
    const [a, b, c] = [await phone('100'), await phone('101'), await phone('102')];
    const before = await metric(/limit.*max_calls|max_calls.*limit/);
    const { call, dialog } = await world.call(a, b);
    await refused(book, c.invite('101', { body: sdp() }), { status: 486, why: /max_calls/ });
    assert.ok(!b.has('INVITE'));
    assert.ok((await metric(/limit.*max_calls|max_calls.*limit/)) > before, 'it is counted');
    await hangUp(dialog, a);
    await book.over(call.call_id);
    assert.ok(await world.reaches(c, b), 'the place is free with the CDR');
  });

  it('max_calls: of ten at once exactly three get through; refused and cancelled ones free their places', async (t) => {
    const { book, phone } = await office(t, { limits: { max_calls: 3 } });
    const [a, b] = [await phone('100'), await phone('101')];
    for (const end of ['refuse', 'cancel']) {
      const calls = Array.from({ length: 10 }, () => a.invite('101', { body: sdp() }));
      const through = [await ringing(b), await ringing(b), await ringing(b)];
      await until(() => calls.filter(({ reply }) => reply).length === 7, { what: 'seven are refused' });
      assert.deepEqual(calls.map(({ reply }) => reply?.status).filter(Boolean), Array(7).fill(486));
      assert.ok(!b.has('INVITE'));
      const running = calls.filter(({ reply }) => !reply);
      if (end === 'refuse') through.forEach((request) => b.reply(request, 603));
      else await Promise.all([...running.map((call) => call.cancel()), ...through.map((request) => stops(b, request))]);
      for (const call of running) {
        await call.final;
        await book.over(call.call_id);
      }
    }
  });

  it('calls_per_second: what is over it gets 503 with the reason; a second later it is well again', async (t) => {
    const { world, book, phone } = await office(t, { limits: { calls_per_second: 2 } });
    const [a, b] = [await phone('100'), await phone('101')];
    const calls = Array.from({ length: 8 }, () => a.invite('101', { body: sdp() }));
    await until(async () => {
      while (b.has('INVITE')) await refuses(b, 486);
      return calls.every(({ reply }) => reply);
    }, { what: 'all are over', every_ms: 5 });
    const over = calls.filter(({ reply }) => reply.status === 503);
    assert.ok(over.length >= 4 && over.length <= 6, `of 8 at once ${over.length} are over 2 a second`);
    await refused(book, over[0], { status: 503, why: /calls_per_second/ });
    await until(() => world.reaches(a, b), { what: 'a call gets through again', deadline_ms: 3_000, every_ms: 200 });
  });
});

describe('a crowd', () => {
  it('is planned several calls to a message, and each rings whom it is for', async (t) => {
    const numbers = Array.from({ length: 8 }, (_, i) => String(200 + i));
    const { world, phone } = await office(t, { numbers });
    const phones = await Promise.all(numbers.map((number) => phone(number)));
    for (const [i, each] of phones.entries()) assert.ok(await world.reaches(phones[(i + 1) % phones.length], each), 'its number is known from now on');
    const others = (ua) => phones.filter((each) => each !== ua);
    const crowd = async () => {
      const calls = phones.flatMap((from) => others(from).map((to) => from.invite(to.user, { body: sdp() })));
      await Promise.all(phones.map(async (ua) => {
        for (const {} of others(ua)) {
          const request = await ua.incoming('INVITE');
          assert.match(request.get('to'), new RegExp(`sip:${ua.user}@`));
          ua.reply(request, 486);
        }
      }));
      for (const call of calls) assert.equal((await call.final).status, 486);
    };
    const figures = () => Promise.all([metric(/^belfry_control_plans_total/), metric(/^belfry_bus_requests_total/)]);
    let [plans, messages] = [0, 0];
    for (let round = 0; round < 10 && plans <= messages; round++) {
      const before = await figures();
      await crowd();
      [plans, messages] = (await figures()).map((after, i) => after - before[i]);
    }
    t.diagnostic(`${plans} plans; messages of all kinds to call-control: ${messages}`);
    assert.ok(plans > messages, `${plans} plans in ${messages} messages`);
  });
});

describe('a suspended tenant', () => {
  it('403, nothing rings; active again: it rings', async (t) => {
    const { world, base, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    await operator.ok('PATCH', base, { status: 'suspended' });
    await until(async () => (await a.transact(a.compose('OPTIONS'))).status === 403, { what: 'suspended at the edge' });
    assert.equal((await a.invite('101', { body: sdp() }).final).status, 403);
    assert.ok(!b.has('INVITE'));
    await operator.ok('PATCH', base, { status: 'active' });
    await until(async () => (await a.transact(a.compose('OPTIONS'))).status === 200, { what: 'active at the edge' });
    await until(() => world.reaches(a, b), { what: 'it rings again', deadline_ms: 3_000 });
  });
});

describe('without call-control', () => {
  const away = async (how) => {
    for (const { name } of belfry.controls) await belfry.stop(name);
    try {
      return await how();
    } finally {
      for (const { name } of belfry.controls) await belfry.start(name);
      await belfry.allWell();
    }
  };

  it('calls go on by the edge’s own plan; what happened is told later, all of it', async (t) => {
    const { world, tenant, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const running = await world.call(a, b);
    await book.running(running.call.call_id, { state: /answered/ });
    const [unanswered, answered, late] = await away(async () => {
      const times = [];
      const refused = a.invite('102', { body: sdp() });
      assert.equal((await refused.final).status, 480);
      for (let i = 0; i < 3; i++) {
        const time = elapsed();
        const { call, dialog } = await world.call(a, b);
        times.push(time());
        await hangUp(dialog, a);
        if (i === 2) {
          assert.ok(Math.min(...times) < 1_500, `a call takes ${times.map((each) => each.toFixed(0))} ms without call-control`);
          await hangUp(running.dialog, a);
          const other = await world.ua(tenant, '102');
          assert.equal((await other.register()).status, 200, 'a phone that registers meanwhile');
          return [refused, call, other];
        }
      }
    });
    const one = await book.over(running.call.call_id, { deadline_ms: 20_000 });
    assert.deepEqual([one.cdr.result, one.cdr.hung_up_by, one.cdr.local_plan], ['answered', 'callee', false]);
    const two = await book.over(answered.call_id);
    assert.deepEqual([two.cdr.result, two.cdr.answered_by, two.cdr.local_plan], ['answered', '101', true]);
    assert.ok(['branch 101', 'answered 101 200'].every((line) => two.story.includes(line)), two.story.join('\n'));
    assert.deepEqual([(await book.over(unanswered.call_id)).cdr.code], [480]);
    await until(async () => (await book.registrations('102')).length === 1, { what: 'the binding made meanwhile' });
    await until(() => world.reaches(a, late), { what: 'it is rung' });
  });

  it('hangs (SIGSTOP): a call waits for its plan half a second and not more', async (t) => {
    const { world, book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101')];
    const pids = await Promise.all(belfry.controls.map(({ name }) => belfry.pid(name)));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    let call;
    try {
      const time = elapsed();
      const made = await world.call(a, b);
      t.diagnostic(`INVITE to answer while call-control hangs: ${time().toFixed(0)} ms`);
      assert.ok(time() < 1_500, `${time().toFixed(0)} ms`);
      await hangUp(made.dialog, a);
      call = made.call;
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    const { cdr } = await book.over(call.call_id, { deadline_ms: 20_000 });
    assert.deepEqual([cdr.result, cdr.local_plan], ['answered', true]);
    assert.equal((await book.cdrs()).length, 1, 'the plan that came too late is no call of its own');
    assert.deepEqual(await book.live(), []);
  });
});
