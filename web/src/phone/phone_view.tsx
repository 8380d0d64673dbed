// The phone's face: what it is registered as, the keypad, its calls, its devices.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { clock } from '../core/format';
import { useNow } from '../core/hooks';
import { t } from '../i18n';
import { Badge, Button, IconButton, type Tone } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Form } from '../ui/form';
import { Icon } from '../ui/icon';
import { DeviceChoice } from './device_choice';
import type { Phone, Registration } from './engine';
import { Meter } from './meter';
import { type PhoneCall, TONES, in_focus, target_of } from './phone_call';

const TONE_OF: Record<Registration, Tone> = { registered: 'good', connecting: 'busy', away: 'warn', refused: 'bad' };

export function PhoneView({ phone }: { phone: Phone }) {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => phone.watch(() => again(0)), [phone]);
  const { registration, why, calls } = phone.state;
  const focus = in_focus(calls);
  const others = calls.filter((call) => call !== focus);
  return (
    <div class="phone">
      <header class="phone-top">
        <div><strong>{phone.identity.name || phone.identity.number}</strong> <span class="quiet">{phone.identity.number}@{phone.identity.domain}</span></div>
        <span role="status" data-registration={registration}><Badge tone={TONE_OF[registration]}>{t(`phone.${registration}`)}{why ? `: ${why}` : ''}</Badge></span>
      </header>
      {focus ? <CallCard phone={phone} call={focus} others={others} /> : <Keypad phone={phone} />}
      {others.map((call) => <Waiting key={call.id} phone={phone} call={call} />)}
      {focus && focus.state === 'talking' && focus.held && <Keypad phone={phone} />}
      <DeviceChoice phone={phone} />
      <p class="sr-only" role="alert">{calls.filter(({ state }) => state === 'incoming').map((call) => t('phone.incoming_from', { peer: call.name || call.peer })).join('. ')}</p>
    </div>
  );
}

function Keypad({ phone }: { phone: Phone }) {
  const [text, set] = useState('');
  const [wrong, set_wrong] = useState(false);
  const dial = (video: boolean) => {
    const target = target_of(text, phone.identity.domain);
    set_wrong(target === null);
    if (target) void phone.call(target, video);
  };
  const ready = phone.state.registration === 'registered';
  return (
    <form class="keypad" onSubmit={(event) => { event.preventDefault(); dial(false); }}>
      <label class="sr-only" for="dial">{t('phone.number')}</label>
      <input id="dial" type="text" inputMode="tel" autocomplete="off" spellcheck={false} maxLength={300} placeholder={t('phone.number')} value={text} aria-invalid={wrong || undefined} onInput={(event) => set(event.currentTarget.value)} />
      {wrong && <p class="wrong" role="alert">{t('phone.no_number')}</p>}
      <Keys press={(tone) => set(text + tone)} />
      <div class="call-buttons">
        <button type="submit" class="round call" disabled={!ready || !text} aria-label={t('phone.call')} title={t('phone.call')}><Icon name="answer" /></button>
        <button type="button" class="round video" disabled={!ready || !text} aria-label={t('phone.call_video')} title={t('phone.call_video')} onClick={() => dial(true)}><Icon name="video" /></button>
      </div>
    </form>
  );
}

const Keys = ({ press }: { press: (tone: string) => void }) => (
  <div class="keys" role="group" aria-label={t('phone.keypad')}>
    {TONES.map((tone) => <button key={tone} type="button" onClick={() => press(tone)} aria-label={tone === '*' ? t('phone.star') : tone === '#' ? t('phone.hash') : tone}>{tone}</button>)}
  </div>
);

function CallCard({ phone, call, others }: { phone: Phone; call: PhoneCall; others: PhoneCall[] }) {
  const now = useNow();
  const [keys, show_keys] = useState(false);
  const [transfer, set_transfer] = useState(false);
  const talking = call.state === 'talking';
  return (
    <section class={`call-card ${call.state}`} data-call={call.state} aria-label={t('phone.call_with', { peer: call.name || call.peer })}>
      <p class="peer">{call.name || call.peer}</p>
      {call.name && <p class="quiet">{call.peer}</p>}
      <p class="call-state" role="status">
        {talking ? <span class="clock">{clock(now - call.since_ms)}</span> : t(`phone.call_${call.state}`)}
        {call.cause && <span class="quiet"> · {call.cause}</span>}
        {call.held && <Badge tone="warn">{t('phone.held')}</Badge>}
        {call.held_by_peer && <Badge tone="warn">{t('phone.held_by_peer')}</Badge>}
      </p>
      <Media phone={phone} call={call} />
      {call.state === 'incoming' && (
        <div class="call-buttons">
          <button type="button" class="round call" onClick={() => void phone.answer(call.id, false)} aria-label={t('phone.answer')} title={t('phone.answer')}><Icon name="answer" /></button>
          {call.video && <button type="button" class="round video" onClick={() => void phone.answer(call.id, true)} aria-label={t('phone.answer_video')} title={t('phone.answer_video')}><Icon name="video" /></button>}
          <button type="button" class="round hangup" onClick={() => phone.hang_up(call.id)} aria-label={t('phone.decline')} title={t('phone.decline')}><Icon name="hangup" /></button>
        </div>
      )}
      {talking && (
        <div class="controls" role="group" aria-label={t('actions')}>
          <IconButton icon={call.muted ? 'mic_off' : 'mic'} label={t('phone.mute')} aria-pressed={call.muted} onClick={() => phone.mute(call.id, !call.muted)} />
          <IconButton icon="hold" label={t('phone.hold')} aria-pressed={call.held} onClick={() => void phone.hold(call.id, !call.held)} />
          <IconButton icon="keypad" label={t('phone.keypad')} aria-pressed={keys} onClick={() => show_keys(!keys)} />
          <IconButton icon="transfer" label={t('phone.transfer')} onClick={() => set_transfer(true)} />
          <IconButton icon="video" label={t('phone.camera')} aria-pressed={call.video} onClick={() => void phone.video(call.id, !call.video)} />
        </div>
      )}
      {talking && keys && <Keys press={(tone) => phone.send_tone(call.id, tone)} />}
      {call.state !== 'incoming' && call.state !== 'ended' && (
        <div class="call-buttons"><button type="button" class="round hangup" onClick={() => phone.hang_up(call.id)} aria-label={t('phone.hang_up')} title={t('phone.hang_up')}><Icon name="hangup" /></button></div>
      )}
      {transfer && (
        <Dialog title={t('phone.transfer')} close={() => set_transfer(false)}>
          {others.filter(({ state }) => state === 'talking').map((other) => (
            <p key={other.id}><Button icon="transfer" onClick={() => { phone.join(call.id, other.id); set_transfer(false); }}>{t('phone.join', { peer: other.name || other.peer })}</Button></p>
          ))}
          <Form submit={t('phone.transfer')} cancel={() => set_transfer(false)} fields={[{ name: 'to', label: t('phone.number'), required: true, max_length: 300 }]} act={async (values) => {
            const target = target_of(String(values['to']), phone.identity.domain);
            if (!target) throw new Error(t('phone.no_number'));
            phone.transfer(call.id, target);
            set_transfer(false);
          }} />
        </Dialog>
      )}
    </section>
  );
}

/** A call beside the one in focus. */
function Waiting({ phone, call }: { phone: Phone; call: PhoneCall }) {
  return (
    <div class="waiting">
      <span>{call.name || call.peer} <span class="quiet">{call.held ? t('phone.held') : t(`phone.call_${call.state}`)}</span></span>
      {call.state === 'incoming' && <IconButton icon="answer" label={t('phone.answer')} onClick={() => void phone.answer(call.id, false)} />}
      {call.state === 'talking' && call.held && <IconButton icon="hold" label={t('phone.resume')} onClick={() => void phone.hold(call.id, false)} />}
      {call.state !== 'ended' && <IconButton icon="hangup" label={t('phone.hang_up')} onClick={() => phone.hang_up(call.id)} />}
    </div>
  );
}

/** The other side's sound and picture, our own picture, and how loud both are. */
function Media({ phone, call }: { phone: Phone; call: PhoneCall }) {
  const sound = useRef<HTMLAudioElement>(null);
  const theirs = useRef<HTMLVideoElement>(null);
  const ours = useRef<HTMLVideoElement>(null);
  const [streams, set] = useState<{ theirs: MediaStream | null; ours: MediaStream | null; picture: boolean }>({ theirs: null, ours: null, picture: false });
  const connection = phone.connection(call.id);
  useEffect(() => {
    if (!connection) return;
    const look = () => {
      const tracks = connection.getReceivers().map(({ track }) => track).filter(({ readyState }) => readyState === 'live');
      const sent = connection.getSenders().map(({ track }) => track).filter((track) => track !== null);
      const receives = connection.getTransceivers().some(({ receiver, currentDirection }) => receiver.track.kind === 'video' && /recv/.test(currentDirection ?? ''));
      set({ theirs: tracks.length ? new MediaStream(tracks) : null, ours: sent.length ? new MediaStream(sent) : null, picture: receives });
    };
    look();
    connection.addEventListener('track', look);
    connection.addEventListener('signalingstatechange', look);
    return () => {
      connection.removeEventListener('track', look);
      connection.removeEventListener('signalingstatechange', look);
    };
  }, [connection, call.state, call.video]);
  useEffect(() => {
    for (const [place, stream] of [[sound, streams.theirs], [theirs, streams.theirs], [ours, streams.ours]] as const) if (place.current && place.current.srcObject !== stream) place.current.srcObject = stream;
    const element = sound.current as (HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }) | null;
    if (element?.setSinkId && phone.choice.speaker) void element.setSinkId(phone.choice.speaker).catch(() => {});
  });
  if (!connection || call.state === 'ended') return null;
  return (
    <div class="media">
      <audio ref={sound} autoplay />
      {streams.picture && <video ref={theirs} class="theirs" autoplay playsInline muted aria-label={t('phone.their_picture')} />}
      {call.video && <video ref={ours} class="ours" autoplay playsInline muted aria-label={t('phone.our_picture')} />}
      {call.state === 'talking' && (
        <div class="meters">
          <Meter stream={streams.ours} label={t('phone.level_ours')} />
          <Meter stream={streams.theirs} label={t('phone.level_theirs')} />
        </div>
      )}
    </div>
  );
}
