// The page of a browser phone in tests: JsSIP, with a tone in place of a microphone. browser_phone.mjs bundles and drives it by `phone`.
import JsSIP from 'jssip';

const FFT_SIZE = 4096;
const audio = new AudioContext();
const events = [];
const calls = [];
let ua;

const tell = (type, more = {}) => events.push({ type, ...more });

/** A stream of one tone, and of the fake camera. */
async function microphone(hertz, video) {
  await audio.resume();
  const tone = new OscillatorNode(audio, { frequency: hertz });
  const out = audio.createMediaStreamDestination();
  tone.connect(new GainNode(audio, { gain: 0.4 })).connect(out);
  tone.start();
  if (video) (await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } })).getTracks().forEach((track) => out.stream.addTrack(track));
  return out.stream;
}

/** What a peer connection plays, as an analyser. Chromium only decodes what an element plays too. */
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

function watch(session) {
  const call = { session };
  calls.push(call);
  const connected = (connection) => {
    call.connection = connection;
    connection.addEventListener('track', ({ track }) => listen(call, track));
  };
  if (session.connection) connected(session.connection);
  session.on('peerconnection', ({ peerconnection }) => connected(peerconnection));
  session.on('icecandidate', ({ ready }) => ready());
  session.on('sdp', ({ originator, type, sdp }) => tell('sdp', { originator, kind: type, sdp }));
  for (const type of ['progress', 'accepted', 'confirmed']) session.on(type, () => tell(type));
  for (const type of ['ended', 'failed']) session.on(type, ({ cause, originator, message }) => tell(type, { cause, originator, status: message?.status_code ?? null, reason: message?.getHeader?.('Reason') ?? null }));
  for (const type of ['hold', 'unhold']) session.on(type, ({ originator }) => tell(type, { originator }));
  session.on('newDTMF', ({ originator, dtmf }) => originator === 'remote' && tell('dtmf', { tone: dtmf.tone }));
}

const last = () => calls.at(-1);

globalThis.phone = {
  events,
  start({ url, uri, password, jwt, hertz, expires_s }) {
    ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri, ...(jwt ? { authorization_jwt: `Bearer ${jwt}` } : { password }), register: false, register_expires: expires_s, session_timers: false, connection_recovery_min_interval: 1 });
    phone.hertz = hertz;
    for (const type of ['connected', 'disconnected', 'registered', 'unregistered']) ua.on(type, () => tell(type));
    ua.on('registrationFailed', ({ response, cause }) => tell('registrationFailed', { status: response?.status_code ?? null, cause }));
    ua.on('newRTCSession', ({ originator, session, request }) => {
      watch(session);
      if (originator === 'remote') tell('incoming', { from: session.remote_identity.uri.user, sdp: request.body, request: request.data });
    });
    ua.start();
  },
  register: () => ua.register(),
  stop: () => ua.stop(),
  async call(target, { video = false, codecs = null } = {}) {
    const mediaStream = await microphone(phone.hertz, video);
    const session = ua.call(target, { mediaStream, rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: video }, eventHandlers: { peerconnection: ({ peerconnection }) => codecs && only(peerconnection, codecs) } });
    return session.id;
  },
  async answer({ video = false } = {}) {
    last().session.answer({ mediaStream: await microphone(phone.hertz, video) });
  },
  refuse: (status_code) => last().session.terminate({ status_code }),
  hangUp: () => last().session.terminate(),
  // Each is over when the other side has answered it.
  hold: () => new Promise((resolve) => last().session.hold({}, resolve)),
  unhold: () => new Promise((resolve) => last().session.unhold({}, resolve)),
  restartIce: () => new Promise((resolve) => last().session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, resolve)),
  dtmf: (tones, transportType) => last().session.sendDTMF(tones, { transportType, duration: 120, interToneGap: 100 }),
  callId: () => last().session._request.call_id,
  /** The loudest frequency that is heard now: {hertz, level_db}. */
  heard() {
    const { analyser } = last();
    if (!analyser) return { hertz: 0, level_db: -Infinity };
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(bins.reduce((a, b) => Math.max(a, b), -Infinity));
    return { hertz: (loudest * audio.sampleRate) / FFT_SIZE, level_db: bins[loudest] };
  },
  /** getStats() of the media: {audio: {received, lost, sent, codec}, video: {decoded, width, ...}}. */
  async stats() {
    const all = [...(await last().connection.getStats()).values()];
    const found = {};
    for (const each of all) {
      if (each.type !== 'inbound-rtp' && each.type !== 'outbound-rtp') continue;
      const kind = (found[each.kind] ??= {});
      const codec = all.find(({ id }) => id === each.codecId)?.mimeType;
      if (each.type === 'inbound-rtp') Object.assign(kind, { received: each.packetsReceived, lost: each.packetsLost, decoded: each.framesDecoded ?? null, width: each.frameWidth ?? null, codec_in: codec });
      else Object.assign(kind, { sent: each.packetsSent, codec_out: codec });
    }
    return found;
  },
};

/** Offers these codecs alone. */
function only(connection, names) {
  const create = connection.createOffer.bind(connection);
  connection.createOffer = (...args) => {
    const wanted = RTCRtpReceiver.getCapabilities('audio').codecs.filter(({ mimeType }) => names.includes(mimeType.split('/')[1]));
    for (const each of connection.getTransceivers()) if (each.receiver.track.kind === 'audio') each.setCodecPreferences(wanted);
    return create(...args);
  };
}
