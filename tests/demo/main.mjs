// The demo: what Belfry is for, shown with real phones on a real instance.
//
//   tests/demo/run [--json]      RUN and PORT_BASE name the instance (default: run, 5000), as for `make up`
//
// Brings the instance up if needed, onboards two tenants that use the same numbers, lets both talk at the same time, rings a
// group over two edges and explains that call, tells a backend and an app of another, wakes a sleeping phone, lets browsers call,
// and shows the walls between the tenants. It may be run again and again; it leaves the instance running, and ends with 0 when everything it claims was
// seen. What it needs of the instance beyond what `make up` gives is lent to it meanwhile: stage.mjs.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Api } from '../lib/api.mjs';
import { phonePath } from '../lib/browser.mjs';
import { CallBook } from '../lib/calls.mjs';
import { ROOT } from '../lib/instance.mjs';
import { Phones } from '../lib/phones.mjs';
import { Report } from '../lib/report.mjs';
import { RtpEnd, delays, relayed } from '../lib/rtp.mjs';
import { Ua } from '../lib/sip.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { BROWSERS, browsers } from './browsers.mjs';
import { events } from './events.mjs';
import { TENANTS, heard, ms, onboard, passwordOf, registerPhones, softphone, timeline } from './office.mjs';
import { sleeping } from './sleeping.mjs';
import { PHONE_PORTS, Stage } from './stage.mjs';

const TALK_MS = 4000;
const SECTIONS = [onboard, registerPhones, talk, group, events, sleeping, browsers, probe, walls];

async function main() {
  const json = process.argv.includes('--json');
  const run = path.resolve(ROOT, process.env.RUN || 'run');
  const folder = mkdtempSync(path.join(tmpdir(), 'belfry-demo-'));
  chmodSync(folder, 0o711); // event-fanout, which may be another account, reads a certificate in it
  const stage = new Stage({ run, port_base: Number(process.env.PORT_BASE || 5000), tenants: TENANTS, folder, stdout: json ? 2 : 1 });
  const demo = { stage, folder, tenants: [] };
  const leave = once(async () => {
    await demo.phones?.close();
    rmSync(folder, { recursive: true, force: true });
    await stage.strike();
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted(stage, leave));
  let ok;
  try {
    await stage.set();
    ok = await show(demo, json);
    if (stage.lent) demo.report.dim('  Now it gets its own settings back ...');
  } finally {
    await leave();
  }
  await goOn(demo);
  return ok;
}

async function show(demo, json) {
  const { belfry } = demo.stage;
  const [from, to] = PHONE_PORTS.map((plus) => belfry.port(plus));
  const report = new Report({ title: 'Belfry: two tenants, two edges, real phones', json });
  Object.assign(demo, { belfry, report, api: new Api(belfry.api, belfry.operator_key) });
  demo.phones = new Phones({ sip: belfry.sip, folder: demo.folder, ports: [from, to] });
  report.dim('  While it runs this instance has a second edge, may send webhooks to 127.0.0.1, and sends its pushes to this demo,');
  report.dim('  which plays Apple.');
  try {
    for (const section of SECTIONS) await section(demo);
  } catch (error) {
    report.check(false, 'the demo goes to its end', error.message);
  }
  return report.end();
}

function interrupted(stage, leave) {
  process.stderr.write(`\ndemo: interrupted${stage.lent ? '; the instance gets its own settings back' : ''}\n`);
  leave().then(() => process.exit(130), fail);
}

function once(act) {
  let done;
  return () => (done ??= act());
}

// ---- the call ------------------------------------------------------------------------------------------------------------

async function talk(demo) {
  const [belavista, acme] = demo.tenants;
  demo.report.section('100 calls 101 in both tenants: the same numbers, at the same time, each its own sound');
  const first = await call(demo, belavista);
  const silent = !acme.phones['101'].has('CALL_INCOMING') && !acme.phones['100'].has('CALL_INCOMING');
  demo.report.check(silent, "belavista's call did not ring at acme", silent ? "acme's 101 has seen no call" : "acme's phones have seen a call");
  const second = await call(demo, acme);
  await delay(TALK_MS); // the talk itself
  for (const each of [first, second]) await finish(demo, each);
}

async function call({ report }, tenant) {
  const { 100: caller, 101: callee } = tenant.phones;
  const start = performance.now();
  await caller.dial(`sip:101@${tenant.domain}`);
  const rings = await callee.event('CALL_INCOMING');
  await callee.answer();
  const [answered] = await Promise.all([caller.event('CALL_ESTABLISHED'), callee.event('CALL_ESTABLISHED')]);
  const ring_ms = rings.at - start;
  const answer_ms = answered.at - start;
  report.check(true, `${tenant.slug}: 101 rings and answers`, `rings after ${ms(ring_ms)}, connected after ${ms(answer_ms)}`, { ring_ms, answer_ms });
  return { tenant, caller, callee, id: answered.id, answered_at: answered.at };
}

async function finish(demo, { tenant, caller, callee, id, answered_at }) {
  const { belfry, report } = demo;
  const relay = await relayed(belfry.relays, id);
  const talked_ms = performance.now() - answered_at;
  await caller.hangup();
  await callee.event('CALL_CLOSED');
  await heard(demo, tenant, [caller, callee], talked_ms);
  const { packets, bytes, errors } = relay.totals.RTP; // SRTP that overtakes the answer with its key is an error: a packet or two
  report.check(packets > 0 && errors < packets / 50, `${tenant.slug}: the sound went through rtpengine`, `${packets} packets, ${Math.round(bytes / 1024)} KiB, ${errors} errors`, { packets, bytes, errors });
}

// ---- a group, and what is known of its call ------------------------------------------------------------------------------

const GROUP = { number: '600', strategy: 'all', members: ['101', '102'], ring_seconds: 20, display_name: 'Reception' };

/** 600 rings 101 and, at the other edge, 102; the call is watched, ended and explained by REST. */
async function group(demo) {
  const { report, api, tenants: [tenant] } = demo;
  const { 100: caller, 101: other } = tenant.phones;
  const book = new CallBook(api, tenant);
  report.section('100 calls the group 600 (101 here, 102 on the second edge): watched, ended and explained by REST');
  const member = await groupMember(demo, tenant);
  try {
    for (const phone of [caller, other, member]) phone.forget();
    await groupRings(demo, { tenant, caller, other, member });
    const live = await until(async () => (await book.live()).find(({ callee, state }) => callee === GROUP.number && state === 'answered'), { what: 'the live call' });
    await report.attempt('live figures of both legs', () => liveFigures(book, live));
    await report.attempt('hung up by REST: both phones and the media', () => hungUp(demo, book, live, [caller, member]));
    await report.attempt('its CDR', () => finished(book, live));
    await explained(demo, book, live);
  } finally {
    await member.deregister().catch(() => {});
    for (const place of [`groups/${GROUP.number}`, 'extensions/102']) await api.delete(`/v1/tenants/${tenant.id}/${place}`);
  }
}

/** The group is made, and the phone of 102, known to call-control. */
async function groupMember(demo, tenant) {
  const { api, belfry } = demo;
  const password = await passwordOf(api, tenant, '102');
  const made = await api.post(`/v1/tenants/${tenant.id}/groups`, GROUP);
  if (made.status !== 201 && made.status !== 409) throw new Error(`POST groups: ${made.status} ${made.text}`);
  const phone = await softphone(demo, tenant, '102', password, { edge: belfry.edges[1] });
  await phone.register();
  const book = new CallBook(api, tenant);
  for (const number of GROUP.members) await book.indexed(number);
  return phone;
}

async function groupRings({ report }, { tenant, caller, other, member }) {
  const start = performance.now();
  await caller.dial(`sip:${GROUP.number}@${tenant.domain}`);
  const rings = await Promise.all([other, member].map((phone) => phone.event('CALL_INCOMING')));
  const ring_ms = rings.map(({ at }) => at - start);
  await member.answer();
  await Promise.all([caller, member].map((phone) => phone.event('CALL_ESTABLISHED')));
  const answered = performance.now();
  const { at } = await other.event('CALL_CLOSED');
  report.check(true, '101 and 102 ring, 102 answers, 101 stops',
    `rang after ${ring_ms.map(ms).join(' and ')}, 101 stopped ${at < answered ? 'at once' : `${ms(at - answered)} later`}`, { ring_ms });
}

async function liveFigures(book, live) {
  await delay(2000); // the talk
  const { media } = await book.call(live.id);
  const leg = ({ party, codec, packets, loss_percent, jitter_ms, mos }) =>
    `${party} ${codec} ${packets} packets${mos ? `, loss ${loss_percent.toFixed(1)} %, jitter ${jitter_ms.toFixed(1)} ms, MOS ${mos.toFixed(1)}` : ''}`;
  return { ok: media.length === 2 && media.every(({ packets }) => packets > 50), seen: media.map(leg).join(' · '), figures: { media } };
}

async function hungUp({ belfry }, book, live, phones) {
  const time = elapsed();
  const answer = await book.hangUp(live.id);
  await Promise.all(phones.map((phone) => phone.event('CALL_CLOSED')));
  const took_ms = time();
  await until(async () => {
    const media = await relayed(belfry.relays, live.sip_call_id);
    return media.result === 'error' || Object.values(media.tags ?? {}).every(({ deleted: gone }) => gone);
  }, { what: 'the end of the media' });
  return { ok: answer.status < 300, seen: `${answer.status}; both phones heard the end within ${ms(took_ms)}`, figures: { took_ms } };
}

async function finished(book, live) {
  const { cdr } = await book.over(live.sip_call_id);
  const seconds = (value) => `${(value / 1000).toFixed(1)} s`;
  return {
    ok: cdr.result === 'answered' && cdr.answered_by === '102' && cdr.hung_up_by === 'api',
    seen: `${cdr.caller} → ${cdr.callee}, answered by ${cdr.answered_by}, rang ${seconds(cdr.ring_ms)}, talked ${seconds(cdr.talk_ms)}, hung up by ${cdr.hung_up_by}`,
    figures: { cdr },
  };
}

/** Its lines are printed below the check. */
async function explained(demo, book, live) {
  const lines = await book.timeline(live.id);
  const rung = lines.filter(({ kind }) => kind === 'branch').map(({ number }) => number).sort();
  demo.report.check(rung.join() === GROUP.members.join() && lines.some(({ kind }) => kind === 'ended'), 'why did it ring? its timeline', `${lines.length} lines; ${rung.join(' and ')} were rung`);
  timeline(demo, lines);
}

// ---- what the relay adds, and a deleted extension ---------------------------------------------------------------------

/** Two bare extensions: RTP packets that carry their time, and then one of them is deleted. */
async function probe(demo) {
  const { belfry, report, api } = demo;
  const [tenant] = demo.tenants;
  const numbers = ['198', '199'];
  const uas = [];
  try {
    for (const number of numbers) {
      const password = await passwordOf(api, tenant, number);
      uas.push(await Ua.open({ server: belfry.sip, user: number, domain: tenant.domain, password }));
    }
    report.section('Delay, and a change that is effective at once');
    await report.attempt('added by the relay, per packet', () => relayDelay(...uas));
    await report.attempt('198 deleted by REST: refused at once', () => deleted(api, tenant, uas[0]));
  } finally {
    for (const ua of uas) await ua.close();
    for (const number of numbers) await api.delete(`/v1/tenants/${tenant.id}/extensions/${number}`);
  }
}

async function relayDelay(caller, callee) {
  await callee.register();
  const [a, b] = [await RtpEnd.open(), await RtpEnd.open()];
  try {
    const outgoing = caller.invite(callee.user, { body: sdp(a) });
    const refused = outgoing.final.then((answer) => {
      throw new Error(`the INVITE got ${answer.status} ${answer.reason}`);
    });
    refused.catch(() => {});
    const request = await Promise.race([callee.incoming('INVITE'), refused]);
    callee.reply(request, 200, { body: sdp(b) });
    const reply = await outgoing.final;
    outgoing.ack();
    await Promise.all([a.send(mediaOf(reply.body), 50), b.send(mediaOf(request.body), 50)]);
    const sorted = [...delays(a, b), ...delays(b, a)].sort((x, y) => x - y);
    const bye = outgoing.bye();
    callee.reply(await callee.incoming('BYE'), 200);
    await bye;
    const p50 = sorted[Math.floor(sorted.length * 0.5)];
    const p99 = sorted[Math.floor(sorted.length * 0.99)];
    return { ok: sorted.length >= 90, seen: `median ${ms(p50)}, 99 % within ${ms(p99)}, ${sorted.length} of 100 packets arrived`, figures: { p50_ms: p50, p99_ms: p99 } };
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

async function deleted(api, tenant, ua) {
  const before = await ua.register();
  if (before.status !== 200) throw new Error(`it could not register before: ${before.status} ${before.reason}`);
  await api.ok('DELETE', `/v1/tenants/${tenant.id}/extensions/${ua.user}`);
  const time = elapsed();
  const reply = await until(async () => {
    const answer = await ua.register();
    return answer.status !== 200 && answer;
  }, { deadline_ms: 2_000, what: 'a refusal', every_ms: 2 });
  const took_ms = time();
  return { ok: reply.status === 401, seen: `${reply.status} ${reply.reason} within ${ms(took_ms)} of the deletion`, figures: { took_ms } };
}

// ---- walls ---------------------------------------------------------------------------------------------------------------

async function walls(demo) {
  const { report } = demo;
  report.section('Walls');
  await report.attempt('belavista 100 dials 101@acme.example', () => foreignDomain(demo));
  await report.attempt("acme, asked for with belavista's API key", () => foreignKey(demo));
  await report.attempt('a wrong password', () => wrongPassword(demo));
}

async function foreignDomain({ tenants: [belavista, acme] }) {
  const { 100: caller } = belavista.phones;
  caller.forget();
  await caller.dial(`sip:101@${acme.domain}`);
  const closed = await caller.event('CALL_CLOSED');
  const rang = acme.phones['101'].has('CALL_INCOMING');
  return { ok: /^404/.test(closed.param) && !rang, seen: `${closed.param}${rang ? ', and it rang' : ', as for a domain that does not exist'}`, figures: { reply: closed.param } };
}

async function foreignKey({ api, tenants: [belavista, acme] }) {
  const key = await api.ok('POST', `/v1/tenants/${belavista.id}/keys`, { name: 'demo', role: 'reader' });
  try {
    const own = await api.as(key.api_key ?? key.key).get(`/v1/tenants/${belavista.id}`);
    const foreign = await api.as(key.api_key ?? key.key).get(`/v1/tenants/${acme.id}`);
    return { ok: own.status === 200 && foreign.status === 404, seen: `own tenant ${own.status}, acme ${foreign.status}` };
  } finally {
    await api.delete(`/v1/tenants/${belavista.id}/keys/${key.id}`);
  }
}

/** One try each by our own user agent: a real phone tries a wrong password again and again, until its address is banned. */
async function wrongPassword({ belfry, tenants: [belavista] }) {
  const replies = [];
  for (const user of ['100', '404404']) {
    const ua = await Ua.open({ server: belfry.sip, user, domain: belavista.domain, password: 'not-the-password' });
    try {
      replies.push(await ua.register());
    } finally {
      await ua.close();
    }
  }
  const [wrong, unknown] = replies.map(({ status, reason }) => `${status} ${reason}`);
  return { ok: wrong.startsWith('401') && wrong === unknown, seen: `${wrong}; a number that does not exist: ${unknown}`, figures: { wrong, unknown } };
}

// ---- how to go on ---------------------------------------------------------------------------------------------------------

async function goOn({ api, belfry, report, tenants }) {
  const { path: link } = await api.ok('POST', '/v1/logins', { expires_in_seconds: 3600 });
  const file = path.relative(process.cwd(), path.join(belfry.run, 'belfry.env')) || belfry.run;
  const [tenant] = tenants;
  report.text('\n  The instance is still running. See these calls in the console; the link signs one browser in, once, within an hour:');
  report.text(`    ${belfry.api}${tenant ? link.replace('/#', `/console/t/${tenant.slug}/cdrs#`) : link}`);
  const links = Object.entries(BROWSERS).filter(([number]) => tenant?.passwords[number]).map(([number, name]) => belfry.api + phonePath({ number, name, domain: tenant.domain, password: tenant.passwords[number] }));
  if (links.length > 1) {
    report.text('\n  Two phones: open each in a tab of its own, and call 105 from the first, with video if you like. The console shows it under Live calls.');
    for (const each of links) report.text(`    ${each}`);
  }
  report.text('\n  By hand:');
  report.dim(`    . ${file}      # BELFRY_OPERATOR_KEY and where everything is`);
  report.dim(`    curl -H "Authorization: Bearer $BELFRY_OPERATOR_KEY" ${belfry.api}/v1/tenants`);
  report.dim(`    curl -H "Authorization: Bearer $BELFRY_OPERATOR_KEY" -H 'Content-Type: application/json' \\`);
  report.dim(`         -d '{"number":"102","kind":"softphone"}' ${belfry.api}/v1/tenants/${tenants[0]?.slug ?? 'belavista'}/extensions`);
  report.dim(`    then let a phone register as 102@${TENANTS[0].domain}, outbound proxy ${belfry.env.BELFRY_SIP}, and dial 101`);
  const which = belfry.run === path.join(ROOT, 'run') ? '' : ` RUN=${belfry.run}`;
  report.dim(`    make status${which}      make logs${which}      make down${which}`);
  report.text();
}

function fail(error) {
  process.stderr.write(`demo: ${error.message}\n`);
  process.exit(1);
}

main().then((ok) => process.exit(ok ? 0 : 1), fail);
