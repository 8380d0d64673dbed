// The key that a WebSocket is opened with. Operators' keys are of no tenant, so they make one for reading that ends within the hour; it is
// kept in the tab, as theirs is, so that a page that is loaded again makes no further one.
import { api_path } from './api';
import type { Session } from './session';

const LIFE_MS = 3_600_000;
const SPARE_MS = 300_000;
const kept_as = (tenant: string) => `belfry.events.${tenant}`;

export async function events_key(session: Session, tenant: string): Promise<string> {
  if (session.who.role !== 'operator') return session.key;
  const before = JSON.parse(sessionStorage.getItem(kept_as(tenant)) ?? 'null') as { key: string; until_ms: number } | null;
  if (before && before.until_ms - SPARE_MS > Date.now()) return before.key;
  const until_ms = Date.now() + LIFE_MS;
  const { api_key } = await session.api.post<{ api_key: string }>(api_path`/v1/tenants/${tenant}/keys`, { role: 'reader', name: 'operator: live calls', expires_at: new Date(until_ms).toISOString() });
  sessionStorage.setItem(kept_as(tenant), JSON.stringify({ key: api_key, until_ms }));
  return api_key;
}

/** It was not good any more. */
export const forget_events_key = (tenant: string): void => sessionStorage.removeItem(kept_as(tenant));
