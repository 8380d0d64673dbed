// What pages read by REST.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Api, type Page, Problem } from './api';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
}

const as_problem = (error: unknown) => (error instanceof Problem ? error : new Problem(0, String(error)));

/** One answer; read again every `every_ms` while the page is looked at. What was read stays while it is read again. `path` null: nothing. */
export function useGet<T>(api: Api, path: string | null, every_ms = 0): Loaded<T> {
  const [state, set] = useState<{ path: string | null; data: T | null; problem: Problem | null; loading: boolean }>({ path, data: null, problem: null, loading: true });
  const [turn, next] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const gone = new AbortController();
    let timer = 0;
    const read = async () => {
      try {
        const data = document.hidden && every_ms ? null : await api.get<T>(path, gone.signal);
        if (data !== null && !gone.signal.aborted) set({ path, data, problem: null, loading: false });
      } catch (error) {
        if (!gone.signal.aborted) set((before) => ({ path, data: before.path === path ? before.data : null, problem: as_problem(error), loading: false }));
      }
      if (every_ms && !gone.signal.aborted) timer = window.setTimeout(read, every_ms);
    };
    void read();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [api, path, every_ms, turn]);
  const reload = useCallback(() => next((n) => n + 1), []);
  return state.path === path ? { ...state, reload } : { data: null, problem: null, loading: path !== null, reload };
}

export interface List<T> {
  items: T[];
  problem: Problem | null;
  loading: boolean;
  more: (() => void) | null;
  reload: () => void;
}

/** A list, page by page: `path` without `limit` and `after`. */
export function useList<T>(api: Api, path: string | null, limit = 50): List<T> {
  const [state, set] = useState<{ items: T[]; next: string | null; problem: Problem | null; loading: boolean }>({ items: [], next: null, problem: null, loading: true });
  const [turn, next_turn] = useState(0);
  const shown = useRef(0);
  const read = useCallback(async (after: string | null, signal: AbortSignal) => {
    if (path === null) return;
    const url = `${path}${path.includes('?') ? '&' : '?'}limit=${after === null ? Math.min(200, Math.max(limit, shown.current)) : limit}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`;
    set((before) => ({ ...before, loading: true }));
    try {
      const page = await api.get<Page<T>>(url, signal);
      if (signal.aborted) return;
      set((before) => {
        const items = after === null ? page.items : [...before.items, ...page.items];
        shown.current = items.length;
        return { items, next: page.next, problem: null, loading: false };
      });
    } catch (error) {
      if (!signal.aborted) set((before) => ({ ...before, problem: as_problem(error), loading: false }));
    }
  }, [api, path, limit]);
  const alive = useRef(new AbortController());
  useEffect(() => {
    const gone = (alive.current = new AbortController());
    void read(null, gone.signal);
    return () => gone.abort();
  }, [read, turn]);
  useEffect(() => {
    shown.current = 0;
    set({ items: [], next: null, problem: null, loading: true });
  }, [path]);
  const reload = useCallback(() => next_turn((n) => n + 1), []);
  const { next } = state;
  return { items: state.items, problem: state.problem, loading: state.loading, more: next === null ? null : () => void read(next, alive.current.signal), reload };
}

/** A call that is made again and again while the page is there; the latest `work` is what runs. */
export function useEvery(every_ms: number, work: () => void): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || latest.current(), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
}

/** Now, once a second: for what counts up. */
export function useNow(every_ms = 1000): number {
  const [now, set] = useState(Date.now);
  useEvery(every_ms, () => set(Date.now()));
  return now;
}
