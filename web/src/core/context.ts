// What every page is given: the session, the tenant that is looked at, and a place for short notes.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from './session';

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  status: 'active' | 'suspended';
  realm: string;
  domains: string[];
  limits: { max_calls: number; max_registrations: number; calls_per_second: number; requests_per_minute: number };
  created_at: string;
}

export interface Surroundings {
  session: Session;
  /** Said to everybody, also to screen readers; goes by itself. */
  note: (text: string) => void;
}

export const Context = createContext<Surroundings | null>(null);
export const TenantContext = createContext<Tenant | null>(null);

export function useConsole(): Surroundings & { api: Session['api']; may_write: boolean } {
  const found = useContext(Context);
  if (!found) throw new Error('outside of the console');
  return { ...found, api: found.session.api, may_write: found.session.who.role !== 'reader' };
}

export function useTenant(): Tenant {
  const tenant = useContext(TenantContext);
  if (!tenant) throw new Error('outside of a tenant');
  return tenant;
}
