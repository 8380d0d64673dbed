// What an open port sees: nonsense, torture, scanners, floods, guesses, and those who would use us as their relay. The edge
// answers as RFC 3261 says or not at all, and is the same process afterwards.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { build, challengeOf, frames, authorization, parse, sdp, token } from '../lib/sip_message.mjs';
import { encode } from '../lib/sip.mjs';
import { until, within } from '../lib/until.mjs';
import { World, source } from '../lib/world.mjs';

const shared = new World();
const { belfry } = shared;
const QUIET_MS = 700; // how long "no answer" is listened for; the edge answers in a millisecond
let tenant;
let pid;

before(async () => {
  tenant = await shared.tenant({ numbers: ['100', '101'] });
  pid = await belfry.pid('kamailio');
});

/** The edge answers an honest question from an address that nobody is angry at. */
async function alive(t) {
  const ua = await new World(t).ua(tenant, '100');
  assert.equal((await ua.transact(ua.compose('OPTIONS'))).status, 200);
}

after(async () => {
  assert.equal(await belfry.pid('kamailio'), pid, 'the edge is the process that it was');
});

const refused = (name) => belfry.metric('kamailio', `kamailio_script_refused_${name}`);

/** Sends one datagram and gives the first reply, or null when none comes. */
async function datagram(bytes, { host = source() } = {}) {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, host, resolve));
  try {
    const reply = new Promise((resolve) => socket.once('message', resolve));
    socket.send(bytes, belfry.sip.port, belfry.sip.host);
    return parse(await within(reply, { deadline_ms: QUIET_MS }));
  } catch (error) {
    if (error.name === 'DeadlineError') return null;
    throw error;
  } finally {
    socket.close();
  }
}

/** Writes pieces to a new TCP connection; gives the messages that came back until it was closed or fell quiet. */
async function stream(pieces) {
  const socket = net.connect({ host: belfry.sip.host, port: belfry.sip.port, localAddress: source() });
  let input = Buffer.alloc(0);
  let last = performance.now();
  socket.on('data', (data) => {
    input = Buffer.concat([input, data]);
    last = performance.now();
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', () => resolve(true)));
  await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    last = performance.now();
  }
  await Promise.race([closed, until(() => performance.now() - last > QUIET_MS, { deadline_ms: 10_000, every_ms: 50 })]);
  socket.destroy();
  return frames(input).messages.map(parse);
}

const HEADERS = () => ({
  Via: `SIP/2.0/UDP 127.0.0.1:5;rport;branch=z9hG4bK${token()}`, 'Max-Forwards': 70, From: `<sip:100@${tenant.domain}>;tag=1`, To: `<sip:100@${tenant.domain}>`,
  'Call-ID': token(), CSeq: '1 OPTIONS', 'Content-Length': 0,
});

/** An OPTIONS with some headers changed (null: left out), as bytes. */
function odd(changes = {}, { first = `OPTIONS sip:${tenant.domain} SIP/2.0`, body = '' } = {}) {
  const headers = Object.entries({ ...HEADERS(), ...changes }).filter(([, value]) => value !== null);
  return build({ first, headers, body });
}

describe('malformed', () => {
  const NONE = null;
  // [what, bytes, the statuses that are right; NONE: silence]
  const cases = [
    ['an honest OPTIONS (so that the others prove something)', () => odd(), [200]],
    ['no Call-ID', () => odd({ 'Call-ID': null }), [400, NONE]],
    ['no CSeq', () => odd({ CSeq: null }), [400, NONE]],
    ['no From', () => odd({ From: null }), [400, NONE]],
    ['no To', () => odd({ To: null }), [400, NONE]],
    ['no Via', () => odd({ Via: null }), [NONE]],
    ['an empty Via', () => odd({ Via: '' }), [400, NONE]],
    ['a Via without a branch value', () => odd({ Via: 'SIP/2.0/UDP 127.0.0.1:5;rport;branch=' }), [400, 200, NONE]],
    ['a CSeq of another method', () => odd({ CSeq: '1 INVITE' }), [400]],
    ['a CSeq beyond 31 bits', () => odd({ CSeq: '99999999999999999999 OPTIONS' }), [400, NONE]],
    ['a CSeq that is no number', () => odd({ CSeq: 'x OPTIONS' }), [400, NONE]],
    ['a Max-Forwards that is no number', () => odd({ 'Max-Forwards': 'many' }), [400, 483, NONE]],
    ['a negative Max-Forwards', () => odd({ 'Max-Forwards': '-1' }), [400, 483, 200, NONE]],
    ['a Content-Length longer than what came', () => odd({ 'Content-Length': 9999 }), [400, NONE]],
    ['a negative Content-Length', () => odd({ 'Content-Length': -1 }), [400, NONE]],
    ['a Content-Length beyond 32 bits', () => odd({ 'Content-Length': '4294967296' }), [400, NONE]],
    ['another SIP version', () => odd({}, { first: `OPTIONS sip:${tenant.domain} SIP/7.0` }), [505, 400, NONE]],
    ['an unknown scheme', () => odd({}, { first: 'OPTIONS nobodyKnowsThisScheme:x SIP/2.0' }), [416, 400, NONE]],
    ['a URI without a host', () => odd({}, { first: 'OPTIONS sip:100@ SIP/2.0' }), [400, 404, NONE]],
    ['a URI with a broken port', () => odd({}, { first: `OPTIONS sip:${tenant.domain}:99999999 SIP/2.0` }), [400, 404, NONE]],
    ['a URI in angle brackets', () => odd({}, { first: `OPTIONS <sip:${tenant.domain}> SIP/2.0` }), [400, NONE]],
    ['spaces inside the first line', () => odd({}, { first: `OPTIONS  sip:${tenant.domain}   SIP/2.0` }), [400, 200, NONE]],
    ['a From that never ends its quotes', () => odd({ From: `"never ends <sip:100@${tenant.domain}>;tag=1` }), [400, NONE]],
    ['a From without a tag', () => odd({ From: `<sip:100@${tenant.domain}>` }), [400, 200, NONE]],
    ['a To with bytes beyond ASCII', () => odd({ To: Buffer.from([0xff, 0xfe, 0x80]).toString('latin1') }), [400, NONE]],
    ['a Proxy-Require nobody knows', () => odd({ 'Proxy-Require': 'nothing-we-know' }), [420, 200]],
    ['two Via lines of garbage', () => odd({ Via: ';;,;,,', 'X-Via': 'x' }), [400, NONE]],
    ['three hundred headers', () => odd(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`X-${i}`, 'y'.repeat(20)]))), [200, 400, 513]],
    ['a header of 10 KiB', () => odd({ 'X-Long': 'z'.repeat(10_000) }), [200, 400, 513]],
    ['an unknown method', () => odd({ CSeq: '1 BREW' }, { first: `BREW sip:${tenant.domain} SIP/2.0` }), [405, 501]],
    ['a method name of 4 KiB', () => odd({ CSeq: `1 ${'M'.repeat(4096)}` }, { first: `${'M'.repeat(4096)} sip:${tenant.domain} SIP/2.0` }), [405, 501, 400, NONE]],
    ['a reply to nothing', () => Buffer.from(`SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\nCall-ID: x\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nContent-Length: 0\r\n\r\n`), [NONE]],
    ['a reply of status 999999', () => Buffer.from('SIP/2.0 999999 OK\r\n\r\n'), [NONE]],
    ['only line ends', () => Buffer.from('\r\n\r\n'), [NONE]],
    ['a format string', () => odd({ From: '"%n%n%s%s" <sip:%6e%00@x>;tag=%n' }), [400, 404, 200, NONE]],
    ['a user part with NULs and quotes', () => odd({}, { first: `OPTIONS sip:%00%22'--@${tenant.domain} SIP/2.0` }), [200, 400, 404]],
    ['SDP that is none', () => odd({ 'Content-Type': 'application/sdp', 'Content-Length': 5 }, { body: 'm=\0\r\n' }), [200, 400]],
  ];
  for (const [what, bytes, right] of cases) {
    it(what, async (t) => {
      const reply = await datagram(bytes());
      assert.ok(right.includes(reply?.status ?? NONE), `${reply ? reply.first : 'no answer'}; right would be ${right.map((each) => each ?? 'silence').join(', ')}`);
      await alive(t);
    });
  }

  it('an ACK is never answered, whatever is wrong with it', async () => {
    for (const changes of [{}, { From: null }, { CSeq: '1 INVITE' }, { 'X-Long': 'z'.repeat(20_000) }]) {
      const reply = await datagram(odd({ CSeq: '1 ACK', ...changes }, { first: `ACK sip:${tenant.domain} SIP/2.0` }));
      assert.equal(reply, null, reply?.first);
    }
  });

  it('HTTP on the SIP port gives nothing away', async () => {
    const socket = net.connect({ host: belfry.sip.host, port: belfry.sip.port });
    const text = new Promise((resolve) => {
      let all = '';
      socket.on('data', (data) => (all += data)).on('close', () => resolve(all)).on('error', () => resolve(all));
    });
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const seen = await within(text, { deadline_ms: 5_000 }).catch(() => '');
    socket.destroy();
    assert.ok(!seen.includes('kamailio_'), seen.slice(0, 200));
  });

  it('SIP on the admin port is not served', async () => {
    const socket = net.connect({ host: '127.0.0.1', port: belfry.port(10) });
    let seen = '';
    socket.on('data', (data) => (seen += data)).on('error', () => {});
    socket.write(odd({ Via: `SIP/2.0/TCP 127.0.0.1:5;branch=z9hG4bK${token()}` }));
    await assert.rejects(until(() => seen, { deadline_ms: QUIET_MS }));
    socket.destroy();
  });
});

describe('REGISTER and INVITE with parts of a digest that break', () => {
  for (const [what, change] of [
    ['an endless username', (value) => value.replace(/username="[^"]*"/, `username="${'a'.repeat(5000)}"`)],
    ['an endless response', (value) => value.replace(/response="[^"]*"/, `response="${'f'.repeat(5000)}"`)],
    ['no response', (value) => value.replace(/response="[^"]*",?/, '')], ['no nonce', (value) => value.replace(/nonce="[^"]*",?/, '')],
    ['no realm', (value) => value.replace(/realm="[^"]*",?/, '')], ['an unended quote', (value) => value.replace(/uri="[^"]*"/, 'uri="sip:')],
    ['nc that is no number', (value) => value.replace(/nc=\w+/, 'nc=zzzzzzzz')],
    ['nothing after Digest', () => 'Digest'], ['Basic', () => 'Basic b3BlcmF0b3I6eA=='], ['a comma only', () => 'Digest ,'],
    ['an empty username', (value) => value.replace(/username="[^"]*"/, 'username=""')], ['a format string', (value) => value.replace(/username="[^"]*"/, 'username="%n%s%p"')],
    ['an empty response', (value) => value.replace(/response="[^"]*"/, 'response=""')],
  ]) {
    it(what, async (t) => {
      const ua = await new World(t).ua(tenant, '100');
      for (const method of ['REGISTER', 'INVITE']) {
        const uri = method === 'INVITE' ? `sip:101@${tenant.domain}` : `sip:${tenant.domain}`;
        const headers = [['Contact', ua.contact]];
        const first = await ua.transact(ua.compose(method, { uri, headers }));
        const name = method === 'INVITE' ? 'Proxy-Auth' : 'WWW-Auth';
        const value = authorization(challengeOf(first.get(`${name}enticate`)), { method, uri, user: '100', password: ua.password });
        const header = [method === 'INVITE' ? 'Proxy-Authorization' : 'Authorization', change(value)];
        const reply = await ua.transact(ua.compose(method, { uri, headers: [...headers, header] }));
        assert.ok([400, 401, 403, 407].includes(reply.status), `${method}: ${reply.first}`);
      }
    });
  }
});

describe('sizes', () => {
  it('over 16 KiB: 513 over TCP', async () => {
    const before = await refused('oversized');
    const [reply] = await stream([odd({ Via: `SIP/2.0/TCP 127.0.0.1:5;rport;branch=z9hG4bK${token()}`, 'Content-Length': 17_000 }, { body: 'x'.repeat(17_000) })]);
    assert.equal(reply?.status, 513);
    assert.ok((await refused('oversized')) > before);
  });

  it('the largest datagrams: refused or dropped, never a crash', async (t) => {
    for (const size of [17_000, 40_000, 64_000]) {
      const reply = await datagram(odd({ 'Content-Length': size }, { body: 'x'.repeat(size) }));
      assert.ok([null, 513, 400].includes(reply?.status ?? null), reply?.first);
    }
    await alive(t);
  });

  for (const [what, pieces] of [
    ['headers without an end', () => [`OPTIONS sip:x SIP/2.0\r\n`, ...Array.from({ length: 20 }, () => `X-Long: ${'y'.repeat(8000)}\r\n`)]],
    ['a Content-Length of a gigabyte', () => [odd({ 'Content-Length': 1_000_000_000 }), 'x'.repeat(100_000)]],
    ['a Content-Length that overflows', () => [odd({ 'Content-Length': '99999999999999999999' }), 'x'.repeat(1000)]],
    ['a negative Content-Length', () => [odd({ 'Content-Length': '-5' }), 'x'.repeat(1000)]],
    ['a TLS hello', () => [Buffer.from('16030100a5010000a10303', 'hex'), Buffer.alloc(200, 7)]],
    ['zeros', () => [Buffer.alloc(100_000)]],
    ['a megabyte of line ends', () => [Buffer.alloc(1 << 20, '\r\n')]],
  ]) {
    it(`TCP: ${what}`, async (t) => {
      const replies = await stream(pieces());
      assert.ok(replies.every((reply) => reply.status >= 400), replies.map((reply) => reply.first).join(', '));
      await alive(t);
    });
  }

  it('TCP: one message in many small pieces, and three in one piece, are understood', async () => {
    const via = () => ({ Via: `SIP/2.0/TCP 127.0.0.1:5;rport;branch=z9hG4bK${token()}` });
    const bytes = odd(via());
    const slow = await stream(Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7)));
    assert.deepEqual(slow.map((reply) => reply.status), [200]);
    const three = await stream([Buffer.concat([odd(via()), odd(via()), odd(via())])]);
    assert.deepEqual(three.map((reply) => reply.status), [200, 200, 200]);
  });

  it('TCP: connections that say nothing do not keep others out', async (t) => {
    const sockets = Array.from({ length: 300 }, () => net.connect({ host: belfry.sip.host, port: belfry.sip.port, localAddress: source() }).on('error', () => {}));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const ua = await new World(t).ua(tenant, '100', { transport: 'tcp' });
    assert.equal((await ua.register()).status, 200);
  });
});

describe('garbage', () => {
  it('two thousand random datagrams', async (t) => {
    const socket = dgram.createSocket('udp4');
    await new Promise((resolve) => socket.bind(0, source(), resolve));
    let state = 7;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0);
    const honest = odd();
    for (let i = 0; i < 2000; i++) {
      const bytes = i % 2 ? Buffer.from(honest) : Buffer.alloc(1 + (random() % 1500));
      const flips = i % 2 ? 1 + (random() % 20) : bytes.length;
      for (let k = 0; k < flips; k++) bytes[random() % bytes.length] = random() >> 8;
      socket.send(bytes, belfry.sip.port, belfry.sip.host);
      if (i % 50 === 49) await alive(t);
    }
    await new Promise((resolve) => socket.close(resolve));
    await alive(t);
  });
});

describe('scanners', () => {
  for (const agent of ['friendly-scanner', 'sipvicious', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1', 'pplsip']) {
    it(`${agent}: no answer at all`, async () => {
      const before = await refused('scanner');
      assert.equal(await datagram(odd({ 'User-Agent': agent })), null);
      assert.ok((await refused('scanner')) > before);
    });
  }
});

describe('floods and guesses', () => {
  it('a flood is not served, others are; when it ends its source is served again', async (t) => {
    const world = new World(t);
    const before = await refused('flood');
    const host = source();
    const flooder = await world.ua(tenant, '100', { host });
    for (let i = 0; i < 4000; i++) {
      flooder.send(encode(flooder.compose('OPTIONS')));
      if (i % 100 === 99) await new Promise(setImmediate);
    }
    await until(async () => (await refused('flood')) > before, { what: 'refusals of the flood', deadline_ms: 15_000 });
    await alive(t);
    const again = await world.ua(tenant, '100', { host });
    await until(async () => (await again.transact(again.compose('OPTIONS'), { deadline_ms: 1_000 })).status === 200, { what: 'service after the flood', deadline_ms: 60_000, every_ms: 500 });
  });

  it('too many wrong passwords ban their source, and nobody else; a ban can be lifted', async (t) => {
    const world = new World(t);
    const host = source();
    const guesser = await world.ua(tenant, '100', { host, password: 'a-wrong-guess' });
    const tries = await until(async () => {
      const reply = await guesser.register({ deadline_ms: 1_500 }).catch((error) => {
        if (error.name === 'DeadlineError') return null;
        throw error;
      });
      guesser.tries = (guesser.tries ?? 0) + 1;
      if (reply === null) return guesser.tries;
      assert.equal(reply.status, 401);
      return guesser.tries > 300 ? -1 : 0;
    }, { what: 'a ban', deadline_ms: 30_000, every_ms: 0 });
    assert.ok(tries > 1, 'banned after some guesses, not never');
    assert.match(await belfry.kamcmd('htable.dump', 'ban'), new RegExp(host.replaceAll('.', '\\.')));
    const right = await world.ua(tenant, '100', { host });
    await assert.rejects(right.register({ deadline_ms: 1_000 }), { name: 'DeadlineError' });
    await alive(t);
    await belfry.kamcmd('htable.delete', 'ban', host);
    assert.equal((await right.register()).status, 200);
  });

  it('a banned source’s running call goes on to its end', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one);
    const { call } = await world.call(a, b);
    await belfry.kamcmd('htable.seti', 'ban', a.host, '1');
    t.after(() => belfry.kamcmd('htable.delete', 'ban', a.host));
    const bye = call.bye();
    b.reply(await b.incoming('BYE'), 200);
    assert.equal((await bye).status, 200);
  });
});

describe('nobody’s relay', () => {
  let target;
  before(async () => {
    target = dgram.createSocket('udp4');
    target.messages = 0;
    target.on('message', () => (target.messages += 1));
    await new Promise((resolve) => target.bind(0, '127.0.0.1', resolve));
  });
  after(() => new Promise((resolve) => target.close(resolve)));

  const inside = (ua, method, { routes = [], uri = `sip:x@127.0.0.1:${target.address().port}` } = {}) =>
    ua.compose(method, { uri, to: uri, to_tag: token(), routes, call_id: token(), headers: [['Contact', ua.contact]] });

  for (const method of ['BYE', 'INVITE', 'INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'UPDATE']) {
    it(`${method} with a To tag but of no call of ours: 481, and it goes nowhere`, async (t) => {
      const ua = await new World(t).ua(tenant, '100');
      const { host, port } = belfry.sip;
      for (const routes of [[], [`<sip:${host}:${port};lr>`], [`<sip:${host}:${port};lr;bt=0123456789abcdef01234567>`], [`<sip:${host}:${port};lr;bt=>`],
        [`<sip:127.0.0.1:${target.address().port};lr>`], [`<sip:${host}:${port};lr;bt=x>`, `<sip:127.0.0.1:${target.address().port};lr>`]]) {
        const reply = await ua.transact(inside(ua, method, { routes }));
        assert.ok([481, 405].includes(reply.status), `${routes}: ${reply.first}`);
      }
      assert.equal(target.messages, 0);
    });
  }

  it('the token of one call does not open another', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const { call, dialog } = await world.call(a, b);
    const stolen = inside(a, 'BYE', { routes: call.dialog.routes });
    assert.equal((await a.transact(stolen)).status, 481);
    assert.equal(target.messages, 0);
    const bye = dialog.ask('BYE');
    a.reply(await a.incoming('BYE'), 200);
    assert.equal((await bye).status, 200);
  });

  it('a request outside a call with a Route of its own: answered by us, never sent on', async (t) => {
    const ua = await new World(t).ua(tenant, '100');
    for (const method of ['INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS']) {
      const uri = `sip:x@127.0.0.1:${target.address().port}`;
      const reply = await ua.ask(method, { uri, to: uri, routes: [`<sip:${belfry.sip.host}:${belfry.sip.port};lr>`, `<sip:127.0.0.1:${target.address().port};lr>`],
        headers: [['Contact', ua.contact]], body: method === 'INVITE' ? sdp() : '' });
      assert.ok(reply.status >= 400, `${method}: ${reply.first}`);
    }
    assert.equal(target.messages, 0);
  });

  it('a CANCEL or reply for a stranger’s call does nothing', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant());
    const call = a.invite('101', { body: sdp() });
    const request = await b.incoming('INVITE');
    b.reply(request, 180);
    await call.ringing();
    const stranger = await world.ua(tenant, '100');
    const cancel = stranger.compose('CANCEL', { uri: call.request.uri, to: call.request.uri, call_id: call.call_id, from_tag: call.request.from_tag, cseq: call.request.cseq });
    stranger.send(encode(cancel));
    await alive(t);
    assert.ok(!b.has('CANCEL'));
    b.reply(request, 486);
    assert.equal((await call.final).status, 486);
  });

  it('a Contact that names another place is not where the edge sends calls without a digest', async (t) => {
    const ua = await new World(t).ua(tenant, '100', { contact: `<sip:100@127.0.0.1:${target.address().port}>`, password: 'wrong-password-x' });
    assert.equal((await ua.register()).status, 401);
    assert.equal(target.messages, 0);
  });
});
