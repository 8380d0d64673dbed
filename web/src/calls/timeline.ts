// A call's timeline as a picture: lines of the service become lanes (who) with bars (what lasted) and marks (what happened). Pure.
export interface Line {
  seq: number;
  time: string;
  kind: 'started' | 'step' | 'branch' | 'ringing' | 'branch-ended' | 'answered' | 'ended' | 'transfer' | 'waking' | 'woken' | 'wake-ended' | 'note';
  number: string | null;
  device: string | null;
  code: number | null;
  text: string | null;
  edge: string | null;
}

export type BarKind = 'setup' | 'trying' | 'ringing' | 'waking' | 'talking';

export interface Bar {
  kind: BarKind;
  from_ms: number;
  to_ms: number;
}

export interface Mark {
  at_ms: number;
  kind: Line['kind'];
  code: number | null;
  bad: boolean;
}

export interface Lane {
  id: string;
  /** A number, and which of its devices when there are several; the first lane is the caller's. */
  label: string;
  bars: Bar[];
  marks: Mark[];
}

export interface Picture {
  start_ms: number;
  end_ms: number;
  /** When the call was answered; null: it was not. */
  answered_ms: number | null;
  lanes: Lane[];
}

/** `now_ms`: where bars of a call that runs end. */
export function picture(lines: Line[], caller: string, now_ms: number): Picture | null {
  const times = lines.map(({ time }) => Date.parse(time));
  if (times.length === 0) return null;
  const start_ms = Math.min(...times);
  const over = lines.find(({ kind }) => kind === 'ended');
  const end_ms = Math.max(start_ms + 1, over ? Math.max(...times) : now_ms);
  const answer = lines.find(({ kind }) => kind === 'answered');
  const answered_ms = answer ? Date.parse(answer.time) : null;
  const lanes = new Map<string, Lane>();
  const top: Lane = { id: 'caller', label: caller, bars: [], marks: [] };
  top.bars.push({ kind: 'setup', from_ms: start_ms, to_ms: answered_ms ?? end_ms });
  if (answered_ms !== null) top.bars.push({ kind: 'talking', from_ms: answered_ms, to_ms: end_ms });
  lanes.set(top.id, top);
  for (const [i, line] of lines.entries()) draw(line, times[i]!, { top, lanes, end_ms });
  for (const lane of lanes.values()) if (lane !== top) close(lane, end_ms);
  return { start_ms, end_ms, answered_ms, lanes: labelled([...lanes.values()]) };
}

interface Canvas {
  top: Lane;
  lanes: Map<string, Lane>;
  end_ms: number;
}

const OPENS: Partial<Record<Line['kind'], BarKind>> = { branch: 'trying', ringing: 'ringing', waking: 'waking', answered: 'talking' };

function draw(line: Line, at_ms: number, { top, lanes }: Canvas): void {
  const mark: Mark = { at_ms, kind: line.kind, code: line.code, bad: (line.code ?? 0) >= 400 };
  const lane = line.number && line.kind !== 'started' && line.kind !== 'step' && line.kind !== 'transfer' && line.kind !== 'ended' ? lane_of(lanes, line) : top;
  lane.marks.push(mark);
  if (lane === top) return;
  const opens = OPENS[line.kind];
  if (opens || line.kind === 'branch-ended' || line.kind === 'wake-ended' || line.kind === 'woken') {
    const open = lane.bars.at(-1);
    if (open && Number.isNaN(open.to_ms)) open.to_ms = at_ms;
  }
  if (opens) lane.bars.push({ kind: opens, from_ms: at_ms, to_ms: NaN });
}

/** Bars without an end end with the call. */
function close(lane: Lane, end_ms: number): void {
  for (const bar of lane.bars) if (Number.isNaN(bar.to_ms)) bar.to_ms = end_ms;
}

function lane_of(lanes: Map<string, Lane>, { number, device }: Line): Lane {
  const exact = lanes.get(`${number}/${device ?? ''}`);
  if (exact) return exact;
  // what names no device is of the number's only lane, if there is one
  const of_number = [...lanes.values()].filter(({ label }) => label === number && label !== '');
  const others = of_number.filter(({ id }) => id !== 'caller');
  if (device === null && others.length > 0) return others.at(-1)!;
  const lane: Lane = { id: `${number}/${device ?? ''}`, label: number!, bars: [], marks: [] };
  lanes.set(lane.id, lane);
  return lane;
}

/** Several lanes of one number are told apart: 101 (1), 101 (2). */
function labelled(lanes: Lane[]): Lane[] {
  return lanes.map((lane, i) => {
    if (i === 0) return lane;
    const same = lanes.filter(({ label }, j) => j > 0 && label === lane.label);
    return same.length > 1 ? { ...lane, label: `${lane.label} (${same.indexOf(lane) + 1})` } : lane;
  });
}

/**
 * Where a time stands between 0 and 1. What happens until the answer is what one looks for, and a talk may be a hundred times
 * longer: when it is, the time before the answer gets 70 % of the width.
 */
export function scale({ start_ms, end_ms, answered_ms }: Picture): { at: (ms: number) => number; broken: boolean } {
  const before = (answered_ms ?? end_ms) - start_ms;
  const after = answered_ms === null ? 0 : end_ms - answered_ms;
  const broken = after > before;
  if (!broken) return { broken, at: (ms) => (ms - start_ms) / (end_ms - start_ms) };
  const SHARE = 0.7;
  return { broken, at: (ms) => (ms <= answered_ms! ? (SHARE * (ms - start_ms)) / Math.max(1, before) : SHARE + ((1 - SHARE) * (ms - answered_ms!)) / Math.max(1, after)) };
}

/** Round times for the axis: at most `count` of them, from 0 to `length_ms`. */
export function ticks(length_ms: number, count: number): number[] {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000];
  const step = steps.find((each) => length_ms / each <= count) ?? length_ms;
  return Array.from({ length: Math.floor(length_ms / step) + 1 }, (_, i) => i * step);
}
