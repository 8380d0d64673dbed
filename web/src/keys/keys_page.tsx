// API keys, and links that sign a browser in once.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import { t } from '../i18n';
import { Badge, Button, Heading, Secret, Time } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { Form } from '../ui/form';
import { type Column, ListTable } from '../ui/table';

interface Key {
  id: string;
  role: 'admin' | 'reader';
  name: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

type Asked = { what: 'create' } | { what: 'made'; key: string } | { what: 'login'; link: string; expires_at: string } | { what: 'delete'; key: Key } | null;

export function KeysPage() {
  const { api, may_write, session, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/keys`;
  const list = useList<Key>(api, base);
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  const columns: Column<Key>[] = [
    { label: t('name'), kind: 'name', show: ({ name, id }) => <>{name || <span class="quiet">{t('keys.unnamed')}</span>}{id === session.who.key_id && <Badge tone="busy">{t('keys.yours')}</Badge>}</> },
    { label: t('keys.role'), show: ({ role }) => t(`role.${role}`) },
    { label: t('created'), show: ({ created_at }) => <Time at={created_at} /> },
    { label: t('expires'), show: ({ expires_at }) => <Time at={expires_at} ago /> },
    { label: t('keys.used'), show: ({ last_used_at }) => (last_used_at && Date.now() - Date.parse(last_used_at) < 3_600_000 ? t('keys.used_lately') : <Time at={last_used_at} ago />) },
  ];
  if (may_write) columns.push({ label: t('actions'), kind: 'actions', show: (key) => <Button kind="plain" onClick={() => ask({ what: 'delete', key })} aria-label={`${t('keys.revoke')}: ${key.name || key.id}`}>{t('keys.revoke')}</Button> });
  const login = () => void api.post<{ path: string; expires_at: string }>('/v1/logins', {}).then(
    ({ path, expires_at }) => ask({ what: 'login', link: location.origin + path, expires_at }), (error: Error) => note(error.message));
  return (
    <>
      <Heading title={t('keys.title')} lead={t('keys.lead')}>
        {may_write && <Button onClick={login}>{t('keys.login')}</Button>}
        {may_write && <Button kind="main" icon="plus" onClick={() => ask({ what: 'create' })}>{t('keys.create')}</Button>}
      </Heading>
      <ListTable caption={t('keys.title')} list={list} columns={columns} id={({ id }) => id} />
      {asked?.what === 'create' && (
        <Dialog title={t('keys.create')} close={close}>
          <Form submit={t('create')} cancel={close} fields={[
            { name: 'name', label: t('name'), max_length: 64 },
            { name: 'role', label: t('keys.role'), kind: 'choice', choices: [['reader', t('role.reader')], ['admin', t('role.admin')]] },
            { name: 'expires_at', label: t('expires'), kind: 'date', hint: t('keys.expires_hint') },
          ]} act={async (values) => {
            const { api_key } = await api.post<{ api_key: string }>(base, values);
            list.reload();
            ask({ what: 'made', key: api_key });
          }} />
        </Dialog>
      )}
      {asked?.what === 'made' && <Dialog title={t('keys.key')} close={close}><Secret label={t('keys.key')} value={asked.key} hint={t('shown_once')} /></Dialog>}
      {asked?.what === 'login' && (
        <Dialog title={t('keys.login')} close={close}>
          <p>{t('keys.login_lead')} <Time at={asked.expires_at} ago /></p>
          <Secret label={t('keys.login')} value={asked.link} hint={t('shown_once')} />
        </Dialog>
      )}
      {asked?.what === 'delete' && (
        <Confirm title={t('keys.revoke')} yes={t('keys.revoke')} close={close} act={async () => {
          await api.delete(`${base}/${asked.key.id}`);
          list.reload();
        }}>{t('keys.revoke_sure', { name: asked.key.name || asked.key.id })}</Confirm>
      )}
    </>
  );
}
