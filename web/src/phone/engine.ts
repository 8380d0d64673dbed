// The phone itself: JsSIP, its calls, and their media. It knows no page; a page watches it.
import JsSIP from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import { type Choice, constraints, kept_choice, present } from './devices';
import { ENDED_SHOWN_MS, type PhoneCall, type Report, after } from './phone_call';
import { ring } from './sound';
import { token_left_s } from './token';

export interface Identity {
  number: string;
  name: string;
  domain: string;
  /** One of them: a SIP password, or an app token. */
  password?: string;
  jwt?: string;
  /** Another app token, before this one ends; without it the phone is refused then. */
  renew?: () => Promise<string>;
}

export type Registration = 'connecting' | 'registered' | 'refused' | 'away';

export interface PhoneState {
  registration: Registration;
  /** Why it is refused, in the edge's words. */
  why: string | null;
  calls: PhoneCall[];
}

const GATHER_MS = 400; // for the relay's candidates; on the first one of ours when there is no relay
const REGISTER_S = 120;
const RENEW_BEFORE_S = 300; // more than two registrations
const RENEW_AGAIN_S = 30;

export class Phone {
  state: PhoneState = { registration: 'connecting', why: null, calls: [] };
  readonly identity: Identity;
  choice: Choice = kept_choice();
  private readonly ua: JsSIP.UA;
  private readonly sessions = new Map<string, RTCSession>();
  private readonly watchers = new Set<() => void>();
  private readonly replacing = new WeakSet<RTCSession>();
  private stop_ring: (() => void) | null = null;
  private renewal = 0;

  constructor(identity: Identity, url: string, private readonly ice: () => Promise<RTCIceServer[]>) {
    this.identity = identity;
    const socket = new JsSIP.WebSocketInterface(url);
    this.ua = new JsSIP.UA({
      sockets: [socket],
      uri: `sip:${identity.number}@${identity.domain}`,
      ...(identity.name ? { display_name: identity.name } : {}),
      ...(identity.jwt ? { authorization_jwt: `Bearer ${identity.jwt}` } : { password: identity.password ?? '' }),
      register: true, register_expires: REGISTER_S, session_timers: false,
      user_agent: 'Belfry browser phone', connection_recovery_min_interval: 1, connection_recovery_max_interval: 20,
    });
    this.ua.on('registered', () => this.set({ registration: 'registered', why: null }));
    this.ua.on('registrationFailed', ({ response, cause }) => this.set({ registration: 'refused', why: response ? `${response.status_code} ${response.reason_phrase}` : String(cause) }));
    this.ua.on('disconnected', () => this.set({ registration: 'away', why: null }));
    this.ua.on('connecting', () => this.set({ registration: 'connecting', why: null }));
    this.ua.on('newRTCSession', (event: RTCSessionEvent) => this.take(event));
    addEventListener('pagehide', this.stop);
    this.ua.start();
    if (identity.jwt && identity.renew) this.renew_later(token_left_s(identity.jwt) - RENEW_BEFORE_S, identity.renew);
  }

  private renew_later(seconds: number, renew: () => Promise<string>): void {
    this.renewal = window.setTimeout(async () => {
      try {
        const jwt = await renew();
        this.ua.set('authorization_jwt', `Bearer ${jwt}`);
        this.renew_later(token_left_s(jwt) - RENEW_BEFORE_S, renew);
      } catch {
        this.renew_later(RENEW_AGAIN_S, renew);
      }
    }, Math.max(RENEW_AGAIN_S, seconds) * 1000);
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  readonly stop = (): void => {
    removeEventListener('pagehide', this.stop);
    clearTimeout(this.renewal);
    this.bell(false);
    this.ua.stop();
  };

  // ---- what a person does

  async call(target: string, video: boolean): Promise<void> {
    await this.hold_others(null);
    this.ua.call(target, { ...(await this.media(video)), rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: video } });
  }

  async answer(id: string, video: boolean): Promise<void> {
    await this.hold_others(id);
    const media = await this.media(video);
    this.of(id)?.answer(media);
  }

  hang_up(id: string): void {
    const session = this.of(id);
    if (session && !session.isEnded()) session.terminate(session.direction === 'incoming' && session.isInProgress() ? { status_code: 603, reason_phrase: 'Decline' } : {});
  }

  mute(id: string, on: boolean): void {
    if (on) this.of(id)?.mute({ audio: true });
    else this.of(id)?.unmute({ audio: true });
  }

  async hold(id: string, on: boolean): Promise<void> {
    if (!on) await this.hold_others(id);
    if (on) this.of(id)?.hold();
    else this.of(id)?.unhold();
  }

  send_tone(id: string, tone: string): void {
    this.of(id)?.sendDTMF(tone, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833, duration: 160 });
  }

  transfer(id: string, target: string): void {
    this.refer(id, target);
  }

  /** The peers of two calls are joined, and this phone leaves both. */
  join(id: string, other: string): void {
    const second = this.of(other);
    if (second) this.refer(id, second.remote_identity.uri.toString(), second);
  }

  /** The call ends when the other side says that it has come through to who it was sent to. */
  private refer(id: string, target: string, replaces?: RTCSession): void {
    const session = this.of(id);
    session?.refer(target, { ...(replaces ? { replaces } : {}), eventHandlers: { accepted: () => session.isEnded() || session.terminate() } });
  }

  /** Camera on or off in a running call: the first time by a new offer. */
  async video(id: string, on: boolean): Promise<void> {
    const session = this.of(id);
    if (!session) return;
    const sender = session.connection.getTransceivers().find(({ receiver, sender }) => receiver.track.kind === 'video' || sender.track?.kind === 'video');
    const stream = on ? await navigator.mediaDevices.getUserMedia({ video: constraints(await present(this.choice), true).video! }) : null;
    const track = stream?.getVideoTracks()[0] ?? null;
    sender?.sender.track?.stop();
    if (sender) {
      await sender.sender.replaceTrack(track);
      sender.direction = on ? 'sendrecv' : 'recvonly';
    } else if (track) session.connection.addTransceiver(track, { direction: 'sendrecv', streams: [stream!] });
    session.renegotiate();
    this.report(id, { what: 'video', on });
  }

  /** A microphone or camera chosen while calls run is used in them at once. */
  async use(choice: Choice): Promise<void> {
    const changed = choice.mic !== this.choice.mic;
    this.choice = choice;
    if (!changed) return;
    const wanted = constraints(await present(choice), false).audio!;
    for (const session of this.sessions.values()) {
      const sender = session.isEstablished() ? session.connection.getSenders().find(({ track }) => track?.kind === 'audio') : undefined;
      if (!sender) continue;
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
      const enabled = sender.track?.enabled ?? true;
      sender.track?.stop();
      await sender.replaceTrack(stream.getAudioTracks()[0]!);
      sender.track!.enabled = enabled;
    }
  }

  connection(id: string): RTCPeerConnection | null {
    return this.of(id)?.connection ?? null;
  }

  private async media(video: boolean): Promise<{ mediaConstraints: MediaStreamConstraints; pcConfig: RTCConfiguration }> {
    return { mediaConstraints: constraints(await present(this.choice), video), pcConfig: { iceServers: await this.ice() } };
  }

  // ---- what JsSIP tells

  private take({ session, originator }: RTCSessionEvent): void {
    const id = session.id;
    const { uri, display_name } = session.remote_identity;
    this.sessions.set(id, session);
    const incoming = originator === 'remote' && !this.replacing.has(session);
    this.set({ calls: [...this.state.calls, { id, direction: incoming ? 'in' : 'out', peer: uri.user, name: display_name ?? '', state: incoming ? 'incoming' : 'dialling', muted: false, held: false, held_by_peer: false, video: offers_video(session), since_ms: Date.now(), cause: null }] });
    session.on('progress', () => this.report(id, { what: 'progress' }));
    session.on('accepted', () => this.report(id, { what: 'answered', video: sends_video(session) }));
    session.on('confirmed', () => this.report(id, { what: 'answered', video: sends_video(session) }));
    session.on('ended', () => this.over(id, null));
    session.on('failed', ({ cause, message }) => this.over(id, 'status_code' in (message ?? {}) ? `${(message as { status_code: number }).status_code} ${(message as { reason_phrase: string }).reason_phrase}` : cause));
    session.on('muted', () => this.report(id, { what: 'muted', on: true }));
    session.on('unmuted', () => this.report(id, { what: 'muted', on: false }));
    session.on('hold', ({ originator: by }) => this.report(id, { what: 'held', on: true, by_peer: by === 'remote' }));
    session.on('unhold', ({ originator: by }) => this.report(id, { what: 'held', on: false, by_peer: by === 'remote' }));
    const media = () => this.media(this.state.calls.find((call) => call.id === id)?.video ?? false);
    session.on('refer', ({ accept }) => void media().then((chosen) => accept(() => {}, chosen))); // the other side transfers us
    // We are who an attended transfer ends at: this call was answered, so is the one in its place, in which JsSIP then leaves it.
    session.on('replaces', ({ accept }) => void media().then((chosen) => accept((made: RTCSession) => {
      this.replacing.add(made);
      queueMicrotask(() => made.answer(chosen));
    }, {})));
    let timer = 0;
    session.on('icecandidate', ({ ready }) => {
      timer ||= window.setTimeout(ready, GATHER_MS);
    });
  }

  private report(id: string, report: Report): void {
    this.set({ calls: this.state.calls.map((call) => (call.id === id ? after(call, report, Date.now()) : call)) });
  }

  private over(id: string, cause: string | null): void {
    this.report(id, { what: 'ended', cause });
    this.sessions.delete(id);
    setTimeout(() => this.set({ calls: this.state.calls.filter((call) => call.id !== id) }), ENDED_SHOWN_MS);
  }

  private of(id: string): RTCSession | undefined {
    return this.sessions.get(id);
  }

  /** One talks at a time. */
  private async hold_others(id: string | null): Promise<void> {
    for (const call of this.state.calls) if (call.id !== id && call.state === 'talking' && !call.held) this.of(call.id)?.hold();
  }

  private set(change: Partial<PhoneState>): void {
    this.state = { ...this.state, ...change };
    this.bell(this.state.calls.some(({ state }) => state === 'incoming'));
    this.watchers.forEach((each) => each());
  }

  private bell(on: boolean): void {
    if (on) this.stop_ring ??= ring();
    else {
      this.stop_ring?.();
      this.stop_ring = null;
    }
  }
}

const sends_video = (session: RTCSession): boolean => session.connection?.getSenders().some(({ track }) => track?.kind === 'video' && track.readyState === 'live') ?? false;

function offers_video(session: RTCSession): boolean {
  const body = (session as unknown as { _request?: { body?: string } })._request?.body;
  return typeof body === 'string' && /^m=video [1-9]/m.test(body);
}
