import assert from 'node:assert/strict';
import test from 'node:test';
import type { BelfryEvent } from '../core/events';
import type { Call } from './call';
import { CALLS_MAX, LINGER_MS, type Live, in_order, running, with_event, with_list, without_old } from './live';

const NONE: Live = new Map();
const event = (type: string, seq: number, data: object = {}, call_id = 'c1'): BelfryEvent => ({ id: `e${seq}`, type, time: `2026-01-01T00:00:0${seq}Z`, call_id, seq, data: { caller: '100', callee: '600', ...data } });
const call = (id: string, state: Call['state']): Call => ({ id, state, caller: '100', callee: '101', number: null, device: null, user_agent: null, started_at: '2026-01-01T00:00:00Z', ringing_at: null, answered_at: null, talk_ms: 0, edge: 'e', relay: null, sip_call_id: null, local_plan: false });
const states = (live: Live) => [...live.values()].map(({ id, state }) => `${id} ${state}`);

test('a call begins, rings, is answered and ends', () => {
  let live = with_event(NONE, event('call.started', 1), 0);
  assert.deepEqual(states(live), ['c1 planning']);
  live = with_event(live, event('call.ringing', 2, { number: '101' }), 0);
  live = with_event(live, event('call.answered', 3, { number: '102' }), 0);
  const talking = live.get('c1')!;
  assert.equal(talking.number, '102');
  assert.equal(talking.answered_at, '2026-01-01T00:00:03Z');
  live = with_event(live, event('call.ended', 4, { result: 'answered' }), 10);
  assert.equal(live.get('c1')!.result, 'answered');
  assert.equal(running(live), 0);
});

test('events that are late or come twice change nothing', () => {
  const answered = with_event(with_event(NONE, event('call.started', 1), 0), event('call.answered', 3), 0);
  assert.equal(with_event(answered, event('call.ringing', 2), 0), answered);
  const ended = with_event(answered, event('call.ended', 4), 0);
  assert.equal(with_event(ended, event('call.answered', 5), 0), ended);
});

test('another number that rings while somebody talks does not make the call ring again', () => {
  const answered = with_event(with_event(NONE, event('call.started', 1), 0), event('call.answered', 2), 0);
  assert.equal(with_event(answered, event('call.incoming', 3, { number: '103' }), 0).get('c1')!.state, 'answered');
});

test('the end of a call that was never seen is not shown, and what is no call is passed by', () => {
  assert.equal(with_event(NONE, event('call.ended', 1), 0), NONE);
  assert.equal(with_event(NONE, event('push.sent', 1), 0), NONE);
});

test('a list adds what events have not told, and takes away what it asked for later', () => {
  const live = with_event(NONE, event('call.started', 1), 100);
  assert.deepEqual(states(with_list(live, [call('c2', 'answered')], 50, 120)).sort(), ['c1 planning', 'c2 answered'], 'c1 was heard of after the list was asked for');
  assert.deepEqual(states(with_list(live, [call('c2', 'answered')], 200, 220)), ['c2 answered']);
});

test('an old list takes back neither an answer nor an end', () => {
  const answered = with_event(with_event(NONE, event('call.started', 1), 0), event('call.answered', 2), 0);
  assert.deepEqual(states(with_list(answered, [call('c1', 'ringing')], 0, 0)), ['c1 answered']);
  const ended = with_event(answered, event('call.ended', 3), 0);
  assert.deepEqual(states(with_list(ended, [call('c1', 'answered')], 0, 0)), ['c1 ended']);
  assert.deepEqual(states(with_list(ended, [], 5, 5)), ['c1 ended'], 'it lingers');
});

test('what is over goes after a while, and nothing else', () => {
  const live = with_event(with_event(with_event(NONE, event('call.started', 1), 0), event('call.ended', 2), 1000), event('call.started', 1, {}, 'c2'), 1000);
  assert.equal(without_old(live, 1000 + LINGER_MS), live);
  assert.deepEqual(states(without_old(live, 1001 + LINGER_MS)), ['c2 planning']);
});

test('there is a limit, and the newest stand first', () => {
  let live = NONE;
  for (let i = 0; i < CALLS_MAX + 5; i++) live = with_event(live, event('call.started', 1, {}, `c${String(i).padStart(4, '0')}`), 0);
  assert.equal(live.size, CALLS_MAX);
  assert.equal(in_order(live)[0]!.id, `c${String(CALLS_MAX - 1).padStart(4, '0')}`);
});
