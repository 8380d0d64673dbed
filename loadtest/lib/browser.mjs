// Browsers at the edge: what the relay adds to the set-up of their calls, and what one costs that only waits.
import { setTimeout as delay } from 'node:timers/promises';
import { Api, newTenant } from '../../tests/lib/api.mjs';
import { BrowserPhones } from '../../tests/lib/browser_phone.mjs';
import { CallBook } from '../../tests/lib/calls.mjs';
import { Ua, known } from '../../tests/lib/sip.mjs';
import { sdp } from '../../tests/lib/sip_message.mjs';
import { median, quantile } from './load.mjs';
import { memoryBytes } from './processes.mjs';
import { progress } from './report.mjs';
import { indexed, reshape } from './shape.mjs';

export async function measureBrowser(context) {
  context.report.section('Browsers: SIP over WebSocket through the gateway');
  await reshape(context, 1);
  await measureSetup(context);
  await measureIdle(context);
}

// ---- set-up --------------------------------------------------------------------------------------------------------------

/**
 * The same browser calls the same phone through the same gateway and edge, in turns with and without the relay: without, both bodies are
 * called something else than SDP on their way, so that the edge passes them as they are. The phone answers at once; the clock is the
 * browser's, from its first INVITE until its WebSocket has the 200, challenge included.
 */
async function measureSetup({ report, instance, quick }) {
  const closers = [];
  const site = { test: { after: (close) => closers.push(close) } };
  try {
    await openSite(site, instance);
    for (const relayed of [true, false]) await setup(site, relayed); // everybody knows everybody
    const rounds = [];
    for (let i = 0; i < (quick ? 15 : 100); i++) {
      rounds.push([await setup(site, true), await setup(site, false)]);
      if (rounds.length % 10 === 0) progress(`${rounds.length} pairs of calls of a browser`);
    }
    const of = (side, part) => quantile(rounds.map((pair) => pair[side]), part);
    const spread = (side) => `p50 ${of(side, 0.5).toFixed(1)}, p99 ${of(side, 0.99).toFixed(1)} ms`;
    report.figure({ name: 'call of a browser: INVITE to 200, p50', value: of(0, 0.5), unit: 'ms', note: `${rounds.length} calls each way in turns; without the relay ${of(1, 0.5).toFixed(1)} ms` });
    report.figure({ name: 'call of a browser: INVITE to 200, p99', value: of(0, 0.99), unit: 'ms', note: `without the relay ${of(1, 0.99).toFixed(1)} ms` });
    report.figure({ name: 'what the relay adds to it', value: median(rounds.map(([a, b]) => a - b)), unit: 'ms', note: `median of ${rounds.length} pairs; with it ${spread(0)}, without ${spread(1)}` });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function openSite(site, instance) {
  const api = new Api(instance.api, instance.operator_key);
  const tenant = await newTenant(api);
  site.test.after(() => api.ok('DELETE', `/v1/tenants/${tenant.id}`));
  await known(instance.sip, tenant.domain);
  site.phone = await Ua.open({ server: instance.sip, user: '101', domain: tenant.domain, password: tenant.passwords['101'] });
  site.test.after(() => site.phone.close());
  await new CallBook(api, tenant).registered(site.phone);
  site.browser = await (await BrowserPhones.open(site.test, instance)).add(site.test, tenant, '100');
  await site.browser.page.evaluate(watchSip);
  await site.browser.register();
}

/** Milliseconds from INVITE to 200. */
async function setup({ browser, phone }, relayed) {
  await browser.page.evaluate((plain) => globalThis.sip.next(plain), !relayed);
  await browser.call('101');
  const request = await phone.incoming('INVITE');
  phone.reply(request, 200, relayed ? { body: sdp() } : { body: BROWSER_SDP, type: UNSEEN });
  await phone.incoming('ACK');
  const took_ms = await browser.page.evaluate(() => globalThis.sip.took_ms);
  await browser.do('hangUp');
  phone.reply(await phone.incoming('BYE'), 200);
  await browser.event('ended');
  if (took_ms === null) throw new Error(`a call ${relayed ? 'with' : 'without'} the relay had no 200`);
  return took_ms;
}

const UNSEEN = 'application/x-sdp';

/** In the page: `sip.next(unseen)` before a call, `sip.took_ms` afterwards. */
function watchSip() {
  const sip = { next: (unseen) => Object.assign(sip, { unseen, sent_ms: null, took_ms: null }) };
  globalThis.sip = sip;
  const send = WebSocket.prototype.send;
  const watched = new WeakSet();
  const heard = ({ data, timeStamp }) => {
    if (sip.sent_ms !== null && /^SIP\/2\.0 200 /.test(data) && /^CSeq: *\d+ INVITE/im.test(data)) sip.took_ms ??= timeStamp - sip.sent_ms;
  };
  WebSocket.prototype.send = function (data) {
    if (!watched.has(this)) this.addEventListener('message', heard);
    watched.add(this);
    const invite = typeof data === 'string' && data.startsWith('INVITE ');
    if (invite) sip.sent_ms ??= performance.now();
    send.call(this, invite && sip.unseen ? data.replace(/^Content-Type: application\/sdp/im, 'Content-Type: application/x-sdp') : data);
  };
}

/** What a browser takes for an answer; nobody is there. */
const BROWSER_SDP = [
  'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'c=IN IP4 127.0.0.1', 'a=rtpmap:0 PCMU/8000', 'a=mid:0', 'a=rtcp-mux', 'a=sendrecv',
  'a=ice-ufrag:bench', 'a=ice-pwd:benchbenchbenchbenchbench', `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`, 'a=setup:active', '',
].join('\r\n');

// ---- those that wait -----------------------------------------------------------------------------------------------------

const AT_ONCE = 25;
const WARM = 50;
const FORGOTTEN_MS = 6_000; // the memory of a REGISTER's transaction

async function measureIdle(context) {
  const { report, instance, edge, quick } = context;
  const count = quick ? 500 : 2_000;
  const gateway = await instance.pid('nginx');
  const measure = async () => {
    await indexed(instance);
    await delay(FORGOTTEN_MS);
    return { own: memoryBytes(edge.pid).own, gateway: memoryBytes(gateway).all, shared: Number(/used: *(\d+)/.exec(await instance.kamcmd('core.shmmem'))[1]) };
  };
  await leave(await connect(instance, WARM)); // what is made once for all of them
  const before = await measure();
  const clients = await connect(instance, count);
  const after = await measure();
  const lost = clients.filter(({ closed }) => closed).length;
  await leave(clients);
  if (lost > 0) throw new Error(`${lost} of ${count} clients were cut off`);
  const kib = (what) => (after[what] - before[what]) / count / 1024;
  report.figure({ name: 'memory of the edge for each idle WSS client', value: kib('shared') + kib('own'), unit: 'KiB', note: `${count} registered clients: ${kib('shared').toFixed(1)} KiB of core.shmmem, and ${kib('own').toFixed(1)} KiB of its processes' own (PSS)` });
  report.figure({ name: 'memory of the gateway for each idle WSS client', value: kib('gateway'), unit: 'KiB', note: 'all processes of nginx (PSS), which ends its TLS' });
}

/** Registered over WSS, each an extension of its own. */
async function connect(instance, count) {
  const clients = [];
  const one = async (i) => {
    const client = await Ua.open({ transport: 'wss', server: { url: instance.wss }, user: String(100 + (i % 10)), domain: `t${String(Math.floor(i / 10)).padStart(6, '0')}.bench.test`, password: 'bench', host: 'bench.invalid' });
    clients.push(client);
    const { status } = await client.register({ expires_s: 3600 });
    if (status !== 200) throw new Error(`REGISTER of a WSS client: ${status}`);
  };
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < count) await one(next++);
  }));
  progress(`${count} WSS clients are registered`);
  return clients;
}

async function leave(clients) {
  for (let at = 0; at < clients.length; at += AT_ONCE) await Promise.all(clients.slice(at, at + AT_ONCE).map((client) => client.register({ expires_s: 0 })));
  for (const client of clients) client.close();
}
