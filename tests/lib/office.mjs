// A tenant as a test about calls wants it, and what its phones do.
//
//   const {world, tenant, base, book, phone} = await office(t, {numbers, limits, set: {101: {do_not_disturb: true}}, groups: [{...}]});
//   const a = await phone('100', {edge, transport})     registered, and call-control knows it
//   const request = await ringing(b)                    the INVITE at b, answered with 180
//   const dialog = await answers(call, b, request)      b answers it, the caller acknowledges; b's dialog
//   await stops(c, request)                             c hears CANCEL and says 487
//   await refuses(b, 486)                               the next INVITE at b gets this
//   const call = await refers(b, request)               b takes a REFER and calls whom it names, with the headers that it names
//   const {first, consultation, taken, joined, refer_to} = await attended(world, a, b, c, (consultation) => uri, {called})
//                                                       a talks with b (who called, if so) and with c, and gives c, by this name, to b: three calls, c's
//                                                       dialog, and whom b was told to call
import assert from 'node:assert/strict';
import { CallBook } from './calls.mjs';
import { sdp, tagOf, uriOf } from './sip_message.mjs';
import { World } from './world.mjs';

export async function office(t, { numbers = ['100', '101', '102'], limits, set = {}, groups = [] } = {}) {
  const world = new World(t);
  const tenant = await world.tenant({ numbers, ...(limits ? { limits } : {}) });
  const base = `/v1/tenants/${tenant.id}`;
  for (const [number, change] of Object.entries(set)) await world.operator.ok('PATCH', `${base}/extensions/${number}`, change);
  for (const group of groups) await world.operator.ok('POST', `${base}/groups`, group);
  const book = new CallBook(world.operator, tenant); // a tenant's own key may not ask as often as tests do
  const phone = async (number, options) => book.registered(await world.ua(tenant, number, options));
  return { world, tenant, base, book, phone };
}

export async function ringing(ua, limits) {
  const request = await ua.incoming('INVITE', limits);
  ua.reply(request, 180);
  return request;
}

export async function answers(call, ua, request, { body = sdp({ port: 11 }) } = {}) {
  ua.reply(request, 200, { body });
  const answer = await call.final;
  assert.equal(answer.status, 200, answer.first);
  call.ack();
  await ua.incoming('ACK');
  return ua.dialog(request);
}

export async function stops(ua, request, limits) {
  ua.reply(await ua.incoming('CANCEL', limits), 200);
  ua.reply(request, 487);
  await ua.incoming('ACK');
}

export async function refuses(ua, status, limits) {
  ua.reply(await ua.incoming('INVITE', limits), status);
}

export async function refers(ua, request) {
  ua.reply(request, 202);
  const [uri, query = ''] = uriOf(request.get('Refer-To')).split('?');
  const headers = query.split('&').filter(Boolean).map((pair) => pair.split('=').map(decodeURIComponent));
  return ua.invite(uri, { body: sdp(), headers });
}

export async function attended(world, a, b, c, name, { called = false } = {}) {
  const first = await (called ? world.call(b, a) : world.call(a, b));
  const dialog = called ? first.dialog : first.call.dialog;
  const consultation = await world.call(a, c);
  const { call, answer } = consultation;
  const replaces = `${call.call_id};to-tag=${tagOf(answer.get('To'))};from-tag=${tagOf(answer.get('From'))}`;
  const asked = dialog.ask('REFER', { headers: [['Contact', a.contact], ['Refer-To', `<${name(consultation)}?Replaces=${encodeURIComponent(replaces)}>`]] });
  const refer = await b.incoming('REFER');
  const taken = await refers(b, refer);
  assert.equal((await asked).status, 202);
  const at_c = await c.incoming('INVITE');
  assert.equal(at_c.get('Replaces'), replaces, 'the header reaches the phone as it was');
  return { first, consultation, taken, refer_to: uriOf(refer.get('Refer-To')).split('?')[0], joined: await answers(taken, c, at_c) };
}
