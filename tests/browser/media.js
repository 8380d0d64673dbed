// What the pages of browser phones have in common: a tone in place of a microphone, and what is heard and seen of it at the other end.
const FFT_SIZE = 4096;
const audio = new AudioContext();

export const events = [];
export const calls = []; // {session, connection, analyser}, oldest first
export const tell = (type, more = {}) => events.push({ type, ...more });
export const last = () => calls.at(-1);

/** A stream of one tone, and of the fake camera. */
export async function microphone(hertz, video) {
  await audio.resume();
  const tone = new OscillatorNode(audio, { frequency: hertz });
  const out = audio.createMediaStreamDestination();
  tone.connect(new GainNode(audio, { gain: 0.4 })).connect(out);
  tone.start();
  if (video) (await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } })).getTracks().forEach((track) => out.stream.addTrack(track));
  return out.stream;
}

/** From now on what this connection plays is listened to. */
export function connected(call, connection) {
  call.connection = connection;
  connection.addEventListener('track', ({ track }) => listen(call, track));
}

/** Chromium only decodes what an element plays too. */
function listen(call, track) {
  const stream = new MediaStream([track]);
  const element = document.body.appendChild(document.createElement(track.kind === 'video' ? 'video' : 'audio'));
  element.srcObject = stream;
  element.muted = true;
  void element.play();
  if (track.kind !== 'audio') return;
  call.analyser = new AnalyserNode(audio, { fftSize: FFT_SIZE, smoothingTimeConstant: 0 });
  audio.createMediaStreamSource(stream).connect(call.analyser);
}

/** What both pages' phones can be asked. */
export const measures = {
  events,
  /** The loudest frequency that is heard now: {hertz, level_db}. */
  heard() {
    const analyser = last()?.analyser;
    if (!analyser) return { hertz: 0, level_db: -Infinity };
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(bins.reduce((a, b) => Math.max(a, b), -Infinity));
    return { hertz: (loudest * audio.sampleRate) / FFT_SIZE, level_db: bins[loudest] };
  },
  /** getStats() of the media: {audio: {received, lost, sent, codec_in, ...}, video: {decoded, width, ...}, way}: by which kind of candidate. */
  async stats() {
    const all = [...(await last().connection.getStats()).values()];
    const of = (wanted) => all.find(({ id }) => id === wanted);
    const found = { way: of(of(all.find(({ type }) => type === 'transport')?.selectedCandidatePairId)?.localCandidateId)?.candidateType ?? null };
    for (const each of all) {
      if (each.type !== 'inbound-rtp' && each.type !== 'outbound-rtp') continue;
      const kind = (found[each.kind] ??= {});
      const codec = of(each.codecId)?.mimeType;
      if (each.type === 'inbound-rtp') Object.assign(kind, { received: each.packetsReceived, lost: each.packetsLost, decoded: each.framesDecoded ?? null, width: each.frameWidth ?? null, codec_in: codec });
      else Object.assign(kind, { sent: each.packetsSent, codec_out: codec });
    }
    return found;
  },
};
