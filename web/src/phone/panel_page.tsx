// The browser phone inside of the console. It stays registered while one looks at other pages.
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import type { Extension } from '../extensions/extension';
import { t } from '../i18n';
import { Button, Heading, ProblemBox } from '../ui/bits';
import { Form } from '../ui/form';
import { close_phone, ice_of, open_phone, usePhone } from './dock';
import { PhoneView } from './phone_view';

export function PhonePanelPage() {
  const phone = usePhone();
  return (
    <>
      <Heading title={t('phone.title')} lead={phone ? undefined : t('phone.lead')}>{phone && <Button onClick={close_phone}>{t('phone.close')}</Button>}</Heading>
      {phone ? <PhoneView phone={phone} /> : <div class="card narrow"><ChooseExtension /></div>}
    </>
  );
}

/** Whose phone this browser is: no password, but an app token for that extension, and a new one before it ends. */
function ChooseExtension() {
  const { api } = useConsole();
  const tenant = useTenant();
  const list = useList<Extension>(api, api_path`/v1/tenants/${tenant.id}/extensions`, 200);
  if (!tenant.domains.includes(location.hostname)) return <Elsewhere domain={tenant.domains[0]} />;
  if (list.problem) return <ProblemBox problem={list.problem} />;
  if (list.items.length === 0) return <p class="loading" role="status">{t(list.loading ? 'loading' : 'extensions.none')}</p>;
  const choices = list.items.map(({ number, display_name }): [string, string] => [number, display_name ? `${number} · ${display_name}` : number]);
  return (
    <Form submit={t('phone.open')} fields={[{ name: 'number', label: t('phone.extension'), kind: 'choice', required: true, choices }]} act={async (values) => {
      const number = String(values['number']);
      const token = async () => (await api.post<{ token: string }>(api_path`/v1/tenants/${tenant.id}/tokens`, { number })).token;
      const name = list.items.find((each) => each.number === number)?.display_name ?? '';
      await open_phone({ number, name, domain: location.hostname, jwt: await token(), renew: token }, ice_of(api, tenant.id, number));
    }} />
  );
}

/** The edge takes a browser at its tenant's own name alone. */
function Elsewhere({ domain }: { domain: string | undefined }) {
  if (!domain) return <p>{t('phone.no_domain')}</p>;
  const port = location.port && `:${location.port}`;
  return <p>{t('phone.elsewhere')} <a href={`${location.protocol}//${domain}${port}/`}>{`${domain}${port}`}</a></p>;
}
