// The live calls of a tenant: what REST listed, and what events have said since. Pure; every change makes a new list.
//
// Events and lists cross on their way: what an event has said is not undone by a list that was read before it. So each call
// remembers the newest `seq` that it was told, a call that ended is not shown again by an old list, and a list alone ends a call
// only when it was asked for after the call was last heard of.
import type { BelfryEvent } from '../core/events';
import type { Call, CallState, Result } from './call';

export interface LiveCall {
  id: string;
  state: CallState | 'ended';
  caller: string;
  callee: string;
  number: string | null;
  started_at: string;
  answered_at: string | null;
  ended_at: string | null;
  result: Result | null;
  seq: number;
  /** When it was last heard of, on our clock. */
  heard_ms: number;
}

export type Live = ReadonlyMap<string, LiveCall>;

export const LINGER_MS = 6000; // a call that ended stays in view for this long
export const CALLS_MAX = 500;

const RANK: Record<LiveCall['state'], number> = { planning: 0, ringing: 1, answered: 2, ended: 3 };

/** A list that was asked for at `asked_ms`. */
export function with_list(live: Live, calls: Call[], asked_ms: number, now_ms: number): Live {
  const next = new Map<string, LiveCall>();
  for (const call of calls) {
    const before = live.get(call.id);
    if (before && RANK[before.state] > RANK[call.state]) next.set(call.id, before);
    else next.set(call.id, { id: call.id, state: call.state, caller: call.caller, callee: call.callee, number: call.number, started_at: call.started_at, answered_at: call.answered_at, ended_at: null, result: null, seq: before?.seq ?? 0, heard_ms: now_ms });
  }
  for (const [id, call] of live) {
    if (!next.has(id) && (call.state === 'ended' || call.heard_ms >= asked_ms)) next.set(id, call);
  }
  return next;
}

export function with_event(live: Live, event: BelfryEvent, now_ms: number): Live {
  const state = STATES[event.type];
  const id = event.call_id;
  if (!state || !id) return live;
  const before = live.get(id);
  const seq = event.seq ?? 0;
  if (before && (before.state === 'ended' || seq < before.seq)) return live;
  if (!before && (state === 'ended' || live.size >= CALLS_MAX)) return live;
  const data = event.data as { caller?: string; callee?: string; number?: string; result?: Result; answered_by?: string };
  const forward = !before || RANK[state] >= RANK[before.state];
  const next = new Map(live);
  next.set(id, {
    id,
    state: forward ? state : before.state,
    caller: data.caller ?? before?.caller ?? '',
    callee: data.callee ?? before?.callee ?? '',
    number: data.number ?? data.answered_by ?? before?.number ?? null,
    started_at: before?.started_at ?? event.time,
    answered_at: before?.answered_at ?? (state === 'answered' ? event.time : null),
    ended_at: state === 'ended' ? event.time : null,
    result: state === 'ended' ? data.result ?? null : null,
    seq,
    heard_ms: now_ms,
  });
  return next;
}

const STATES: Record<string, LiveCall['state']> = {
  'call.started': 'planning',
  'call.incoming': 'ringing',
  'call.ringing': 'ringing',
  'call.answered': 'answered',
  'call.ended': 'ended',
};

/** Without the calls that have been over for a while. The same map when there is nothing to forget. */
export function without_old(live: Live, now_ms: number): Live {
  const old = [...live.values()].filter(({ state, heard_ms }) => state === 'ended' && now_ms - heard_ms > LINGER_MS);
  if (old.length === 0) return live;
  const next = new Map(live);
  for (const { id } of old) next.delete(id);
  return next;
}

/** Newest first; ids are by time. */
export const in_order = (live: Live): LiveCall[] => [...live.values()].sort((a, b) => (a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : a.id < b.id ? 1 : -1));

export const running = (live: Live): number => [...live.values()].filter(({ state }) => state !== 'ended').length;
