// The console's phone, which lives on while other pages are looked at. Loaded with JsSIP only when somebody wants it.
import { useEffect, useReducer } from 'preact/hooks';
import { type Api, api_path } from '../core/api';
import type { Identity, Phone } from './engine';
import { ice_servers } from './phone_call';

let phone: Phone | null = null;
const watchers = new Set<() => void>();
const changed = () => watchers.forEach((each) => each());

/** SIP over WebSocket at this host. */
export const ws_url = (): string => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;

/** TURN, when this platform has it; without, calls go as far as the network lets them. */
export const ice_of = (api: Api | null, tenant: string, number: string) => async (): Promise<RTCIceServer[]> =>
  api ? ice_servers(await api.get(api_path`/v1/tenants/${tenant}/ice-servers?number=${number}`).catch(() => null)) : [];

export async function open_phone(identity: Identity, ice: () => Promise<RTCIceServer[]>): Promise<Phone> {
  const { Phone } = await import('./engine');
  close_phone();
  const made = new Phone(identity, ws_url(), ice);
  phone = made;
  made.watch(changed);
  changed();
  return made;
}

export function close_phone(): void {
  phone?.stop();
  phone = null;
  changed();
}

export function usePhone(): Phone | null {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const look = () => again(0);
    watchers.add(look);
    return () => void watchers.delete(look);
  }, []);
  return phone;
}
