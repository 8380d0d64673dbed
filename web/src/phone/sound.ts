// The bell, and how loud it is on both sides. Made by Web Audio: no files.
let context: AudioContext | null = null;

function audio(): AudioContext {
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume();
  return context;
}

/** Rings until the returned function is called: two strokes of a small bell, then a pause. */
export function ring(): () => void {
  const out = audio();
  const stroke = (at: number) => {
    for (const [hertz, level] of [[880, 0.12], [1760, 0.05], [2637, 0.03]] as const) {
      const tone = out.createOscillator();
      const gain = out.createGain();
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(level, at);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.9);
      tone.connect(gain).connect(out.destination);
      tone.start(at);
      tone.stop(at + 1);
    }
  };
  const turn = () => {
    stroke(out.currentTime);
    stroke(out.currentTime + 0.35);
  };
  turn();
  const timer = setInterval(turn, 2500);
  return () => clearInterval(timer);
}

/** The level of a stream, 0 to 1, asked for as often as one likes. */
export function level_of(stream: MediaStream): { level: () => number; close: () => void } {
  const source = audio().createMediaStreamSource(stream);
  const meter = audio().createAnalyser();
  meter.fftSize = 512;
  source.connect(meter);
  const samples = new Float32Array(meter.fftSize);
  return {
    level: () => {
      meter.getFloatTimeDomainData(samples);
      return loudness(samples);
    },
    close: () => source.disconnect(),
  };
}

/** From -60 dB (0) to full scale (1). Pure. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const each of samples) sum += each * each;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db + 60) / 60));
}
