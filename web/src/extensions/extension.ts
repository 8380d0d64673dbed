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
  realm: string;
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
const xml = (text: string) => text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);

/** Linphone's provisioning file. The identity has no display name when there is none. */
export function linphone_xml({ number, name, domain, realm, password, proxy }: Account): string {
  const entry = (key: string, value: string) => `    <entry name="${key}" overwrite="true">${xml(value)}</entry>`;
  const identity = `${name ? `"${name}" ` : ''}<sip:${number}@${domain}>`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">',
    '  <section name="sip">', entry('default_proxy', '0'), '  </section>',
    '  <section name="proxy_0">',
    entry('reg_identity', identity), entry('reg_proxy', `<sip:${proxy ?? domain};transport=tcp>`), entry('reg_route', `<sip:${proxy ?? domain};transport=tcp;lr>`),
    entry('reg_sendregister', '1'), entry('reg_expires', '600'), entry('publish', '0'),
    '  </section>',
    '  <section name="auth_info_0">',
    entry('username', number), entry('domain', domain), entry('realm', realm), entry('passwd', password),
    '  </section>',
    '</config>', '',
  ].join('\n');
}

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
