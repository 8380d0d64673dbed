// A phone whose app was ended still rings. The phone is a baresip; the demo plays Apple (a server that checks what Apple checks) and
// the iPhone, which starts the app when the push comes.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CallBook } from '../lib/calls.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { heard, ms, passwordOf, quote, softphone, timeline } from './office.mjs';

const NUMBER = '103';
const DEVICE = '7b0d5a52-5a0c-4a57-9a2b-6f1d3c8e4b10'; // the app's, in its REGISTERs and beside its push token
const TOPIC = 'com.example.app';
const TALK_MS = 2000;

export async function sleeping(demo) {
  const { report, api, tenants: [tenant] } = demo;
  const base = `/v1/tenants/${tenant.id}`;
  const { 100: caller } = tenant.phones;
  report.section(`${NUMBER}'s app is ended, and a push wakes it. Apple is played by this demo, on 127.0.0.1`);
  const mobile = await furnished(demo, tenant, base);
  try {
    await mobile.sleeps(await mobile.starts());
    report.check(true, 'its app was registered, and is ended', 'no registration any more, only its push token');
    caller.forget();
    const call = await woken(demo, tenant, mobile);
    await talks(demo, tenant, [caller, call.phone]);
    await mobile.sleeps(call.phone);
    await report.attempt('100 calls again and gives up: a cancel push', () => takenBack(tenant, mobile, call.call_id));
    const { faults, got } = demo.stage.providers;
    report.check(faults.length === 0, 'the pushes are as Apple wants them', faults.join('; ') || `${got.length} of ${got.length}: HTTP/2, a JWT signed with ES256, topic, type, priority, expiry, collapse id`);
    const { lines } = await new CallBook(api, tenant).over(call.id);
    report.check(['waking', 'woken', 'answered'].every((kind) => lines.some((line) => line.kind === kind)), 'why did it ring? its timeline', `${lines.length} lines`);
    timeline(demo, lines);
  } finally {
    await mobile.goes();
  }
}

/** An extension, Apple's key for its pushes, and its app: {starts, sleeps, pushed, goes}. */
async function furnished(demo, tenant, base) {
  const { api, belfry, stage: { providers } } = demo;
  const token = randomBytes(32).toString('hex');
  const book = new CallBook(api, tenant);
  const password = await passwordOf(api, tenant, NUMBER);
  const credential = await api.ok('POST', `${base}/push-credentials`, { provider: 'apns', apns: providers.apns('TEAM123456', { topic: TOPIC }) });
  const device = await api.ok('POST', `${base}/push-devices`, { number: NUMBER, provider: 'apns', token, device_id: DEVICE, platform: 'ios' });
  return {
    pushed: (wanted) => providers.push((push) => push.token === token && wanted(push)),
    async starts() {
      const time = elapsed();
      const phone = await softphone(demo, tenant, NUMBER, password, { edge: belfry.edges[1], transport: 'tcp', instance: DEVICE });
      const started_ms = time();
      const { took_ms } = await phone.register();
      return Object.assign(phone, { started_ms, registered_ms: took_ms });
    },
    async sleeps(phone) {
      const registered = async (count) => (await book.registrations(NUMBER)).length === count;
      await until(() => registered(1), { what: `${NUMBER} in the location index` });
      await phone.stop();
      await until(() => registered(0), { what: `${NUMBER} is registered no longer`, deadline_ms: 30_000 });
    },
    async goes() {
      for (const place of [`push-devices/${device.id}`, `push-credentials/${credential.id}`, `extensions/${NUMBER}`]) await api.delete(`${base}/${place}`);
    },
  };
}

/** It rings and answers: {id (SIP's), call_id, phone}. */
async function woken(demo, tenant, mobile) {
  const { report, belfry } = demo;
  const { 100: caller } = tenant.phones;
  const start = performance.now();
  await caller.dial(`sip:${NUMBER}@${tenant.domain}`);
  const push = await mobile.pushed(({ data }) => data.type === 'incoming_call');
  const push_ms = push.at - start;
  report.check(true, '100 dials: the call waits, "Apple" gets a push', `${ms(push_ms)} after 100 has dialled`, { push_ms });
  quote(demo, `POST /3/device/${push.token.slice(0, 8)}...   apns-topic: ${push.headers['apns-topic']}   apns-push-type: ${push.headers['apns-push-type']}`);
  quote(demo, JSON.stringify({ ...push.data, wake_token: '...' }));
  const phone = await mobile.starts();
  const { at } = await phone.event('CALL_INCOMING');
  const ring_ms = at - push.at;
  const { started_ms, registered_ms } = phone;
  report.check(true, `${NUMBER} rings`, `${ms(ring_ms)} after the push: app started in ${ms(started_ms)}, registered on ${belfry.edges[1].id} in ${ms(registered_ms)}, rung ${ms(Math.max(0, ring_ms - started_ms - registered_ms))} later`, { ring_ms, started_ms, registered_ms });
  await phone.answer();
  const [{ id }] = await Promise.all([caller, phone].map((each) => each.event('CALL_ESTABLISHED')));
  return { id, call_id: push.data.call_id, phone };
}

async function talks(demo, tenant, [caller, phone]) {
  await delay(TALK_MS);
  await caller.hangup();
  await phone.event('CALL_CLOSED');
  await heard(demo, tenant, [caller, phone], TALK_MS);
}

async function takenBack(tenant, mobile, first) {
  const { 100: caller } = tenant.phones;
  caller.forget();
  await caller.dial(`sip:${NUMBER}@${tenant.domain}`);
  const push = await mobile.pushed(({ data }) => data.type === 'incoming_call' && data.call_id !== first);
  const start = performance.now();
  await caller.hangup();
  const cancel = await mobile.pushed(({ data }) => data.type === 'call_cancelled' && data.call_id === push.data.call_id);
  return { seen: `at "Apple" ${ms(cancel.at - start)} after that`, figures: { took_ms: cancel.at - start } };
}
