// What stands behind `/phone#token=`. Pure.
//
// Two kinds: an account in base64url JSON, made by the console when it has just shown the password; and an app token (a JWT of
// `POST /v1/tenants/{t}/tokens`), which the phone shows instead of a password. Nothing here is verified: whoever takes a token for
// good is the edge.
export interface Account {
  number: string;
  domain: string;
  password: string;
  name: string;
}

export interface AppToken {
  jwt: string;
  tenant: string;
  number: string;
  expires_s: number;
}

export type PhoneToken = { kind: 'account'; account: Account } | { kind: 'app'; app: AppToken };

const PREFIX = 'a1.';

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function decode(text: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (each) => each.charCodeAt(0)));
}

export const make_phone_token = (account: Account): string => PREFIX + encode(JSON.stringify(account));

/** null: no token that the phone understands. */
export function read_phone_token(text: string): PhoneToken | null {
  try {
    return text.startsWith(PREFIX) ? read_account(text.slice(PREFIX.length)) : read_app_token(text);
  } catch {
    return null;
  }
}

function read_account(text: string): PhoneToken | null {
  const found = JSON.parse(decode(text)) as Partial<Account>;
  const good = [found.number, found.domain, found.password].every((each) => typeof each === 'string' && each !== '') && USER.test(found.number!) && HOST.test(found.domain!);
  return good ? { kind: 'account', account: { number: found.number!, domain: found.domain!, password: found.password!, name: typeof found.name === 'string' ? found.name : '' } } : null;
}

function read_app_token(jwt: string): PhoneToken | null {
  const parts = jwt.split('.');
  if (parts.length !== 3) return null;
  const claims = JSON.parse(decode(parts[1]!)) as { tenant?: unknown; sub?: unknown; number?: unknown; exp?: unknown };
  const number = claims.number ?? claims.sub;
  if (typeof claims.tenant !== 'string' || typeof number !== 'string' || typeof claims.exp !== 'number') return null;
  return { kind: 'app', app: { jwt, tenant: claims.tenant, number, expires_s: claims.exp } };
}

/** Seconds until an app token ends; 0: it has, or is none. */
export function token_left_s(jwt: string, now_ms = Date.now()): number {
  const found = read_phone_token(jwt);
  return found?.kind === 'app' ? Math.max(0, found.app.expires_s - now_ms / 1000) : 0;
}

const USER = /^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$/;
const HOST = /^[A-Za-z0-9.-]{1,253}$/;
