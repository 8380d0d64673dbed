// Pages have paths below /console; links are plain <a href>, caught here, so that they can be opened in another tab.
import { useEffect, useState } from 'preact/hooks';

export const BASE = '/console';

/** What a pattern like `/t/:tenant/calls/:id` finds in a path; null: nothing. Pure. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [i, want] of wanted.entries()) {
    const part = given[i]!;
    if (want.startsWith(':')) found[want.slice(1)] = decode(part);
    else if (want !== part) return null;
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const here = () => (location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : '') || '/';
const watchers = new Set<() => void>();
const changed = () => watchers.forEach((each) => each());

export function go(path: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', BASE + path);
  changed();
}

export function useRoute(): string {
  const [path, set] = useState(here);
  useEffect(() => {
    const look = () => set(here());
    watchers.add(look);
    addEventListener('popstate', look);
    document.addEventListener('click', follow);
    look();
    return () => {
      watchers.delete(look);
      removeEventListener('popstate', look);
      document.removeEventListener('click', follow);
    };
  }, []);
  return path;
}

function follow(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute('download') || link.origin !== location.origin || !link.pathname.startsWith(`${BASE}/`)) return;
  event.preventDefault();
  go(link.pathname.slice(BASE.length) + link.search);
}
