// TURN: who gets a credential, what it opens at the real coturn, and whom nobody reaches through it. The port that it shares with HTTPS.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { assertProblem } from '../lib/api.mjs';
import { ROOT } from '../lib/instance.mjs';
import { Turn, credentialOf, turnPlace } from '../lib/turn.mjs';
import { until } from '../lib/until.mjs';
import { World, source } from '../lib/world.mjs';

const { belfry, operator } = new World();
const USER_QUOTA = 12; // deploy/config/coturn/turnserver.conf
const secret = readFileSync(path.join(belfry.run, 'secrets/turn.secret'), 'utf8').trim();
const command = (...args) => promisify(execFile)(path.join(ROOT, 'deploy/local/belfry'), args, { env: { ...process.env, RUN: belfry.run, PORT_BASE: String(belfry.port_base) }, timeout: 120_000 });
const now_s = () => Math.floor(Date.now() / 1000);
let tenant;
let servers;

/** A client of coturn, closed after the test. `where`: which URL, by its number. */
async function client(t, { where = 0, ...who } = {}) {
  const turn = await Turn.open({ ...turnPlace(servers.urls[where]), ca: belfry.ca, username: servers.username, credential: servers.credential, ...who });
  t.after(() => turn.close());
  return turn;
}

/** With this credential signed by the instance's own secret: what differs from a good one is only what the test says. */
const signed = (username) => ({ username, credential: credentialOf(secret, username) });

/** A peer that answers what it hears with the same in capitals. */
async function peer(t) {
  const socket = dgram.createSocket('udp4').on('message', (data, from) => socket.send(data.toString().toUpperCase(), from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { host: '127.0.0.1', port: socket.address().port };
}

const refusedWith = (code) => (error) => {
  assert.equal(error.code, code, error.message);
  return true;
};

before(async () => {
  tenant = await new World().tenant();
  const { ice_servers } = await tenant.api.ok('GET', `/v1/tenants/${tenant.slug}/ice-servers?number=100`);
  servers = ice_servers.find(({ credential }) => credential);
});

describe('GET .../ice-servers', () => {
  const ask = (query = '?number=100', api = tenant.api) => api.get(`/v1/tenants/${tenant.slug}/ice-servers${query}`);
  const token = async (number) => (await tenant.api.ok('POST', `/v1/tenants/${tenant.slug}/tokens`, { number })).token;

  it('says STUN, and TURN by every way with a credential that ends', async () => {
    for (const api of [tenant.api, operator]) {
      const { body } = await ask('?number=100', api);
      const [stun, turn] = body.ice_servers;
      assert.deepEqual(Object.keys(stun), ['urls']);
      assert.deepEqual([...stun.urls, ...turn.urls], belfry.env.BELFRY_TURN.split(' '));
      const [, ends_s] = new RegExp(`^(\\d+):${tenant.slug}/100$`).exec(turn.username);
      assert.equal(Date.parse(body.expires_at), ends_s * 1000);
      assert.ok(Math.abs(ends_s - now_s() - body.ttl_seconds) < 60);
      assert.equal(turn.credential, credentialOf(secret, turn.username));
    }
  });

  it('wants an extension of the tenant', async () => {
    for (const query of ['', '?number=', '?number=999', '?number=1%3A2', "?number='"]) assertProblem(await ask(query), { status: 400, field: 'number' });
    assertProblem(await ask('?number=100&ttl=1'), { status: 400 });
  });

  it('takes an app token, for its own number only, here and nowhere else', async () => {
    const app = operator.as(await token('100'));
    for (const query of ['', '?number=100']) assert.match((await ask(query, app)).body.ice_servers[1].username, /\/100$/);
    assertProblem(await ask('?number=101', app), { status: 403, field: 'number' });
    for (const more of ['', '/extensions', '/dns', '/keys']) assertProblem(await app.get(`/v1/tenants/${tenant.slug}${more}`), { status: 401 });
    const other = await new World().tenant();
    assertProblem(await app.get(`/v1/tenants/${other.slug}/ice-servers`), { status: 404 });
  });

  it('refuses a token that is forged, expired or of a deleted extension', async (t) => {
    const good = await token('101');
    const [head, claims, signature] = good.split('.');
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), sub: '100' })).toString('base64url');
    for (const bad of [`${head}.${other}.${signature}`, `${head}.${claims}.`, 'x'.repeat(1024), 'x'.repeat(1025)]) assertProblem(await ask('', operator.as(bad)), { status: 401 });
    assert.equal((await ask('', operator.as(good))).status, 200);
    await tenant.api.ok('DELETE', `/v1/tenants/${tenant.slug}/extensions/101`);
    t.after(() => tenant.api.ok('POST', `/v1/tenants/${tenant.slug}/extensions`, { number: '101', kind: 'softphone' }));
    assertProblem(await ask('', operator.as(good)), { status: 400, field: 'number' });
  });

  it('gives a suspended tenant nothing', async () => {
    const other = await new World().tenant();
    await operator.ok('PATCH', `/v1/tenants/${other.id}`, { status: 'suspended' });
    for (const api of [other.api, operator]) assertProblem(await api.get(`/v1/tenants/${other.slug}/ice-servers?number=100`), { status: 403 });
  });
});

describe('coturn', () => {
  for (const [where, way] of ['UDP', 'TCP', 'TLS', 'TLS on the port of HTTPS'].entries()) {
    it(`relays both ways over ${way}`, async (t) => {
      const [turn, far] = [await client(t, { where }), await peer(t)];
      const relay = await turn.allocate();
      assert.equal(relay.host, '127.0.0.1');
      assert.ok(relay.port >= belfry.port(800) && relay.port < belfry.port(900), `relay at ${relay.port}`);
      await turn.permit(far);
      for (const word of ['hello', 'again', 'x'.repeat(1200)]) {
        turn.send(far, word);
        const answer = await turn.received();
        assert.deepEqual([answer.peer, answer.data.toString()], [far, word.toUpperCase()]);
      }
      await turn.release();
    });
  }

  it('lets in the first clients of its life, several at the same time', async (t) => {
    await belfry.stop('coturn');
    rmSync(path.join(belfry.run, 'tmp/coturn.sqlite'));
    await command('up');
    const clients = await Promise.all(Array.from({ length: 6 }, () => client(t)));
    await Promise.all(clients.map((turn) => turn.allocate()));
    await Promise.all(clients.map((turn) => turn.release()));
  });

  it('answers STUN to everybody, with one address', async (t) => {
    const turn = await client(t, { username: undefined });
    assert.equal((await turn.binding()).host, '127.0.0.1');
  });

  it('refuses who has no credential, a forged one, or one that has ended', async (t) => {
    const [, user] = servers.username.split(':');
    await (await client(t, signed(`${now_s() + 600}:${user}`))).allocate(); // so it is not the test's own signature
    for (const who of [
      { username: undefined },
      { credential: credentialOf('another secret', servers.username) },
      { username: servers.username.replace('/100', '/101') },
      { username: `${now_s() + 86_400}:${user}` },
      signed(`${now_s() - 60}:${user}`),
      signed('0:x'),
    ]) await assert.rejects((await client(t, who)).allocate(), refusedWith(401), JSON.stringify(who));
  });

  it('relays to nobody it should not reach', async (t) => {
    const turn = await client(t, signed(`${now_s() + 600}:${tenant.slug}/peers`));
    await turn.allocate();
    for (const host of ['127.0.0.2', '127.0.1.1', '10.1.2.3', '172.16.0.1', '172.31.255.254', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '0.1.2.3', '0.0.0.0']) {
      await assert.rejects(turn.permit({ host, port: 9 }), refusedWith(403), host);
    }
    for (const host of ['127.0.0.1', '8.8.8.8', '172.32.0.1', '192.167.255.255']) await turn.permit({ host, port: 9 }); // only the permission: nothing is sent
  });

  it('lets nothing in from where no permission is', async (t) => {
    const [turn, far] = [await client(t), await peer(t)];
    const relay = await turn.allocate();
    const stranger = dgram.createSocket('udp4').bind(0, '127.0.0.9');
    t.after(() => stranger.close());
    await once(stranger, 'listening');
    await turn.permit(far);
    await new Promise((resolve) => stranger.send('not for you', relay.port, relay.host, resolve));
    turn.send(far, 'mine'); // is sent after it, and comes back
    assert.equal((await turn.received()).data.toString(), 'MINE');
  });

  it(`gives a number ${USER_QUOTA} allocations at once, whatever the age of its credentials`, async (t) => {
    const user = `${tenant.slug}/quota`;
    const clients = [];
    for (let i = 0; i < USER_QUOTA; i++) clients.push(await client(t, signed(`${now_s() + 600 + i}:${user}`)));
    for (const each of clients) await each.allocate();
    await assert.rejects((await client(t, signed(`${now_s() + 700}:${user}`))).allocate(), refusedWith(486));
    await (await client(t, signed(`${now_s() + 700}:${user}2`))).allocate();
    for (const each of clients) await each.release();
    const back = await client(t, signed(`${now_s() + 701}:${user}`));
    await until(() => back.allocate().catch((error) => refusedWith(486)(error) && null), { what: 'an allocation that was given back is free again' });
  });
});

/** GET over the one TLS port: {protocol, status, headers, body, certificate}. `name`: the host that is asked for; `from`: our address. */
async function get(name, { from = '127.0.0.1', protocol = 'h2', headers = {}, path: what = '/v1/tenants' } = {}) {
  const socket = tls.connect({ socket: net.connect({ host: '127.0.0.1', port: belfry.port(43), localAddress: from }), servername: name, ca: belfry.ca, checkServerIdentity: () => undefined, ALPNProtocols: [protocol] });
  await once(socket, 'secureConnect');
  try {
    const answer = await (protocol === 'h2' ? getByH2 : getByH1)(socket, name, what, headers);
    return { ...answer, protocol: socket.alpnProtocol, certificate: socket.getPeerCertificate() };
  } finally {
    socket.destroy();
  }
}

async function getByH1(socket, name, what, headers) {
  const [answer] = await once(http.get({ createConnection: () => socket, path: what, headers: { host: name, ...headers } }), 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function getByH2(socket, name, what, headers) {
  const session = http2.connect(`https://${name}`, { createConnection: () => socket });
  const stream = session.request({ ':path': what, ...headers });
  const [answer] = await once(stream, 'response');
  return { status: answer[':status'], headers: answer, body: await text(stream) };
}

/** The line of the gateway's log that this is true of. */
function logged(what, is) {
  return until(() => readFileSync(path.join(belfry.run, 'log/nginx.log'), 'utf8').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).find(is), { what, deadline_ms: 20_000 });
}

describe('the TLS port of the gateway', () => {
  it('speaks HTTP/1.1 and HTTP/2, with a certificate of the private authority', async () => {
    for (const protocol of ['http/1.1', 'h2']) {
      const answer = await get('localhost', { protocol });
      assert.deepEqual([answer.protocol, answer.status], [protocol, 401]);
      assert.equal(JSON.parse(answer.body).type, 'urn:belfry:problem:unauthenticated');
      assert.match(answer.certificate.subjectaltname, /IP Address:127\.0\.0\.1/);
    }
  });

  it('says what browsers must heed, and HSTS only under TLS and for a name', async () => {
    const { headers } = await get(tenant.domain);
    for (const name of ['x-content-type-options', 'x-frame-options', 'content-security-policy', 'referrer-policy']) assert.ok(headers[name], name);
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    for (const name of ['localhost', 'turns.localhost', '127.0.0.1']) assert.equal((await get('localhost', { headers: { host: name }, protocol: 'http/1.1' })).headers['strict-transport-security'], undefined, name);
    const [plain] = await once(http.get(`${belfry.api}/v1/tenants`, { headers: { host: tenant.domain } }), 'response');
    assert.deepEqual([plain.resume().statusCode, plain.headers['strict-transport-security']], [401, undefined]);
  });

  it("keeps the client's address, whatever he says it is", async () => {
    const [from, id] = [source(), randomUUID()];
    await get(tenant.domain, { from, headers: { 'x-request-id': id, 'x-real-ip': '192.0.2.66', 'x-forwarded-for': '192.0.2.66' } });
    assert.equal((await logged('the request', ({ request_id }) => request_id === id)).remote, from);
  });

  it("logs a TURN client's address, which coturn does not see", async (t) => {
    const from = source();
    const turn = await client(t, { where: 3, localAddress: from });
    await turn.allocate();
    turn.close();
    assert.ok((await logged('the TURN connection', ({ event, remote }) => event === 'gateway.turn' && remote === from)).bytes_sent > 0);
  });

  it('tells services the host as X-Tenant, and never what the client says', async (t) => {
    const heard = [];
    await belfry.stop('tenant-registry');
    const registry = http.createServer((request, answer) => answer.end(void heard.push(request.headers)));
    t.after(async () => {
      registry.close().closeAllConnections();
      await belfry.start('tenant-registry');
      await belfry.allWell();
    });
    await once(registry.listen(belfry.port(1), '127.0.0.1'), 'listening');
    for (const protocol of ['h2', 'http/1.1']) {
      await get(tenant.domain, { protocol, headers: { 'x-tenant': 'stolen.example' } });
      await get('localhost', { protocol, headers: { 'x-tenant': 'stolen.example' } });
    }
    assert.deepEqual(heard.map((each) => each['x-tenant']), [tenant.domain, undefined, tenant.domain, undefined]);
    assert.ok(heard.every((each) => each['x-forwarded-proto'] === 'https'));
  });

  it('answers plain HTTP with a problem', async () => {
    const [answer] = await once(http.get({ host: '127.0.0.1', port: belfry.port(43), path: '/v1/tenants' }), 'response');
    assert.equal(answer.statusCode, 400);
    assert.equal(JSON.parse(await text(answer)).type, 'urn:belfry:problem:invalid');
  });

  it("shows a domain's own certificate as soon as there is one, and the default one for all others", async () => {
    assert.doesNotMatch((await get(tenant.domain)).certificate.subjectaltname, new RegExp(tenant.domain));
    await command('certificates', tenant.domain);
    await until(async () => (await get(tenant.domain)).certificate.subjectaltname === `DNS:${tenant.domain}`, { what: 'the certificate' });
    assert.match((await get('localhost')).certificate.subjectaltname, /DNS:localhost/);
  });
});
