// A call as the phone shows it. Pure: what the engine reports becomes the next state.
export type CallState = 'dialling' | 'ringing' | 'incoming' | 'talking' | 'ended';

export interface PhoneCall {
  id: string;
  direction: 'in' | 'out';
  peer: string;
  name: string;
  state: CallState;
  muted: boolean;
  held: boolean;
  held_by_peer: boolean;
  video: boolean;
  since_ms: number;
  /** Why it ended, in SIP's or the browser's words. */
  cause: string | null;
}

export type Report =
  | { what: 'progress' }
  | { what: 'answered'; video: boolean }
  | { what: 'ended'; cause: string | null }
  | { what: 'muted'; on: boolean }
  | { what: 'video'; on: boolean }
  | { what: 'held'; on: boolean; by_peer: boolean };

export const ENDED_SHOWN_MS = 4000;

export function after(call: PhoneCall, report: Report, now_ms: number): PhoneCall {
  if (call.state === 'ended') return call;
  switch (report.what) {
    case 'progress':
      return call.state === 'dialling' ? { ...call, state: 'ringing' } : call;
    case 'answered':
      return call.state === 'talking' ? call : { ...call, state: 'talking', video: report.video, since_ms: now_ms };
    case 'ended':
      return { ...call, state: 'ended', cause: report.cause, since_ms: now_ms };
    case 'muted':
      return { ...call, muted: report.on };
    case 'video':
      return { ...call, video: report.on };
    case 'held':
      return report.by_peer ? { ...call, held_by_peer: report.on } : { ...call, held: report.on };
  }
}

/** Which call the buttons are about: the one that talks, else who rings, else the newest. */
export function in_focus(calls: PhoneCall[]): PhoneCall | null {
  const rank = ({ state, held }: PhoneCall) => (state === 'talking' && !held ? 0 : state === 'incoming' ? 1 : state === 'dialling' || state === 'ringing' ? 2 : state === 'talking' ? 3 : 4);
  return [...calls].sort((a, b) => rank(a) - rank(b) || b.since_ms - a.since_ms)[0] ?? null;
}

/** What may be dialled: a number of the tenant, or a whole address; null: neither. */
export function target_of(text: string, domain: string): string | null {
  const wanted = text.trim().replace(/^sips?:/i, '').replace(/[\s()]/g, '');
  if (/^[0-9A-Za-z+*#][0-9A-Za-z._+*#-]{0,63}$/.test(wanted)) return `sip:${wanted.replace(/#/g, '%23')}@${domain}`;
  return /^[0-9A-Za-z+*][0-9A-Za-z._+*-]{0,63}@[0-9A-Za-z.-]{1,253}$/.test(wanted) ? `sip:${wanted}` : null;
}

export const TONES = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;

/** ICE servers as the service or a browser writes them; what is neither is left out. */
export function ice_servers(answer: unknown): RTCIceServer[] {
  const body = (answer ?? {}) as { items?: unknown; ice_servers?: unknown; iceServers?: unknown };
  const list = [body.items, body.ice_servers, body.iceServers].find(Array.isArray) ?? [];
  return (list as Partial<RTCIceServer>[]).filter(({ urls }) => [urls].flat().length > 0 && [urls].flat().every((url) => typeof url === 'string' && /^(stun|turns?):/.test(url))) as RTCIceServer[];
}
