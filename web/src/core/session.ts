// Who is signed in. The key lives in this tab alone (sessionStorage), is never in a URL, and is gone when the tab is closed.
import { Api } from './api';

export type Role = 'operator' | 'admin' | 'reader';

/** What `GET /v1/session` says. */
export interface Who {
  role: Role;
  key_id: string;
  name: string;
  expires_at: string | null;
  tenant: { id: string; slug: string; name: string; status: string } | null;
}

export interface Session {
  api: Api;
  key: string;
  who: Who;
}

const KEPT_AS = 'belfry.key';

export const kept_key = (): string | null => sessionStorage.getItem(KEPT_AS);

/** A session of this key, which is kept when it is good. */
export async function sign_in(key: string, ended: () => void): Promise<Session> {
  const api = new Api(key, ended);
  const who = await api.get<Who>('/v1/session');
  sessionStorage.setItem(KEPT_AS, key);
  return { api, key, who };
}

/** A login link is good once: it is exchanged for a key that ends by itself. */
export async function redeem(login: string, ended: () => void): Promise<Session> {
  const { api_key } = await new Api(login).post<{ api_key: string }>('/v1/session');
  return sign_in(api_key, ended);
}

/** A key that a login link made ends now; one that somebody typed is only forgotten. */
export async function sign_out(session: Session): Promise<void> {
  forget_key();
  if (session.who.expires_at) await session.api.delete('/v1/session').catch(() => {});
}

/** And what was made with it. */
export const forget_key = (): void => sessionStorage.clear();
