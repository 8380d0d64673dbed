// The same page with SIP.js, as far as tests want it of a second library.
import { Inviter, Registerer, SessionState, UserAgent, Web } from 'sip.js';
import { calls, connected, last, measures, microphone, tell } from './media.js';

let ua;

function watch(session) {
  const call = { session };
  calls.push(call);
  session.delegate = { onSessionDescriptionHandler: (handler) => connected(call, handler.peerConnection) };
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) tell('confirmed');
    if (state === SessionState.Terminated) tell('ended');
  });
}

globalThis.phone = {
  ...measures,
  async start({ url, uri, password, hertz }) {
    ua = new UserAgent({
      uri: UserAgent.makeURI(uri), authorizationUsername: UserAgent.makeURI(uri).user, authorizationPassword: password,
      transportOptions: { server: url }, logBuiltinEnabled: false,
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(() => microphone(hertz, false)),
      delegate: {
        onInvite(session) {
          watch(session);
          tell('incoming', { from: session.remoteIdentity.uri.user, sdp: session.body });
        },
      },
    });
    await ua.start();
    tell('connected');
  },
  register: () => new Registerer(ua).register({ requestDelegate: { onAccept: () => tell('registered'), onReject: ({ message }) => tell('registrationFailed', { status: message.statusCode }) } }),
  async call(target, { late = false } = {}) {
    const session = new Inviter(ua, UserAgent.makeURI(target), { inviteWithoutSdp: late });
    watch(session);
    await session.invite();
  },
  answer: () => last().session.accept(),
  hangUp: () => last().session.bye(),
  callId: () => last().session.request.callId,
};
