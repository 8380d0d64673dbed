import assert from 'node:assert/strict';
import test from 'node:test';
import type { Leg } from './call';
import { SAMPLES_MAX, curve, pause_ms, rates, sample_of, with_sample } from './quality';

const leg = (party: Leg['party'], packets: number, mos: number | null = null, loss: number | null = null): Leg => ({ party, tag: null, codec: 'PCMU', packets, octets: 0, lost_packets: null, loss_percent: loss, jitter_ms: null, mos, round_trip_ms: null });

test('of both sides the worse counts, and branches that did not answer do not', () => {
  const sample = sample_of([leg('caller', 100, 4.2, 0.5), leg('callee', 90, 3.1, null), leg(null, 1000, 1)], 5)!;
  assert.deepEqual(sample, { at_ms: 5, packets: 190, mos: 3.1, loss_percent: 0.5, jitter_ms: null });
  assert.equal(sample_of(null, 0), null);
  assert.equal(sample_of([], 0), null);
});

test('without MOS the curve is the rate of packets', () => {
  const quality = [0, 100, 150].reduce((q, packets, i) => with_sample(q, sample_of([leg('caller', packets)], i * 1000)!), undefined as never);
  assert.deepEqual(rates((quality as { samples: never[] }).samples), [100, 50]);
  assert.deepEqual(curve(quality), { kind: 'rate', values: [100, 50], min: 0, max: 100, last: 50 });
});

test('once MOS is known it is the curve', () => {
  const quality = with_sample(with_sample(undefined, sample_of([leg('caller', 1, 4.4)], 0)!), sample_of([leg('caller', 2)], 1)!);
  assert.deepEqual(curve(quality), { kind: 'mos', values: [4.4, null], min: 1, max: 5, last: 4.4 });
});

test('samples are bounded, and asking keeps within its budget', () => {
  let quality = with_sample(undefined, sample_of([leg('caller', 0)], 0)!);
  for (let i = 0; i < 100; i++) quality = with_sample(quality, sample_of([leg('caller', i)], i)!);
  assert.equal(quality.samples.length, SAMPLES_MAX);
  assert.equal(pause_ms(1, 120, 2500), 2500);
  assert.equal(pause_ms(20, 120, 2500), 10_000);
});
