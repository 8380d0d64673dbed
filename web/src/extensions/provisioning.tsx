// How a phone is set up: as text, as Linphone's file, and as a link and QR code for the browser phone.
import { useEffect, useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useGet } from '../core/hooks';
import { t } from '../i18n';
import { make_phone_token } from '../phone/token';
import { Copy, Secret } from '../ui/bits';
import { type Account, type Extension, linphone_xml, phone_account, proxy_of, settings_of, zoiper_text } from './extension';

export function Provisioning({ extension, password }: { extension: Extension; password: string }) {
  const { api } = useConsole();
  const tenant = useTenant();
  const dns = useGet<{ items: string[] }>(api, api_path`/v1/tenants/${tenant.id}/dns`);
  const account: Account = { number: extension.number, name: extension.display_name, domain: tenant.domains[0] ?? tenant.realm, realm: tenant.realm, password, proxy: dns.data ? proxy_of(dns.data.items, 'tcp') : null };
  const link = `${location.origin}/phone#token=${make_phone_token(phone_account(account))}`;
  const text = settings_of(account).map(([key, value]) => `${t(`setting.${key}`)}: ${value}`).join('\n');
  return (
    <div class="provisioning">
      <Secret label={t('password')} value={password} hint={t('shown_once')} />
      <section>
        <h3>{t('provision.any')}</h3>
        <dl class="facts">{settings_of(account).map(([key, value]) => <div key={key}><dt>{t(`setting.${key}`)}</dt><dd><code>{value}</code></dd></div>)}</dl>
        <Copy text={text} />
      </section>
      <section>
        <h3>Linphone</h3>
        <p class="hint">{t('provision.linphone')}</p>
        <Download name={`linphone-${extension.number}.xml`} text={linphone_xml(account)} type="application/xml" />
      </section>
      <section>
        <h3>Zoiper</h3>
        <p class="hint">{t('provision.zoiper')}</p>
        <pre class="zone">{zoiper_text(account)}</pre>
        <Copy text={zoiper_text(account)} label={t('copy_of', { what: 'Zoiper' })} />
      </section>
      <section>
        <h3>{t('provision.browser')}</h3>
        <p class="hint">{t('provision.browser_hint')}</p>
        <Qr text={link} label={t('provision.qr', { number: extension.number })} />
        <Copy text={link} label={t('copy_of', { what: t('provision.browser') })} />
      </section>
    </div>
  );
}

function Download({ name, text, type }: { name: string; text: string; type: string }) {
  const [url, set] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type }));
    set(made);
    return () => URL.revokeObjectURL(made);
  }, [text, type]);
  return <a class="button" href={url} download={name}>{t('download')} {name}</a>;
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
