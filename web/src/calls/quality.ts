// Media figures of live calls over time, for the curves. Pure.
//
// MOS, jitter and loss come from the phones' RTCP reports and may stay unknown for long; then the rate of packets that the relay
// gets of both sides still shows whether sound flows.
import type { Leg } from './call';

export interface Sample {
  at_ms: number;
  packets: number;
  mos: number | null;
  loss_percent: number | null;
  jitter_ms: number | null;
}

export interface Quality {
  samples: Sample[];
}

export const SAMPLES_MAX = 40;

/** One sample of a call: the worse side counts. */
export function sample_of(media: Leg[] | null, at_ms: number): Sample | null {
  const legs = (media ?? []).filter(({ party }) => party !== null);
  if (legs.length === 0) return null;
  const worst = (values: (number | null)[], pick: (...each: number[]) => number) => {
    const known = values.filter((each) => each !== null);
    return known.length ? pick(...known) : null;
  };
  return {
    at_ms,
    packets: legs.reduce((sum, { packets }) => sum + packets, 0),
    mos: worst(legs.map(({ mos }) => mos), Math.min),
    loss_percent: worst(legs.map(({ loss_percent }) => loss_percent), Math.max),
    jitter_ms: worst(legs.map(({ jitter_ms }) => jitter_ms), Math.max),
  };
}

export const with_sample = (quality: Quality | undefined, sample: Sample): Quality => ({ samples: [...(quality?.samples ?? []), sample].slice(-SAMPLES_MAX) });

/** Packets a second between samples. */
export function rates(samples: Sample[]): number[] {
  return samples.slice(1).map((sample, i) => {
    const before = samples[i]!;
    const s = (sample.at_ms - before.at_ms) / 1000;
    return s > 0 ? Math.max(0, (sample.packets - before.packets) / s) : 0;
  });
}

/** What the curve shows: MOS from 1 to 5 once it is known, else the packet rate up to its own highest. */
export function curve(quality: Quality): { kind: 'mos' | 'rate'; values: (number | null)[]; min: number; max: number; last: number | null } {
  const { samples } = quality;
  if (samples.some(({ mos }) => mos !== null)) {
    return { kind: 'mos', values: samples.map(({ mos }) => mos), min: 1, max: 5, last: samples.findLast(({ mos }) => mos !== null)?.mos ?? null };
  }
  const values = rates(samples);
  return { kind: 'rate', values, min: 0, max: Math.max(50, ...values), last: values.at(-1) ?? null };
}

/** How often `count` calls can be asked about within `per_minute` requests, at most every `least_ms`. */
export const pause_ms = (count: number, per_minute: number, least_ms: number): number => Math.max(least_ms, (count / per_minute) * 60_000);
