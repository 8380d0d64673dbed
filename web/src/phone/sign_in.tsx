// Whose phone it is, typed by hand: an extension's number and password. Neither is kept anywhere.
import { t } from '../i18n';
import { Form } from '../ui/form';
import type { Identity } from './engine';

export function PhoneSignIn({ domain, open }: { domain: string; open: (identity: Identity) => Promise<unknown> }) {
  return (
    <Form submit={t('phone.open')} fields={[
      { name: 'number', label: t('number'), required: true, max_length: 32, pattern: '[0-9A-Za-z+][0-9A-Za-z._+\\-]*' },
      { name: 'domain', label: t('setting.domain'), required: true, max_length: 253, value: domain },
      { name: 'password', label: t('password'), kind: 'password', required: true, max_length: 128 },
    ]} act={async (values) => {
      await open({ number: String(values['number']), name: '', domain: String(values['domain']), password: String(values['password']) });
    }} />
  );
}
