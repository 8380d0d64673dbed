// The door for browsers: whose WebSockets come in, how many, and for how long without anybody logging in.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after, describe, it } from 'node:test';
import { BrowserPhones } from '../lib/browser_phone.mjs';
import { until } from '../lib/until.mjs';
import { World, source } from '../lib/world.mjs';

const { belfry } = new World();
const browsers = await BrowserPhones.open({ after }, belfry);

/** The status of a WebSocket's handshake at `url`, from this address of ours; it is closed at once, or (`keep`) after the test. */
function handshake(headers, { url = belfry.ws, host: localAddress, keep } = {}) {
  const options = { path: '/ws', localAddress, headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'sip', ...headers } };
  const { protocol, hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = (protocol === 'wss:' ? https : http).get({ hostname, port, rejectUnauthorized: false, ...options });
    request.on('upgrade', (response, socket) => {
      socket.on('error', () => {});
      if (keep) keep.after(() => socket.destroy());
      else socket.destroy();
      resolve(response.statusCode);
    });
    request.on('response', (response) => resolve(response.statusCode, response.resume()));
    request.on('error', reject);
  });
}

describe('the door for browsers', { concurrency: true }, () => { // they wait
  // Of all edges: the gateway chooses one.
  const figure = async (name) => (await Promise.all(belfry.edges.map((edge) => belfry.metric(edge.name, `kamailio_script_${name}`)))).reduce((sum, each) => sum + each, 0);
  const dump = async (table) => (await Promise.all(belfry.edges.map((edge) => edge.kamcmd('htable.dump', table)))).join('');

  it('is for names of tenants, and says no to others', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    assert.equal(await handshake({ Host: one.domain, Origin: `https://${one.domain}` }), 101);
    assert.equal(await handshake({ Host: one.domain }), 101);
    assert.equal(await handshake({ Host: 'nobody.example' }), 403);
    assert.equal(await handshake({ Host: one.domain, Origin: 'https://evil.example' }), 403);
    assert.equal(await handshake({ Host: one.domain, Origin: `https://evil.example/${one.domain}` }), 403);
  });

  it('a wrong password is refused', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const browser = await browsers.add(t, one, '100', { password: 'wrong' });
    await assert.rejects(browser.register(), { status: 401 });
  });

  it('closes who never logs in, though it answers pings; who has logged in stays', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [stays, guest] = [await browsers.add(t, one, '100'), await browsers.add(t, one, '101')];
    await stays.register();
    await guest.event('connected');
    const before = await figure('closed_guest');
    await guest.event('disconnected', { deadline_ms: 40_000 });
    await until(async () => (await figure('closed_guest')) > before, { what: 'it to be counted' });
    assert.deepEqual((await stays.page.evaluate(() => globalThis.phone.events)).filter(({ type }) => type === 'disconnected'), []);
  });

  it('lets one address have so many connections, and others be', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [host, most] = [source(), belfry.edges.length * Number(process.env.BELFRY_WS_PER_ADDRESS)];
    const before = await figure('refused_crowd');
    let close;
    for (let i = 0; i < most; i++) assert.equal(await handshake({ Host: one.domain }, { host, keep: i === 0 ? { after: (act) => (close = act) } : t }), 101, `${i} of ${most}`);
    assert.equal(await handshake({ Host: one.domain }, { host }), 429);
    assert.equal(await figure('refused_crowd'), before + 1);
    assert.equal(await handshake({ Host: one.domain }, { host: source() }), 101);
    close();
    await until(async () => (await handshake({ Host: one.domain }, { host })) === 101, { what: 'room again' });
    await until(async () => !(await dump('crowd')).includes(host), { what: 'the guests to be sent away', deadline_ms: 40_000 });
  });

  it('believes the gateway alone of who somebody is', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const claimed = source();
    for (const url of [belfry.ws, belfry.wss]) {
      const host = source();
      assert.equal(await handshake({ Host: one.domain, 'X-Real-IP': claimed, 'X-Forwarded-For': claimed }, { host, url, keep: t }), 101);
      const known = await dump('browser');
      assert.ok(known.includes(host), known);
      assert.ok(!known.includes(claimed), known);
    }
    const edge = `ws://127.0.0.1:${belfry.port(11)}`;
    assert.equal(await handshake({ Host: one.domain, 'X-Real-IP': claimed }, { url: edge }), 101); // we are where the gateway is
    await assert.rejects(handshake({ Host: one.domain, 'X-Real-IP': claimed }, { url: edge, host: source() }));
  });
});
