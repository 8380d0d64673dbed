// The page of a browser phone in tests: JsSIP. browser_phone.mjs bundles and drives it by `phone`.
import JsSIP from 'jssip';
import { calls, connected, last, measures, microphone, tell } from './media.js';

let ua;

function watch(session) {
  const call = { session };
  calls.push(call);
  if (session.connection) connected(call, session.connection);
  session.on('peerconnection', ({ peerconnection }) => connected(call, peerconnection));
  session.on('icecandidate', ({ ready }) => ready());
  session.on('sdp', ({ originator, type, sdp }) => tell('sdp', { originator, kind: type, sdp }));
  for (const type of ['progress', 'accepted', 'confirmed']) session.on(type, () => tell(type));
  for (const type of ['ended', 'failed']) session.on(type, ({ cause, originator, message }) => tell(type, { cause, originator, status: message?.status_code ?? null, reason: message?.getHeader?.('Reason') ?? null }));
  for (const type of ['hold', 'unhold']) session.on(type, ({ originator }) => tell(type, { originator }));
  session.on('newDTMF', ({ originator, dtmf }) => originator === 'remote' && tell('dtmf', { tone: dtmf.tone }));
}

globalThis.phone = {
  ...measures,
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
  async call(target, { video = false, codecs = null, ice = {} } = {}) {
    const mediaStream = await microphone(phone.hertz, video);
    const session = ua.call(target, { mediaStream, pcConfig: ice, rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: video }, eventHandlers: { peerconnection: ({ peerconnection }) => only(peerconnection, codecs) } });
    return session.id;
  },
  async answer({ video = false, codecs = null, ice = {} } = {}) {
    const mediaStream = await microphone(phone.hertz, video);
    last().session.on('peerconnection', ({ peerconnection }) => only(peerconnection, codecs));
    last().session.answer({ mediaStream, pcConfig: ice });
  },
  refuse: (status_code) => last().session.terminate({ status_code }),
  hangUp: () => last().session.terminate(),
  // Each is over when the other side has answered it.
  hold: () => new Promise((resolve) => last().session.hold({}, resolve)),
  unhold: () => new Promise((resolve) => last().session.unhold({}, resolve)),
  restartIce: () => new Promise((resolve) => last().session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, resolve)),
  dtmf: (tones, transportType) => last().session.sendDTMF(tones, { transportType, duration: 120, interToneGap: 100 }),
  callId: () => last().session._request.call_id,
};

/** Offers and answers these codecs alone. */
function only(connection, names) {
  if (!names) return;
  const wanted = RTCRtpReceiver.getCapabilities('audio').codecs.filter(({ mimeType }) => names.includes(mimeType.split('/')[1]));
  for (const create of ['createOffer', 'createAnswer']) {
    const real = connection[create].bind(connection);
    connection[create] = (...args) => {
      for (const each of connection.getTransceivers()) if (each.receiver.track.kind === 'audio') each.setCodecPreferences(wanted);
      return real(...args);
    };
  }
}
