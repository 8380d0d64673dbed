// What a tenant's backend and its apps hear of a call while it happens: signed webhooks, and a WebSocket with an app token.
import { Receiver, verified } from '../lib/receiver.mjs';
import { Socket } from '../lib/socket.mjs';
import { until } from '../lib/until.mjs';
import { ms, quote } from './office.mjs';

const PATH = '/belfry-demo';
const WHOLE = ['call.started', 'call.incoming', 'call.ringing', 'call.answered', 'call.ended'];

export async function events(demo) {
  const { report, api, tenants: [tenant] } = demo;
  report.section('The tenant is told: signed webhooks to its backend, a WebSocket to the app of 101');
  const receiver = await Receiver.open();
  let socket;
  try {
    const secret = await subscribed(api, tenant, receiver);
    socket = await app(demo, tenant, '101');
    report.check(true, 'a webhook and an app token, made by REST', 'the backend gets call.*, the app what names its number');
    const call = await rings(demo, tenant, { receiver, socket, secret });
    await ends(tenant);
    await report.attempt('all of the call, in order, to both', () => whole(call, { receiver, socket }));
  } finally {
    socket?.drop();
    await unsubscribed(api, tenant);
    await receiver.close();
  }
}

/** The secret its requests are signed with. */
async function subscribed(api, tenant, receiver) {
  await unsubscribed(api, tenant); // what a demo left that was killed
  const { secret } = await api.ok('POST', `/v1/tenants/${tenant.id}/webhooks`, { url: receiver.url(PATH), events: ['call.*'] });
  return secret;
}

async function unsubscribed(api, tenant) {
  const base = `/v1/tenants/${tenant.id}/webhooks`;
  for (const { id, url } of await api.list(base)) if (url.endsWith(PATH)) await api.delete(`${base}/${id}`);
}

/** As a browser does it: the token among the subprotocols. */
async function app({ api, belfry }, tenant, number) {
  const { token } = await api.ok('POST', `/v1/tenants/${tenant.id}/tokens`, { number, expires_in_seconds: 300 });
  const socket = await Socket.open(`${belfry.api.replace(/^http/, 'ws')}/v1/events`, { protocols: ['belfry.v1', `token.${token}`] });
  await socket.message(({ type }) => type === 'ready');
  return socket;
}

/** The id of the call; it is answered. */
async function rings(demo, tenant, { receiver, socket, secret }) {
  const { report } = demo;
  const { 100: caller, 101: callee } = tenant.phones;
  for (const phone of [caller, callee]) phone.forget();
  const start = Date.now();
  await caller.dial(`sip:101@${tenant.domain}`);
  const incoming = ({ type }) => type === 'call.incoming';
  const shown = socket.message(incoming, { every_ms: 1 }).then((event) => ({ event, took_ms: Date.now() - start }));
  const [{ event, took_ms }, request] = await Promise.all([shown, receiver.event(incoming)]);
  const webhook_ms = request.at_ms - start;
  report.check(event.data.caller === '100' && event.data.number === '101', 'call.incoming at the app, by WebSocket', `${ms(took_ms)} after 100 has dialled: from ${event.data.caller} to ${event.data.number}`, { took_ms });
  report.check(verified(request, secret), 'call.incoming at the backend, by webhook', `${ms(webhook_ms)} after 100 has dialled; the signature holds`, { took_ms: webhook_ms });
  for (const name of ['Belfry-Event-Id', 'Belfry-Signature']) quote(demo, `${name}: ${request.headers[name.toLowerCase()]}`);
  quote(demo, request.body);
  const forged = { ...request, body: request.body.replace('"caller":"100"', '"caller":"199"') };
  report.check(forged.body !== request.body && !verified(forged, secret), 'the same webhook with another caller in it', 'the signature does not hold');
  await callee.event('CALL_INCOMING');
  await callee.answer();
  await Promise.all([caller, callee].map((phone) => phone.event('CALL_ESTABLISHED')));
  return event.call_id;
}

async function ends(tenant) {
  const { 100: caller, 101: callee } = tenant.phones;
  await caller.hangup();
  await callee.event('CALL_CLOSED');
}

async function whole(call_id, { receiver, socket }) {
  const heard = { backend: () => receiver.got.map(({ event }) => event), app: () => socket.got };
  const seen = {};
  for (const [who, all] of Object.entries(heard)) {
    const story = () => all().filter((event) => event.call_id === call_id).map(({ type }) => type);
    await until(() => story().includes('call.ended'), { what: `call.ended at the ${who}` });
    seen[who] = story();
  }
  const ok = Object.values(seen).every((types) => types.join() === WHOLE.join());
  return { ok, seen: ok ? WHOLE.map((type) => type.replace('call.', '')).join(', ') : JSON.stringify(seen), figures: { heard: seen } };
}
