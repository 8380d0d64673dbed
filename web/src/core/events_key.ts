// The key that a WebSocket is opened with. Operators' keys are of no tenant, so they make one for reading that ends within the hour.
import { api_path } from './api';
import type { Session } from './session';

const LIFE_MS = 3_600_000;
const SPARE_MS = 300_000;
const made = new Map<string, { key: string; until_ms: number }>();

export async function events_key(session: Session, tenant: string): Promise<string> {
  if (session.who.role !== 'operator') return session.key;
  const before = made.get(tenant);
  if (before && before.until_ms - SPARE_MS > Date.now()) return before.key;
  const until_ms = Date.now() + LIFE_MS;
  const { api_key } = await session.api.post<{ api_key: string }>(api_path`/v1/tenants/${tenant}/keys`, { role: 'reader', name: 'operator: live calls', expires_at: new Date(until_ms).toISOString() });
  made.set(tenant, { key: api_key, until_ms });
  return api_key;
}
