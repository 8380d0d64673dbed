// A process of the platform, and how it is. Pure.
import type { Tone } from '../ui/bits';

export interface Process {
  name: string;
  state: 'ready' | 'not-ready' | 'away';
  detail: string;
  answer_ms: number | null;
  relay: boolean;
  /** Of a media relay: those that it carries now. */
  calls: number | null;
}

export const process_tone = ({ state }: Process): Tone => (state === 'ready' ? 'good' : state === 'not-ready' ? 'warn' : 'bad');
