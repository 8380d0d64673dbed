// Live calls as a page uses them: REST for what there is, events for what changes, REST again now and then for what was lost.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Page, api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { Events, type EventsState } from '../core/events';
import { events_key, forget_events_key } from '../core/events_key';
import { useEvery } from '../core/hooks';
import type { Call, Leg } from './call';
import { type Live, with_event, with_list, without_old } from './live';
import { type Quality, pause_ms, sample_of, with_sample } from './quality';

/** Live by events, or only by asking again and again. */
export type Moving = Exclude<EventsState, 'refused'> | 'polling';

const AGAIN_MS = 30_000; // with events
const POLL_MS = 2000; // without
const MEDIA_LEAST_MS = 2500;
const MEDIA_PER_MINUTE = 120;
const MEDIA_CALLS = 20; // the newest answered calls have curves

export function useLiveCalls(): { live: Live; state: Moving; quality: ReadonlyMap<string, Quality> } {
  const { api, session } = useConsole();
  const tenant = useTenant();
  const [live, set_live] = useState<Live>(new Map());
  const [state, set_state] = useState<Moving>('connecting');
  const list = async () => {
    const asked_ms = Date.now();
    const page = await api.get<Page<Call>>(api_path`/v1/tenants/${tenant.id}/calls` + '?limit=200').catch(() => null);
    if (page) set_live((before) => with_list(before, page.items, asked_ms, Date.now()));
  };
  useEffect(() => {
    set_live(new Map());
    void list();
    const events = new Events({
      token: () => events_key(session, tenant.id),
      event: (event) => set_live((before) => with_event(before, event, Date.now())),
      ready: (gap) => gap && void list(),
      state: (now) => {
        if (now === 'refused') forget_events_key(tenant.id);
        set_state(now === 'refused' ? 'polling' : now);
      },
    });
    return () => events.close();
  }, [api, session, tenant.id]);
  useEvery(state === 'live' ? AGAIN_MS : POLL_MS, () => void list());
  useEvery(1000, () => set_live((before) => without_old(before, Date.now())));
  return { live, state, quality: useQuality(live) };
}

function useQuality(live: Live): ReadonlyMap<string, Quality> {
  const { api } = useConsole();
  const tenant = useTenant();
  const [quality, set] = useState<ReadonlyMap<string, Quality>>(new Map());
  const answered = useRef<string[]>([]);
  answered.current = [...live.values()].filter(({ state }) => state === 'answered').map(({ id }) => id).slice(-MEDIA_CALLS);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const turn = async () => {
      const ids = document.hidden ? [] : answered.current;
      for (const id of ids) {
        const call = await api.get<Call & { media: Leg[] | null }>(api_path`/v1/tenants/${tenant.id}/calls/${id}`).catch(() => null);
        if (gone) return;
        const sample = call && sample_of(call.media, Date.now());
        if (sample) set((before) => new Map(before).set(id, with_sample(before.get(id), sample)));
      }
      set((before) => ([...before.keys()].every((id) => live_has(answered.current, id)) ? before : new Map([...before].filter(([id]) => live_has(answered.current, id)))));
      timer = window.setTimeout(turn, pause_ms(ids.length, MEDIA_PER_MINUTE, MEDIA_LEAST_MS));
    };
    timer = window.setTimeout(turn, 300);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [api, tenant.id]);
  return quality;
}

const live_has = (ids: string[], id: string) => ids.includes(id);
