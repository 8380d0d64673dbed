// The browser phone inside of the console. It stays registered while one looks at other pages.
import { useConsole, useTenant } from '../core/context';
import { t } from '../i18n';
import { Button, Heading } from '../ui/bits';
import { close_phone, ice_of, open_phone, usePhone } from './dock';
import { PhoneView } from './phone_view';
import { PhoneSignIn } from './sign_in';

export function PhonePanelPage() {
  const { api } = useConsole();
  const tenant = useTenant();
  const phone = usePhone();
  return (
    <>
      <Heading title={t('phone.title')} lead={phone ? undefined : t('phone.lead')}>{phone && <Button onClick={close_phone}>{t('phone.close')}</Button>}</Heading>
      {phone ? <PhoneView phone={phone} /> : <div class="card narrow"><PhoneSignIn domain={tenant.domains[0] ?? tenant.realm} open={(identity) => open_phone(identity, ice_of(api, tenant.id, identity.number))} /></div>}
    </>
  );
}
