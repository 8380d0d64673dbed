// SIP over TLS: certificates by name, phones, protected media (SDES), limits, and what keeps Kamailio 5.6 alive under it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { melody, recognise, writeWav } from '../lib/audio.mjs';
import { ROOT } from '../lib/instance.mjs';
import { office, ringing } from '../lib/office.mjs';
import { relayed } from '../lib/rtp.mjs';
import { mediaOf, sdp, uriOf } from '../lib/sip_message.mjs';
import { bear, buildLoad, load, wear } from '../lib/tls_server.mjs';
import { until, within } from '../lib/until.mjs';
import { World, hangUp } from '../lib/world.mjs';

const { belfry } = new World();
const TLS = { transport: 'tls' };
const CIPHERS = ['AES_256_CM_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const SDES = { sdes: ['AES_CM_128_HMAC_SHA1_80'] };

const command = (...args) => promisify(execFile)(path.join(ROOT, 'deploy/local/belfry'), args, { env: { ...process.env, RUN: belfry.run }, timeout: 120_000 });
const certificates = path.join(belfry.run, 'tls/certificates');

/** The names that the certificate is for which the edge shows to who asks for `servername`. */
async function shown(servername, options = {}) {
  const socket = tls.connect({ ...belfry.edges[0].sips, ca: belfry.ca, servername, checkServerIdentity: () => undefined, ...options });
  try {
    await within(new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)), { what: 'a handshake' });
    return { names: socket.getPeerCertificate().subjectaltname, protocol: socket.getProtocol(), socket };
  } finally {
    if (!options.keep) socket.destroy();
  }
}

const unshown = (...args) => assert.rejects(shown(...args), (error) => /alert|EPROTO|ECONNRESET|unsupported|handshake/i.test(`${error.code} ${error.message}`));

before(buildLoad);

describe('certificates', () => {
  it('the tenant’s own for its domain, in any case of letters; the default one for other names and for none', async (t) => {
    const world = new World(t);
    const [one, two] = [await world.tenant(), await world.tenant()];
    const before = await belfry.pid('kamailio');
    await command('certificates', one.domain);
    assert.equal((await shown(one.domain)).names, `DNS:${one.domain}`);
    assert.equal((await shown(one.domain.toUpperCase())).names, `DNS:${one.domain}`);
    const [of_two, of_none] = [(await shown(two.domain)).names, (await shown('')).names];
    assert.ok(of_two.includes(`IP Address:${belfry.sip.host}`) && !of_two.includes(one.domain), of_two);
    assert.equal(of_none, of_two);
    assert.equal(await belfry.pid('kamailio'), before, 'no restart');
  });

  it('one that is put into the folder is loaded while calls go on; so is its successor', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one, { caller: TLS, callee: TLS });
    const { dialog } = await world.call(a, b);
    const [folder, spare] = [path.join(certificates, one.domain), path.join(certificates, `spare.${one.domain}`)];
    t.after(() => [folder, spare].forEach((each) => rmSync(each, { recursive: true, force: true })));
    await command('certificates', `spare.${one.domain}`);
    cpSync(spare, folder, { recursive: true });
    owned(folder);
    await command('certificates');
    assert.equal((await shown(one.domain)).names, `DNS:spare.${one.domain}`);
    rmSync(folder, { recursive: true });
    await command('certificates', one.domain);
    assert.equal((await shown(one.domain)).names, `DNS:${one.domain}`);
    assert.equal((await hangUp(dialog, a)).status, 200, 'the connections of before still serve');
  });

  it('a pair that does not fit is left out and said so, and the others are served', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const folder = path.join(certificates, `broken.${one.domain}`);
    t.after(async () => {
      rmSync(folder, { recursive: true, force: true });
      await command('certificates');
    });
    cpSync(path.join(certificates, 'default'), folder, { recursive: true });
    writeFileSync(path.join(folder, 'privkey.pem'), 'nonsense', { mode: 0o600 });
    owned(folder);
    const { stdout } = await command('certificates', one.domain);
    assert.match(stdout, new RegExp(`left out: broken.${one.domain} .*no pair`));
    assert.equal((await shown(one.domain)).names, `DNS:${one.domain}`);
  });

  it('nobody but the instance’s owner reads a key', () => {
    const files = [path.join(belfry.run, 'secrets/ca.key'), ...readdirSync(certificates).map((name) => path.join(certificates, name, 'privkey.pem'))];
    for (const file of files) assert.equal((statSync(file).mode & 0o777).toString(8), '600', file);
  });

  it('TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) assert.equal((await shown('', { minVersion: version, maxVersion: version })).protocol, version);
    for (const version of ['TLSv1', 'TLSv1.1']) await unshown('', { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
  });

  it('the private authority is what a client must trust', async () => {
    await assert.rejects(shown('', { ca: undefined }), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });
});

/** As root, a file that a test has made is given to who runs the instance. */
function owned(folder) {
  const { uid, gid } = statSync(belfry.run);
  promisify(execFile)('chown', ['-R', `${uid}:${gid}`, folder]);
}

describe('registration', () => {
  it('challenged, then 200; the binding is the connection’s, and goes with it', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const ua = await world.ua(one, '100', { ...TLS, contact: '<sip:100@10.1.2.3:5061;transport=tls>' });
    const reply = await ua.register();
    assert.equal(reply.status, 200);
    assert.equal(reply.challenge.status, 401);
    const bindings = () => world.operator.list(`/v1/tenants/${one.id}/registrations`);
    const [binding] = await until(async () => ((await bindings()).length > 0 ? bindings() : null), { what: 'the binding in the index' });
    assert.equal(binding.transport, 'tls');
    await ua.close();
    await until(async () => (await bindings()).length === 0, { what: 'the lost connection’s binding gone', deadline_ms: 40_000, every_ms: 500 });
  });

  it('a wrong password: 401, as over any transport', async (t) => {
    const world = new World(t);
    const ua = await world.ua(await world.tenant(), '100', { ...TLS, password: 'wrong-password-x' });
    assert.equal((await ua.register()).status, 401);
  });
});

for (const [from, to] of [['tls', 'tls'], ['tls', 'udp'], ['udp', 'tls'], ['tcp', 'tls']]) {
  describe(`${from} calls ${to}`, () => {
    const two = async (t) => {
      const world = new World(t);
      return { world, pair: await world.pair(await world.tenant(), { caller: { transport: from }, callee: { transport: to } }) };
    };

    it('answered, held and taken back by either side, hung up by either', async (t) => {
      const { world, pair: [a, b] } = await two(t);
      for (const who of ['caller', 'callee']) {
        const { call, dialog } = await world.call(a, b);
        for (const [asker, other] of [[call.dialog, b], [dialog, a]]) {
          const held = asker.ask('INVITE', { body: sdp({ direction: 'sendonly', version: 2 }) });
          other.reply(await other.incoming('INVITE'), 200, { body: sdp({ direction: 'recvonly', version: 2 }) });
          assert.equal((await held).status, 200);
          await other.incoming('ACK');
        }
        assert.equal((await (who === 'caller' ? hangUp(call.dialog, b) : hangUp(dialog, a))).status, 200);
      }
    });

    it('CANCEL: 200, 487, and the callee stops ringing', async (t) => {
      const { pair: [a, b] } = await two(t);
      const call = a.invite('101', { body: sdp() });
      const request = await ringing(b);
      await call.ringing();
      const cancel = call.cancel();
      b.reply(await b.incoming('CANCEL'), 200);
      b.reply(request, 487);
      assert.equal((await cancel).status, 200);
      assert.equal((await call.final).status, 487);
    });
  });
}

describe('calls', () => {
  it('ended by REST: both sides get their BYE', async (t) => {
    const { book, phone, world } = await office(t);
    const [a, b] = [await phone('100', TLS), await phone('101', TLS)];
    const { call } = await world.call(a, b);
    const { id } = await book.running(call.call_id, { state: /answered/ });
    await book.hangUp(id);
    for (const ua of [a, b]) ua.reply(await ua.incoming('BYE'), 200);
    const { cdr } = await book.over(call.call_id);
    assert.equal(cdr.hung_up_by, 'api');
  });

  it('click-to-call rings a phone over TLS, also one that takes no media but protected', async (t) => {
    const { book, phone } = await office(t);
    const a = await phone('100', TLS);
    await phone('101');
    assert.ok([201, 202].includes((await book.dial({ from: '100', to: '101' })).status));
    a.reply(await a.incoming('INVITE'), 488);
    const request = await a.incoming('INVITE');
    assert.deepEqual([mediaOf(request.body).profile, mediaOf(request.body).sdes, mediaOf(request.body).direction], ['RTP/SAVP', SDES.sdes, 'inactive']);
    assert.match(request.body.toString(), /inline:[A-Za-z0-9+/]{40}\r\n/);
    assert.equal(uriOf(request.get('Contact')), `sip:${belfry.env.BELFRY_SIPS};transport=tls`);
    a.reply(request, 200, { body: sdp(SDES) });
    await a.incoming('ACK');
    assert.match((await a.incoming('REFER')).get('Refer-To'), /^<sip:101@/);
  });

  it('Contacts with private addresses: everything goes over the connections that are there', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const b = await world.ua(one, '101', { ...TLS, contact: '<sip:101@192.168.77.5:5061;transport=tls>' });
    const a = await world.ua(one, '100', { ...TLS, contact: '<sip:100@10.1.2.3:5061;transport=tls>' });
    for (const ua of [a, b]) assert.equal((await ua.register()).status, 200);
    const { call, request, dialog, answer } = await world.call(a, b);
    assert.match(uriOf(request.get('Contact')), new RegExp(`alias=${a.host.replaceAll('.', '\\.')}~${a.port}~3`));
    assert.match(uriOf(answer.get('Contact')), new RegExp(`alias=${b.host.replaceAll('.', '\\.')}~${b.port}~3`));
    const hold = call.dialog.ask('INVITE', { body: sdp({ direction: 'sendonly' }) });
    b.reply(await b.incoming('INVITE'), 200, { body: sdp({ direction: 'recvonly' }) });
    assert.equal((await hold).status, 200);
    await b.incoming('ACK');
    assert.equal((await hangUp(dialog, a)).status, 200);
  });

  it('sips: addresses are the same extensions', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const b = await world.ua(one, '101', { ...TLS, contact: '<sips:101@192.168.77.5:5061>' });
    assert.equal((await b.register()).status, 200);
    const a = await world.ua(one, '100', TLS);
    const call = a.invite('101', { uri: `sips:101@${one.domain}`, to: `sips:101@${one.domain}`, headers: [['Contact', `<sips:100@${a.host}:${a.port}>`]] });
    b.reply(await b.incoming('INVITE'), 486);
    assert.equal((await call.final).status, 486);
  });

  it('a phone whose connection is gone: the caller hears so soon', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { caller: TLS, callee: TLS });
    await b.close();
    const reply = await a.invite('101', { body: sdp() }).final;
    assert.ok([480, 408, 477, 500, 503].includes(reply.status), reply.first);
  });
});

describe('tenants', () => {
  it("behind another tenant's name, a password opens its own domain alone", async (t) => {
    const world = new World(t);
    const [m, v] = [await world.tenant(), await world.tenant()];
    const liar = await world.ua({ ...v, passwords: m.passwords }, '100', { ...TLS, server_name: m.domain });
    assert.equal((await liar.register()).status, 401);
    const honest = await world.ua(m, '100', { ...TLS, server_name: v.domain });
    assert.equal((await honest.register()).status, 200);
    assert.deepEqual((await world.operator.list(`/v1/tenants/${v.id}/registrations`)), []);
  });

  it('the same number of both tenants: each call reaches its own; the other’s domain is unknown', async (t) => {
    const world = new World(t);
    const [m, v] = [await world.tenant(), await world.tenant()];
    const [[m100, m101], [v100, v101]] = [await world.pair(m, { caller: TLS, callee: TLS }), await world.pair(v, { caller: TLS, callee: TLS })];
    await world.call(m100, m101);
    await world.call(v100, v101);
    assert.equal((await m100.invite(`sip:101@${v.domain}`).final).status, 404);
    assert.ok(!m101.has('INVITE') && !v101.has('INVITE'));
  });

  it('a Contact that names another tenant’s phone: the call goes to where the REGISTER came from', async (t) => {
    const world = new World(t);
    const [ours, theirs] = [await world.tenant(), await world.tenant()];
    const [, target] = await world.pair(theirs, { callee: TLS });
    const liar = await world.ua(ours, '101', { ...TLS, contact: `<sip:101@${target.host}:${target.port};transport=tls>` });
    assert.equal((await liar.register()).status, 200);
    const caller = await world.ua(ours, '100');
    caller.invite('101').final.catch(() => {});
    await liar.incoming('INVITE');
    assert.ok(!target.has('INVITE'));
  });
});

describe('protected media', { concurrency: true }, () => { // they listen
  const plain = (media) => assert.deepEqual([media.profile, media.sdes], ['RTP/AVP', []]);
  const keyed = (media, ciphers) => assert.deepEqual([media.profile, media.sdes], ['RTP/SAVP', ciphers]);

  /** An answered call between kinds; `there` and `back` are what offer and answer had become. */
  async function talk(t, { caller, callee, offer, answer }) {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { caller, callee });
    const made = await world.call(a, b, { body: sdp({ port: 4000, ...offer }), answer_body: sdp({ port: 4002, ...answer }) });
    return { ...made, a, b, there: mediaOf(made.request.body), back: mediaOf(made.answer.body) };
  }

  it('SDES to plain and back: each side sees its own kind', async (t) => {
    const { there, back, request } = await talk(t, { caller: TLS, offer: SDES });
    plain(there);
    keyed(back, SDES.sdes);
    assert.ok(!request.body.toString().includes('fingerprint'));
  });

  it('plain to a phone over TLS: it is offered good ciphers, and no DTLS', async (t) => {
    const { there, back, request } = await talk(t, { callee: TLS, answer: SDES });
    assert.deepEqual([there.profile, [...there.sdes].sort()], ['RTP/SAVP', [...CIPHERS].sort()]);
    assert.ok(!request.body.toString().includes('fingerprint'));
    plain(back);
  });

  it('SDES to SDES: a weak cipher that is offered is not passed on', async (t) => {
    const { there, back } = await talk(t, { caller: TLS, callee: TLS, offer: { sdes: ['NULL_HMAC_SHA1_80', ...SDES.sdes] }, answer: SDES });
    assert.equal(there.profile, 'RTP/SAVP');
    assert.ok(!there.sdes.includes('NULL_HMAC_SHA1_80'), there.sdes.join(' '));
    keyed(back, SDES.sdes);
  });

  for (const who of ['SDES', 'plain']) {
    it(`hold by the ${who} side: both keep their kind`, async (t) => {
      const { call, dialog, a, b } = await talk(t, { callee: TLS, answer: SDES });
      const [asker, other, own, others] = who === 'SDES' ? [dialog, a, SDES, {}] : [call.dialog, b, {}, SDES];
      for (const [ask, say] of [['sendonly', 'recvonly'], ['sendrecv', 'sendrecv']]) {
        const reply = asker.ask('INVITE', { body: sdp({ port: 4000, direction: ask, version: 2, ...own }) });
        const request = await other.incoming('INVITE');
        other.reply(request, 200, { body: sdp({ port: 4002, direction: say, version: 2, ...others }) });
        const [offered, answered] = [mediaOf(request.body), mediaOf((await reply).body)];
        const [sdes_side, plain_side] = who === 'SDES' ? [answered, offered] : [offered, answered];
        plain(plain_side);
        assert.equal(sdes_side.profile, 'RTP/SAVP');
        assert.ok(sdes_side.sdes.length > 0 && sdes_side.sdes.every((cipher) => CIPHERS.includes(cipher)), sdes_side.sdes.join(' '));
        assert.deepEqual([offered.direction, answered.direction], [ask, say]);
        await other.incoming('ACK');
      }
    });
  }

  it('an INVITE without SDP: the answer offers, the ACK answers, each in its kind', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { callee: TLS });
    const call = a.invite('101');
    b.reply(await b.incoming('INVITE'), 200, { body: sdp(SDES) });
    plain(mediaOf((await call.final).body));
    a.send(Buffer.from(ackWith(call, sdp())));
    keyed(mediaOf((await b.incoming('ACK')).body), SDES.sdes);
  });

  it('a phone over TLS that knows no SRTP is asked again in clear, once; the caller hears of it only how it ended', async (t) => {
    const { book, phone } = await office(t);
    const [a, b] = [await phone('100'), await phone('101', TLS)];
    const call = a.invite('101', { body: sdp() });
    const first = await b.incoming('INVITE');
    assert.equal(mediaOf(first.body).profile, 'RTP/SAVP');
    b.reply(first, 488);
    const second = await ringing(b);
    plain(mediaOf(second.body));
    for (const name of ['Record-Route', 'P-Asserted-Identity', 'Contact', 'Via']) assert.equal(second.all(name).length, first.all(name).length, `${name}: as often as in the first`);
    assert.equal(second.get('Proxy-Authorization'), undefined);
    b.reply(second, 200, { body: sdp({ port: 11 }) });
    const answer = await call.final;
    assert.equal(answer.status, 200);
    plain(mediaOf(answer.body));
    call.ack();
    await b.incoming('ACK');
    assert.equal((await hangUp(call.dialog, b)).status, 200);
    const { cdr, story } = await book.over(call.call_id);
    assert.equal(cdr.answered_by, '101');
    assert.deepEqual(story.filter((line) => /branch|ringing|answered/.test(line)), ['branch 101', 'branch-ended 101 488', 'branch 101', 'ringing 101 180', 'answered 101 200']);
  });

  it('who refuses both: 488', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { callee: TLS });
    const call = a.invite('101', { body: sdp() });
    for (const profile of ['RTP/SAVP', 'RTP/AVP']) {
      const request = await b.incoming('INVITE');
      assert.equal(mediaOf(request.body).profile, profile);
      b.reply(request, 488);
    }
    assert.equal((await call.final).status, 488);
    await delay(300);
    assert.ok(!b.has('INVITE'), 'and not a third time');
  });

  it('a fork to a plain phone, an SDES one and one over TLS that is plain: any of them may answer', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, udp] = await world.pair(one);
    const [sdes, clear] = [await world.ua(one, '101', TLS), await world.ua(one, '101', TLS)];
    for (const ua of [sdes, clear]) assert.equal((await ua.register()).status, 200);
    const phones = [{ ua: udp }, { ua: sdes, ...SDES }, { ua: clear, refuses: true }];
    for (const chosen of phones) {
      const call = a.invite('101', { body: sdp() });
      for (const each of phones) {
        each.request = await each.ua.incoming('INVITE');
        if (each.refuses) {
          each.ua.reply(each.request, 488);
          each.request = await each.ua.incoming('INVITE');
        }
        each.ua.reply(each.request, 180);
      }
      await call.ringing();
      chosen.ua.reply(chosen.request, 200, { body: sdp({ port: 11, ...(chosen.sdes ? SDES : {}) }) });
      const answer = await call.final;
      assert.equal(answer.status, 200);
      plain(mediaOf(answer.body));
      call.ack();
      await chosen.ua.incoming('ACK');
      for (const other of phones.filter((each) => each !== chosen)) {
        other.ua.reply(await other.ua.incoming('CANCEL'), 200);
        other.ua.reply(other.request, 487);
      }
      assert.equal((await hangUp(call.dialog, chosen.ua)).status, 200);
    }
  });

  for (const [caller, callee, what] of [
    [{ ...TLS, srtp: 'srtp-mand' }, { transport: 'udp' }, 'SDES calls plain'],
    [{ transport: 'udp' }, { ...TLS, srtp: 'srtp-mand' }, 'plain calls SDES'],
    [{ ...TLS, srtp: 'srtp-mand' }, { ...TLS, srtp: 'srtp-mand' }, 'SDES calls SDES'],
    [{ ...TLS, srtp: 'srtp-mand' }, TLS, 'SDES calls a phone over TLS that knows no SRTP'],
  ]) {
    it(`real phones: ${what}, and they hear each other`, async (t) => {
      const world = new World(t);
      const one = await world.tenant();
      const sounds = [melody(21, 30), melody(22, 30)];
      mkdirSync(world.output, { recursive: true });
      const add = (number, sound, options) => {
        const file = path.join(world.output, `sound-${number}.wav`);
        writeWav(file, sound);
        return world.phones().add({ user: number, domain: one.domain, password: one.passwords[number], sound: file, edge: belfry.edges[0], ca_file: belfry.env.BELFRY_CA_FILE, ...options });
      };
      const phones = [await add('100', sounds[0], caller), await add('101', sounds[1], { ...callee, answer: 'manual' })];
      for (const phone of phones) await phone.register();
      await phones[0].dial(`sip:101@${one.domain}`);
      await phones[1].event('CALL_INCOMING');
      await phones[1].answer();
      const { id } = await phones[0].event('CALL_ESTABLISHED');
      await phones[1].event('CALL_ESTABLISHED');
      await delay(3000); // the talk
      const { totals } = await relayed(belfry.relays, id);
      assert.ok(totals.RTP.packets >= 200, JSON.stringify(totals));
      await phones[0].hangup();
      await phones[1].event('CALL_CLOSED');
      for (const [hears, sound] of [[phones[1], sounds[0]], [phones[0], sounds[1]]]) {
        let heard; // the recorder closes its file a moment after the call
        await until(() => (heard = hears.heard()).length >= 8 * 2900, { deadline_ms: 5_000 }).catch(() => {});
        const seen = recognise(sound, heard, { expect_ms: 2900 });
        assert.ok(seen.match >= 0.95, `${hears.user} heard ${JSON.stringify(seen)}`);
      }
      for (const [phone, { srtp }] of [[phones[0], caller], [phones[1], callee]]) {
        assert.equal(/SRTP is Enabled \(cryptosuite=AES_CM_128/.test(phone.log()), Boolean(srtp), phone.log().slice(-500));
      }
    });
  }
});

/** The ACK of a call's 200, with an SDP. */
function ackWith({ dialog, request }, body) {
  const { method, uri, headers } = dialog.compose('ACK', { cseq: request.cseq, headers: [['Content-Type', 'application/sdp'], ['Content-Length', body.length]] });
  return [`${method} ${uri} SIP/2.0`, ...headers.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n');
}

describe('limits', () => { // as tests/e2e/run sets them
  const raw = (t, at = belfry.edges[0].sips) => {
    const socket = net.connect(at).on('error', () => {}).resume();
    t.after(() => socket.destroy());
    return socket;
  };
  const over = (socket) => until(() => socket.destroyed || socket.readableEnded, { what: 'the end of a silent connection', deadline_ms: 40_000, every_ms: 100 });

  it('a connection over which nobody has proved who it is is closed when nothing comes; a phone’s is not', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one, { caller: TLS, callee: TLS });
    const [greeted, halted] = [await world.ua(one, '100', TLS), await world.ua(one, '100', TLS)];
    halted.send('REGISTER sip:x SIP/2.0\r\nVia: SIP/2');
    await Promise.all([raw(t), raw(t, belfry.sip), greeted.connection, halted.connection].map(over));
    assert.ok(!a.closed && !b.closed, 'the phones are as silent');
    assert.ok(await world.reaches(a, b));
  });

  it('over the limit a connection is closed at once and counted; those that are there go on', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { caller: TLS, callee: TLS });
    const rejected = () => belfry.metric('kamailio', 'kamailio_tcp_local_reject');
    const before = await rejected();
    const many = Array.from({ length: Number(process.env.BELFRY_TLS_CONNECTIONS) + 20 }, () => raw(t));
    await until(async () => (await rejected()) > before, { what: 'connections refused' });
    assert.ok(many.some((socket) => !socket.destroyed));
    assert.ok(await world.reaches(a, b));
    many.forEach((socket) => socket.destroy());
    await until(() => shown(''), { what: 'room again', deadline_ms: 20_000 });
  });
});

describe('the guard', () => {
  const folder = path.join(process.env.BELFRY_TEST_OUTPUT ?? belfry.run, 'tls-guard');

  it('without it: dead within seconds', { timeout: 120_000 }, async (t) => {
    const worn = await wear({ port: belfry.port(970), folder: path.join(folder, 'unguarded'), seconds: 90 });
    t.diagnostic(`${worn.died} after ${worn.connections} connections`);
    assert.ok(worn.died, `alive after ${worn.connections} connections: is tlsguard still needed?`);
  });

  it('with it: thousands of good and broken connections and reloads, and nothing has changed', { timeout: 120_000 }, async (t) => {
    const borne = await bear({ port: belfry.port(971), folder: path.join(folder, 'guarded'), count: 8000, seconds: 60 });
    t.diagnostic(JSON.stringify(borne));
    assert.equal(borne.died, null);
    assert.ok(borne.connections >= 2000, 'enough to tell'); // a slow machine makes fewer in its time
    assert.ok(borne.reloads > 0);
    assert.deepEqual([borne.answered, borne.let_in, borne.repeated_randoms], [borne.good, 0, 0]);
    assert.ok(borne.grew_bytes < 128 * 1024, `shared memory grew by ${borne.grew_bytes} bytes`);
  });

  it('the edge itself: the same processes before and after, and its phones still talk', async (t) => {
    const world = new World(t);
    const [a, b] = await world.pair(await world.tenant(), { caller: TLS, callee: TLS });
    const before = await belfry.pid('kamailio');
    const figures = await load({ target: `${belfry.edges[0].sips.host}:${belfry.edges[0].sips.port}`, count: 2000, seconds: 30 });
    t.diagnostic(JSON.stringify(figures));
    assert.deepEqual([figures.answered, figures.let_in, figures.repeated_randoms, figures.refused], [figures.good, 0, 0, 0]);
    assert.equal(await belfry.pid('kamailio'), before);
    assert.ok(!a.closed && !b.closed);
    assert.ok(await world.reaches(a, b));
  });
});
