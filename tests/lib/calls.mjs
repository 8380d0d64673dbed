// What call-control knows of a tenant's calls, and what must be true of all that it tells.
//
//   const book = new CallBook(api, tenant);          api: the operator's or the tenant's own client
//   await book.registrations('101')                  its bindings; of all numbers without one
//   await book.registered(ua)                        REGISTER, and wait until call-control knows the device
//   await book.indexed('101')                        the binding of a number, once call-control has one
//   await book.live(), book.running(sip_call_id)     calls that run; one of them, once it is there
//   await book.hangUp(id), book.transfer(id, {...}), book.dial({from, to})
//   const {cdr, lines, story} = await book.over(sip_call_id)    a finished call, checked: CDR, timeline, its lines as text
//   assertStory(cdr, lines)                          the rules by themselves
//
// A line of a story is the kind, who and the code: 'started', 'branch 101', 'ringing 101 180', 'branch-ended 102 486'.
import assert from 'node:assert/strict';
import { until } from './until.mjs';

const EDGE_SEQ_MAX = 2 ** 32 - 1; // above: call-control's own closing; 0 and below: its notes

export class CallBook {
  constructor(api, tenant) {
    this.api = api;
    this.base = `/v1/tenants/${tenant.id}`;
  }

  async registrations(number) {
    const items = await this.api.list(`${this.base}/registrations`);
    return number ? items.filter((each) => each.number === number) : items;
  }

  indexed(number) {
    return until(async () => (await this.registrations(number))[0], { what: `${number} in the location index` });
  }

  async registered(ua, options = {}) {
    const reply = await ua.register(options);
    assert.equal(reply.status, 200, `REGISTER of ${ua.aor}: ${reply.first}`);
    await until(async () => (await this.registrations(ua.user)).some(({ contact }) => contact.includes(`:${ua.port}`)), { what: `${ua.aor} in the location index`, deadline_ms: 10_000 });
    return ua;
  }

  live() {
    return this.api.list(`${this.base}/calls`);
  }

  call(id) {
    return this.api.ok('GET', `${this.base}/calls/${id}`);
  }

  running(sip_call_id, { state = /./, deadline_ms = 10_000 } = {}) {
    const found = async () => (await this.live()).find((each) => each.sip_call_id === sip_call_id && state.test(each.state));
    return until(found, { what: `running call ${sip_call_id} ${state}`, deadline_ms });
  }

  hangUp(id) {
    return this.api.delete(`${this.base}/calls/${id}`);
  }

  transfer(id, body) {
    return this.api.post(`${this.base}/calls/${id}/transfer`, body);
  }

  dial(body) {
    return this.api.post(`${this.base}/calls`, body);
  }

  cdrs() {
    return this.api.list(`${this.base}/cdrs`);
  }

  timeline(id) {
    return this.api.list(`${this.base}/calls/${id}/timeline`);
  }

  /** A finished call. `deadline_ms` is how long its CDR may take. */
  async over(sip_call_id, { deadline_ms = 10_000, whole = true } = {}) {
    const mine = async () => (await this.cdrs()).filter((each) => each.sip_call_id === sip_call_id);
    await until(async () => (await mine()).length > 0, { what: `CDR of ${sip_call_id}`, deadline_ms });
    const cdrs = await mine();
    assert.equal(cdrs.length, 1, `one CDR of ${sip_call_id}: ${JSON.stringify(cdrs)}`);
    assert.ok(!(await this.live()).some((each) => each.id === cdrs[0].id), 'a finished call does not run');
    const lines = await this.timeline(cdrs[0].id);
    assertStory(cdrs[0], lines, { whole });
    return { cdr: cdrs[0], lines, story: lines.map(lineText) };
  }
}

export const lineText = ({ kind, number, code }) => [kind, number, code].filter(Boolean).join(' ');

/** Gap-free, ordered, ended once; the CDR's times fit each other. `whole`: the edge told all of it. */
export function assertStory(cdr, lines, { whole = true } = {}) {
  const text = JSON.stringify({ cdr, lines });
  const told = lines.map(({ seq }) => seq).filter((seq) => seq >= 1 && seq <= EDGE_SEQ_MAX).sort((x, y) => x - y);
  assert.deepEqual(told, told.map((_, i) => i + 1), `the edge's events, each once: ${text}`);
  assert.equal(lines.filter(({ kind }) => kind === 'started').length, 1, `begins once: ${text}`);
  const ends = lines.filter(({ kind }) => kind === 'ended');
  assert.ok(ends.length >= 1, `ends: ${text}`);
  if (whole) {
    assert.equal(ends.length, 1, `ends once: ${text}`);
    assert.equal(ends[0].seq, told.at(-1), `its end is the last: ${text}`);
  }
  const times = ['started_at', 'ringing_at', 'answered_at', 'ended_at'].map((name) => cdr[name]).filter(Boolean).map(Date.parse);
  assert.deepEqual(times, [...times].sort((x, y) => x - y), `its times are in order: ${text}`);
  const total_ms = times.at(-1) - times[0];
  assert.ok(Math.abs(total_ms - cdr.setup_ms - cdr.ring_ms - cdr.talk_ms) <= 3, `its durations add up to ${total_ms} ms: ${text}`);
  assert.equal(cdr.result === 'answered' && cdr.answered_at === null, false, `answered is answered: ${text}`);
}
