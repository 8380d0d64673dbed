import assert from 'node:assert/strict';
import test from 'node:test';
import { type Line, picture, scale, ticks } from './timeline';

const START = Date.parse('2026-01-01T00:00:00Z');
const line = (ms: number, kind: Line['kind'], number: string | null = null, code: number | null = null, device: string | null = null): Line =>
  ({ seq: ms, time: new Date(START + ms).toISOString(), kind, number, device, code, text: null, edge: 'edge-1' });
const bars = (lane: { bars: { kind: string; from_ms: number; to_ms: number }[] }) => lane.bars.map(({ kind, from_ms, to_ms }) => `${kind} ${from_ms - START}-${to_ms - START}`);

test('a group: one is busy, one answers', () => {
  const drawn = picture([line(0, 'started'), line(1, 'step'), line(10, 'branch', '101'), line(11, 'branch', '102'), line(20, 'ringing', '101', 180), line(25, 'ringing', '102', 180),
    line(30, 'branch-ended', '101', 486), line(100, 'answered', '102', 200), line(500, 'ended', null, 200)], '100', 0)!;
  assert.deepEqual(drawn.lanes.map(({ label }) => label), ['100', '101', '102']);
  assert.deepEqual(bars(drawn.lanes[0]!), ['setup 0-100', 'talking 100-500']);
  assert.deepEqual(bars(drawn.lanes[1]!), ['trying 10-20', 'ringing 20-30']);
  assert.deepEqual(bars(drawn.lanes[2]!), ['trying 11-25', 'ringing 25-100', 'talking 100-500']);
  assert.ok(drawn.lanes[1]!.marks.some(({ bad, code }) => bad && code === 486));
});

test('two devices of one number have a lane each', () => {
  const drawn = picture([line(0, 'started'), line(1, 'branch', '101', null, 'a'), line(2, 'branch', '101', null, 'b'), line(3, 'ringing', '101', 180, 'a'), line(9, 'ended', null, 487)], '100', 0)!;
  assert.deepEqual(drawn.lanes.map(({ label }) => label), ['100', '101 (1)', '101 (2)']);
});

test('a call that runs goes on until now; one of which nothing is known has no picture', () => {
  const drawn = picture([line(0, 'started'), line(5, 'branch', '101'), line(6, 'ringing', '101', 180)], '100', START + 1000)!;
  assert.deepEqual(bars(drawn.lanes[1]!), ['trying 5-6', 'ringing 6-1000']);
  assert.equal(drawn.answered_ms, null);
  assert.equal(picture([], '100', 0), null);
});

test('a sleeping phone is woken, and then rings', () => {
  const drawn = picture([line(0, 'started'), line(1, 'waking', '101', null, 'push-1'), line(50, 'woken', '101'), line(51, 'branch', '101', null, 'reg-1'), line(52, 'ringing', '101', 180, 'reg-1'), line(90, 'ended', null, 487)], '100', 0)!;
  assert.deepEqual(bars(drawn.lanes[1]!), ['waking 1-50']);
  assert.deepEqual(bars(drawn.lanes[2]!), ['trying 51-52', 'ringing 52-90']);
});

test('a long talk does not hide what came before it', () => {
  const { at, broken } = scale({ start_ms: 0, answered_ms: 1000, end_ms: 3_601_000, lanes: [] });
  assert.ok(broken);
  assert.equal(at(0), 0);
  assert.equal(at(1000), 0.7);
  assert.equal(at(3_601_000), 1);
  assert.ok(!scale({ start_ms: 0, answered_ms: 1000, end_ms: 1500, lanes: [] }).broken);
});

test('the axis has round times, and few of them', () => {
  assert.deepEqual(ticks(950, 5), [0, 200, 400, 600, 800]);
  assert.deepEqual(ticks(20, 5), [0, 5, 10, 15, 20]);
  assert.ok(ticks(86_400_000, 6).length <= 13);
});
