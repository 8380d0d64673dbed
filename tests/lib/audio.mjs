// Sounds that can be recognised again after a trip through a telephone network.
//
// melody(seed, seconds)        a sound that never repeats itself and differs for each seed (notes of two tones, 400 to
//                              3300 Hz, 80 ms each, loud and soft, chosen by a generator): 8 kHz mono, Int16Array
// recognise(sent, heard, {expect_ms})
//                              where in `sent` does `heard` begin, and how much of it is the same sound, in steps of
//                              20 ms? {match, heard_ms, offset_ms, dropouts, level_db}. `match` is 0..1: steps that are
//                              the sent sound at the right time, of all steps that should be there (expect_ms, at least
//                              what was heard). So silence, another sound and half of the sound missing all lower it.
// tone(hertz, seconds)         one tone, for peers that cannot be given a melody
// toneShare(samples, hertz)    how much of what was heard is this tone: {same_ms, of_ms}
// sparkline(samples, width)    how loud it is over time, softest to loudest, as a line of blocks
// writeWav(path, samples), readWav(path)
//                              16-bit mono PCM; reading bears a header that was never completed (recorder killed)
import { readFileSync, writeFileSync } from 'node:fs';

export const RATE = 8000;
const NOTE = RATE * 0.08;
const STEP = RATE * 0.02;
const LOST = RATE * 0.4; // how much of the sound a drop-out may take away
const ADDED = RATE * 0.04; // how much may have been put in
const SAME = 0.9; // correlation of one step that counts as the same sound; G.711 gives > 0.99

function generator(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function melody(seed, seconds) {
  const random = generator(seed);
  const samples = new Int16Array(Math.round(seconds * RATE));
  for (let start = 0; start < samples.length; start += NOTE) {
    const loud = 0.15 + 0.85 * random();
    const tones = [0, 1].map(() => ({ hertz: 400 + 2900 * random(), phase: 2 * Math.PI * random() }));
    for (let i = 0; i < NOTE && start + i < samples.length; i++) {
      const fade = Math.min(1, i / 40, (NOTE - i) / 40);
      const sum = tones.reduce((all, t) => all + Math.sin((2 * Math.PI * t.hertz * i) / RATE + t.phase), 0);
      samples[start + i] = Math.round(12000 * loud * fade * (sum / 2));
    }
  }
  return samples;
}

export function tone(hertz, seconds) {
  return Int16Array.from({ length: RATE * seconds }, (_, i) => Math.round(10_000 * Math.sin((2 * Math.PI * hertz * i) / RATE)));
}

/** By Goertzel's filter, step by step. */
export function toneShare(samples, hertz) {
  const k = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
  let same = 0;
  let steps = 0;
  for (let at = 0; at + STEP <= samples.length; at += STEP) {
    let [s1, s2, energy] = [0, 0, 0];
    for (const x of samples.subarray(at, at + STEP)) {
      [s1, s2] = [x + k * s1 - s2, s1];
      energy += x * x;
    }
    const power = (2 * (s1 * s1 + s2 * s2 - k * s1 * s2)) / STEP;
    if (energy > STEP * 300 * 300 && power / energy > 0.8) same++;
    steps++;
  }
  return { same_ms: same * 20, of_ms: steps * 20 };
}

/** In-place radix-2 FFT of `re` and `im`, whose length is a power of two. */
function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((2 * Math.PI * k) / size);
      const sin = -Math.sin((2 * Math.PI * k) / size);
      for (let i = k; i < n; i += size) {
        const x = re[i + half] * cos - im[i + half] * sin;
        const y = re[i + half] * sin + im[i + half] * cos;
        re[i + half] = re[i] - x;
        im[i + half] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
    }
  }
}

/** The shift of `part` inside `whole` with the highest correlation, by FFT (conjugating swaps forward and inverse). */
function bestShift(whole, part) {
  let n = 1;
  while (n < whole.length + part.length) n *= 2;
  const [ar, ai, br, bi] = [0, 0, 0, 0].map(() => new Float64Array(n));
  ar.set(whole);
  br.set(part);
  fft(ar, ai);
  fft(br, bi);
  for (let i = 0; i < n; i++) {
    const re = ar[i] * br[i] + ai[i] * bi[i];
    const im = ai[i] * br[i] - ar[i] * bi[i];
    ar[i] = re;
    ai[i] = -im;
  }
  fft(ar, ai);
  let best = 0;
  for (let i = 1; i < whole.length; i++) if (ar[i] > ar[best]) best = i;
  return best;
}

/** Normalised correlation of one step of `heard` at `at` with `sent` at `at + shift`; 0 outside and for silence. */
function correlation(sent, heard, at, shift) {
  if (at + shift < 0 || at + shift + STEP > sent.length || at + STEP > heard.length) return 0;
  let cross = 0;
  let a = 0;
  let b = 0;
  for (let i = at; i < at + STEP; i++) {
    const x = sent[i + shift];
    const y = heard[i];
    cross += x * y;
    a += x * x;
    b += y * y;
  }
  const quiet = STEP * 100 * 100; // below -50 dBFS nothing is recognised
  return a < quiet || b < quiet ? 0 : cross / Math.sqrt(a * b);
}

function realign(sent, heard, at, shift) {
  let best = { value: 0, shift };
  for (let s = shift - ADDED; s <= shift + LOST; s++) {
    const value = correlation(sent, heard, at, s);
    if (value > best.value) best = { value, shift: s };
  }
  return best;
}

function firstLoud(samples) {
  const start = samples.findIndex((value) => Math.abs(value) > 500);
  return start < 0 ? 0 : start;
}

export function levelDb(samples) {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length);
  return power > 0 ? 10 * Math.log10(power / 32768 ** 2) : -Infinity;
}

export function recognise(sent, heard, { expect_ms = 0 } = {}) {
  const heard_ms = (heard.length / RATE) * 1000;
  const steps = Math.max(1, Math.floor(Math.max(heard_ms, expect_ms) / 20));
  const start = firstLoud(heard);
  const first = bestShift(sent, heard.subarray(start, start + 2 * RATE)) - start;
  let shift = first;
  let same = 0;
  let dropouts = 0;
  let lost = false;
  for (let at = 0; at + STEP <= heard.length; at += STEP) {
    let value = correlation(sent, heard, at, shift);
    if (value < SAME && !lost) {
      const found = realign(sent, heard, at, shift);
      if (found.value >= SAME) ({ value, shift } = found);
      dropouts += 1;
    }
    lost = value < SAME;
    if (!lost) same += 1;
  }
  return { match: same / steps, heard_ms, offset_ms: (first / RATE) * 1000, dropouts, level_db: levelDb(heard) };
}

export function sparkline(samples, width) {
  const blocks = '▁▂▃▄▅▆▇█';
  const size = Math.max(1, Math.floor(samples.length / width));
  const levels = Array.from({ length: width }, (_, i) => samples.subarray(i * size, (i + 1) * size).reduce((sum, value) => sum + Math.abs(value), 0) / size);
  const low = Math.min(...levels);
  const range = Math.max(1, ...levels) - low || 1;
  return levels.map((level) => blocks[Math.round(((level - low) / range) * (blocks.length - 1))]).join('');
}

export function writeWav(path, samples) {
  const header = Buffer.alloc(44);
  const bytes = samples.length * 2;
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes, 40);
  writeFileSync(path, Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, bytes)]));
}

export function readWav(path) {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${path}: not a WAV file`);
  let at = 12;
  while (at + 8 <= file.length && file.toString('latin1', at, at + 4) !== 'data') {
    if (file.toString('latin1', at, at + 4) === 'fmt ') checkFormat(path, file, at + 8);
    at += 8 + file.readUInt32LE(at + 4);
  }
  const stated = at + 8 <= file.length ? file.readUInt32LE(at + 4) : 0;
  const end = stated === 0 ? file.length : Math.min(file.length, at + 8 + stated);
  const samples = new Int16Array(Math.max(0, Math.floor((end - at - 8) / 2)));
  for (let i = 0; i < samples.length; i++) samples[i] = file.readInt16LE(at + 8 + 2 * i);
  return samples;
}

function checkFormat(path, file, at) {
  const [format, channels, rate, bits] = [
    file.readUInt16LE(at), file.readUInt16LE(at + 2), file.readUInt32LE(at + 4), file.readUInt16LE(at + 14),
  ];
  if (format !== 1 || channels !== 1 || rate !== RATE || bits !== 16) {
    throw new Error(`${path}: format ${format}, ${channels} channels, ${rate} Hz, ${bits} bits; 16-bit mono ${RATE} Hz is needed`);
  }
}
