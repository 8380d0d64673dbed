// How a phone is set up: by a link that Linphone scans, as text, and as a link for the browser phone.
import { useEffect, useState } from 'preact/hooks';
import { Problem, api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useGet } from '../core/hooks';
import { t } from '../i18n';
import { make_phone_token } from '../phone/token';
import { Button, Copy, ProblemBox, Time } from '../ui/bits';
import { type Account, type Extension, phone_account, proxy_of, settings_of, zoiper_text } from './extension';

/** `known`: the password, when it was made a moment ago. Passwords are kept nowhere, so another one is made for who wants to see one. */
export function Provisioning({ extension, known }: { extension: Extension; known: string | null }) {
  const { api } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/extensions/${extension.number}`;
  const [password, set_password] = useState(known);
  const [problem, set_problem] = useState<Problem | null>(null);
  const reset = () => api.post<{ password: string }>(`${base}/password`, {}).then(({ password: made }) => set_password(made), set_problem);
  return (
    <div class="provisioning">
      <Linphone base={base} number={extension.number} />
      <ProblemBox problem={problem} />
      {password !== null ? <WithPassword extension={extension} password={password} /> : (
        <section>
          <h3>{t('provision.others')}</h3>
          <p class="hint">{t('extensions.reset_sure')}</p>
          <Button onClick={() => void reset()}>{t('extensions.reset')}</Button>
        </section>
      )}
    </div>
  );
}

/** The link is made anew each time, and lasts minutes. */
function Linphone({ base, number }: { base: string; number: string }) {
  const { api } = useConsole();
  const [link, set_link] = useState<{ url: string; expires_at: string } | null>(null);
  const [problem, set_problem] = useState<Problem | null>(null);
  useEffect(() => {
    api.post<{ path: string; expires_at: string }>(`${base}/provisioning`).then(({ path, expires_at }) => set_link({ url: location.origin + path, expires_at }), set_problem);
  }, [api, base]);
  return (
    <section class="beside">
      <div>
        <h3>Linphone</h3>
        <p class="hint">{t('provision.linphone')}</p>
        <ProblemBox problem={problem} />
        {link && <p><Copy text={link.url} label={t('copy_of', { what: 'Linphone' })} /> <span class="hint">{t('expires')} <Time at={link.expires_at} ago /></span></p>}
      </div>
      {link && <Qr text={link.url} label={t('provision.qr_linphone', { number })} />}
    </section>
  );
}

function WithPassword({ extension, password }: { extension: Extension; password: string }) {
  const { api } = useConsole();
  const tenant = useTenant();
  const dns = useGet<{ items: string[] }>(api, api_path`/v1/tenants/${tenant.id}/dns`);
  const account: Account = { number: extension.number, name: extension.display_name, domain: tenant.domains[0] ?? tenant.realm, password, proxy: dns.data ? proxy_of(dns.data.items, 'tcp') : null };
  const link = `${location.origin}/phone#token=${make_phone_token(phone_account(account))}`;
  const text = settings_of(account).map(([key, value]) => `${t(`setting.${key}`)}: ${value}`).join('\n');
  return (
    <>
      <section>
        <h3>{t('provision.any')}</h3>
        <p class="hint">{t('provision.any_hint')}</p>
        <dl class="facts">{settings_of(account).map(([key, value]) => <div key={key}><dt>{t(`setting.${key}`)}</dt><dd><code data-secret={key === 'password' || undefined}>{value}</code></dd></div>)}</dl>
        <Copy text={text} label={t('copy_of', { what: t('provision.any') })} />
      </section>
      <section>
        <h3>Zoiper</h3>
        <p class="hint">{t('provision.zoiper')}</p>
        <pre class="zone">{zoiper_text(account)}</pre>
        <Copy text={zoiper_text(account)} label={t('copy_of', { what: 'Zoiper' })} />
      </section>
      <section class="beside">
        <div>
          <h3>{t('provision.browser')}</h3>
          <p class="hint">{t('provision.browser_hint')}</p>
          <Copy text={link} label={t('copy_of', { what: t('provision.browser') })} />
        </div>
        <Qr text={link} label={t('provision.qr', { number: extension.number })} />
      </section>
    </>
  );
}

/** Drawn as one path; the library is loaded only here. */
function Qr({ text, label }: { text: string; label: string }) {
  const [code, set] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    void import('lean-qr').then(({ generate }) => {
      const { size, get } = generate(text);
      let path = '';
      for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (get(x, y)) path += `M${x} ${y}h1v1h-1z`;
      set({ size, path });
    });
  }, [text]);
  if (!code) return null;
  return <svg class="qr" role="img" aria-label={label} viewBox={`-3 -3 ${code.size + 6} ${code.size + 6}`} shape-rendering="crispEdges"><rect x="-3" y="-3" width={code.size + 6} height={code.size + 6} fill="#fff" /><path d={code.path} fill="#000" /></svg>;
}
