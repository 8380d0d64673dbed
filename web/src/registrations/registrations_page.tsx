// Which devices are registered now.
import { useState } from 'preact/hooks';
import { api_path, query } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useEvery, useList } from '../core/hooks';
import { t } from '../i18n';
import { Badge, Heading, Time } from '../ui/bits';
import { type Column, ListTable } from '../ui/table';

interface Registration {
  number: string;
  edge: string;
  id: string;
  contact: string;
  transport: string;
  received: string | null;
  user_agent: string | null;
  expires_at: string;
}

const AGAIN_MS = 5000;

export function RegistrationsPage() {
  const { api } = useConsole();
  const tenant = useTenant();
  const [number, set_number] = useState('');
  const list = useList<Registration>(api, api_path`/v1/tenants/${tenant.id}/registrations` + query({ number }));
  useEvery(AGAIN_MS, list.reload);
  const columns: Column<Registration>[] = [
    { label: t('number'), kind: 'name', show: ({ number }) => number },
    { label: t('registrations.device'), show: ({ user_agent, id }) => <span class="clip">{user_agent ?? <code>{id}</code>}</span> },
    { label: t('registrations.transport'), show: ({ transport }) => <Badge tone={/^(tls|wss)$/.test(transport) ? 'good' : 'quiet'}>{transport.toUpperCase()}</Badge> },
    { label: t('registrations.contact'), show: ({ contact, received }) => <code class="clip" title={contact}>{received?.replace(/^sips?:/, '') ?? contact}</code> },
    { label: t('registrations.edge'), show: ({ edge }) => edge },
    { label: t('expires'), show: ({ expires_at }) => <Time at={expires_at} ago /> },
  ];
  return (
    <>
      <Heading title={t('registrations.title')} lead={t('registrations.lead')}>
        <label class="filter"><span>{t('number')}</span><input type="search" maxLength={32} value={number} onInput={(event) => set_number(valid(event.currentTarget.value))} /></label>
      </Heading>
      <ListTable caption={t('registrations.title')} list={list} columns={columns} id={({ edge, number, id }) => `${edge}/${number}/${id}`} empty={t('registrations.none')} />
    </>
  );
}

/** What the service takes for a number; anything else is no filter yet. */
const valid = (text: string) => (/^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$/.test(text.trim()) ? text.trim() : '');
