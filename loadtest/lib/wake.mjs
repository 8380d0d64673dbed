// Our share of waking a phone: from its REGISTER at the edge until its INVITE is sent, as call-control measures it. Real calls of phones
// through the edge, event-fanout and a stand-in for Expo; the time a phone takes to wake is not in it.
import http from 'node:http';
import { Api, newTenant } from '../../tests/lib/api.mjs';
import { Ua, known } from '../../tests/lib/sip.mjs';
import { until } from '../../tests/lib/until.mjs';
import { between, histogram } from './histogram.mjs';
import { PORTS } from './ports.mjs';

const SLEEPERS = 4; // calls that wait at a time

export async function measureWakes({ report, instance, quick }) {
  const wakes = quick ? 80 : 400;
  const expo = await Expo.open(instance.port(PORTS.expo));
  const operator = new Api(instance.api, instance.operator_key);
  const numbers = Array.from({ length: SLEEPERS }, (_, i) => String(101 + i));
  const tenant = await newTenant(operator, { numbers: ['100', ...numbers] });
  const phones = [];
  report.section('waking phones');
  try {
    await known(instance.sip, tenant.domain);
    const [caller, ...sleepers] = await Promise.all(['100', ...numbers].map((number) => phoneOf(instance, tenant, number)));
    phones.push(caller, ...sleepers);
    await caller.register();
    for (const phone of sleepers) await sleep(operator, tenant, phone);
    const site = { expo, operator, tenant, caller };
    for (const phone of sleepers) await wake(site, phone); // what is done for the first time is done
    const before = await scrape(instance);
    await Promise.all(sleepers.map(async (phone) => {
      for (let i = 0; i < wakes / SLEEPERS; i++) await wake(site, phone);
    }));
    const span = between(before, await scrape(instance));
    if (span.count < wakes) throw new Error(`call-control counts ${span.count} of ${wakes} wakes`);
    report.figure({
      name: 'from REGISTER of a woken phone to its INVITE, p99', value: 1000 * span.quantile(0.99), unit: 'ms', at_most: 30,
      note: `call-control's histogram; ${span.count} wakes, ${SLEEPERS} at a time; p50 ${(1000 * span.quantile(0.5)).toFixed(1)}, p90 ${(1000 * span.quantile(0.9)).toFixed(1)} ms`,
    });
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
    await operator.ok('DELETE', `/v1/tenants/${tenant.id}`);
    await expo.close();
  }
}

const scrape = (instance) => histogram(`${instance.admin('call-control')}/metrics`, 'belfry_control_wake_seconds');

async function phoneOf(instance, tenant, number) {
  const phone = await Ua.open({ server: instance.sip, user: number, domain: tenant.domain, password: tenant.passwords[number] });
  phone.contact = `${phone.contact};+sip.instance="<urn:x-device:phone-${number}>"`;
  return phone;
}

async function sleep(operator, tenant, phone) {
  phone.push_token = `ExponentPushToken[bench-${phone.user}]`;
  await operator.ok('POST', `/v1/tenants/${tenant.id}/push-devices`, { number: phone.user, provider: 'expo', token: phone.push_token, device_id: `phone-${phone.user}`, platform: 'android' });
}

/** It is called, gets the push, registers, rings, declines and sleeps again: the next call comes when call-control knows that it does. */
async function wake({ expo, operator, tenant, caller }, phone) {
  const pushed = expo.push(phone.push_token);
  const call = caller.invite(phone.user);
  await Promise.race([pushed, call.final.then(({ first }) => { throw new Error(`no push, but ${first} to the call of ${phone.aor}`); })]);
  const reply = await phone.register();
  if (reply.status !== 200) throw new Error(`REGISTER of ${phone.aor}: ${reply.first}`);
  phone.reply(await phone.incoming('INVITE'), 486);
  await call.final;
  await phone.register({ expires_s: 0 });
  await until(async () => (await operator.ok('GET', `/v1/tenants/${tenant.id}/registrations?number=${phone.user}`)).items.length === 0, { what: `${phone.aor} is gone from the index`, deadline_ms: 10_000, every_ms: 20 });
}

/** Takes pushes as Expo does, and knows who waits for one. */
class Expo {
  #waiting = new Map();
  #tickets = 0;

  static async open(port) {
    const expo = new Expo();
    expo.server = http.createServer((request, response) => expo.#take(request, response));
    await new Promise((resolve, reject) => expo.server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return expo;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** The next one that wakes; what takes a push back is none. */
  push(token) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no push to ${token} within 20 s`)), 20_000);
      this.#waiting.set(token, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const messages = JSON.parse(Buffer.concat(chunks));
    const receipts = !Array.isArray(messages);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ data: receipts ? {} : messages.map(() => ({ status: 'ok', id: `ticket-${++this.#tickets}` })) }));
    if (receipts) return;
    for (const { to, data } of messages) {
      if (data.type === 'incoming_call') this.#waiting.get(to)?.();
    }
  }
}
