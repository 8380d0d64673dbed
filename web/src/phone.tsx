// The browser phone by itself, for a page of its own or a frame in somebody's site: `/phone#token=...`.
import './styles/console.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Api } from './core/api';
import { take_from_fragment } from './core/fragment';
import { kept_theme, show_theme } from './core/theme';
import { speak, t, wanted_lang } from './i18n';
import { ice_of, open_phone, usePhone } from './phone/dock';
import { PhoneView } from './phone/phone_view';
import { PhoneSignIn } from './phone/sign_in';
import { type PhoneToken, read_phone_token } from './phone/token';

const text = take_from_fragment('token'); // at once: it must not stay in the address bar
const token = text === null ? null : read_phone_token(text);

function open_with({ kind, ...found }: PhoneToken): Promise<unknown> {
  if (kind === 'account') {
    const { account } = found as { account: { number: string; name: string; domain: string; password: string } };
    return open_phone(account, ice_of(null, '', account.number));
  }
  const { app } = found as { app: { jwt: string; tenant: string; number: string } };
  return open_phone({ number: app.number, name: '', domain: location.hostname, jwt: app.jwt }, ice_of(new Api(app.jwt), app.tenant, app.number));
}

function Page() {
  const phone = usePhone();
  const [failed, set_failed] = useState(text !== null && token === null);
  useEffect(() => {
    if (token) open_with(token).catch(() => set_failed(true));
  }, []);
  return (
    <main class="phone-page">
      <h1 class="sr-only">{t('phone.title')}</h1>
      {failed && <p class="problem" role="alert">{t('phone.bad_token')}</p>}
      {phone ? <PhoneView phone={phone} /> : token && !failed ? <p class="loading" role="status">{t('loading')}</p> : <div class="card"><PhoneSignIn domain={location.hostname} open={(identity) => open_phone(identity, ice_of(null, '', identity.number))} /></div>}
    </main>
  );
}

show_theme(kept_theme());
await speak(wanted_lang());
document.title = `${t('phone.title')} · Belfry`;
render(<Page />, document.getElementById('app')!);
