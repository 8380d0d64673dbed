// An extension, and what its phones are told. Pure.
export type Kind = 'softphone' | 'browser' | 'app' | 'door';
export const KINDS: Kind[] = ['softphone', 'browser', 'app', 'door'];

export interface Extension {
  number: string;
  kind: Kind;
  display_name: string;
  max_contacts: number;
  do_not_disturb: boolean;
  forward_always: string | null;
  forward_busy: string | null;
  forward_no_answer: string | null;
  ring_seconds: number;
  created_at: string;
}

/** What a phone needs: everything that its settings ask for. */
export interface Account {
  number: string;
  name: string;
  domain: string;
  password: string;
  /** host or host:port of the edges as phones reach them; null: found by DNS. */
  proxy: string | null;
}

/** Where the edges are, from the tenant's zone lines (`... IN SRV 10 10 5060 edge.example.`); null: nothing there tells. */
export function proxy_of(zone: string[], transport: 'udp' | 'tcp' = 'udp'): string | null {
  for (const line of zone) {
    const found = new RegExp(`^_sip\\._${transport}\\.\\S+\\s.*\\bSRV\\s+\\d+\\s+\\d+\\s+(\\d+)\\s+(\\S+?)\\.?$`).exec(line.trim());
    if (!found) continue;
    const [, port, target] = found;
    const address = zone.map((each) => new RegExp(`^${escape(target!)}\\.?\\s.*\\bA\\s+(\\S+)$`).exec(each.trim())?.[1]).find(Boolean);
    return `${address ?? target}:${port}`;
  }
  return null;
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Any phone's settings, line by line: [what, value]. */
export const settings_of = ({ number, domain, password, proxy }: Account): [key: 'username' | 'domain' | 'password' | 'proxy' | 'transport', value: string][] => [
  ['username', number],
  ['domain', domain],
  ['password', password],
  ...(proxy ? [['proxy', proxy] as ['proxy', string]] : []),
  ['transport', 'TCP'],
];

/** What Zoiper asks for: `user@domain`, the password, and the outbound proxy. */
export const zoiper_text = ({ number, domain, password, proxy }: Account): string =>
  [`${number}@${domain}`, password, ...(proxy ? [proxy] : [])].join('\n');

/** What the browser phone is given in its link: see phone/token.ts. */
export const phone_account = ({ number, name, domain, password }: Account) => ({ number, name, domain, password });
