// A call as REST shows it, and how good it sounds. Pure.
import type { Tone } from '../ui/bits';

export type CallState = 'planning' | 'ringing' | 'answered';

export interface Leg {
  party: 'caller' | 'callee' | null;
  tag: string | null;
  codec: string | null;
  packets: number;
  octets: number;
  lost_packets: number | null;
  loss_percent: number | null;
  jitter_ms: number | null;
  mos: number | null;
  round_trip_ms: number | null;
}

export interface Call {
  id: string;
  state: CallState;
  caller: string;
  callee: string;
  number: string | null;
  device: string | null;
  user_agent: string | null;
  started_at: string;
  ringing_at: string | null;
  answered_at: string | null;
  talk_ms: number;
  edge: string;
  relay: string | null;
  sip_call_id: string | null;
  local_plan: boolean;
}

export type Result = 'answered' | 'busy' | 'no-answer' | 'cancelled' | 'refused' | 'failed' | 'lost';

export interface Cdr {
  id: string;
  caller: string;
  callee: string;
  answered_by: string | null;
  device: string | null;
  user_agent: string | null;
  started_at: string;
  ringing_at: string | null;
  answered_at: string | null;
  ended_at: string;
  setup_ms: number;
  ring_ms: number;
  talk_ms: number;
  result: Result;
  code: number | null;
  reason: string | null;
  hung_up_by: string | null;
  media: Leg[];
  edge: string;
  relay: string | null;
  local_plan: boolean;
  sip_call_id: string | null;
  transfers: { time: string; to: string | null; how: string | null }[];
}

export const result_tone = (result: string): Tone =>
  result === 'answered' ? 'good' : result === 'cancelled' || result === 'no-answer' ? 'quiet' : result === 'busy' ? 'busy' : 'bad';

/** MOS in the words of ITU-T G.107: above 4.0 people are satisfied, below 3.1 nearly all are not. */
export const mos_tone = (mos: number | null): Tone => (mos === null ? 'quiet' : mos >= 4 ? 'good' : mos >= 3.6 ? 'busy' : mos >= 3.1 ? 'warn' : 'bad');
