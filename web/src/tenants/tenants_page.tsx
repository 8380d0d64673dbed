// Operators: tenants.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { type Tenant, useConsole } from '../core/context';
import { useList } from '../core/hooks';
import { BASE } from '../core/router';
import { t } from '../i18n';
import { Badge, Button, Heading, Secret, Time } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { Form, type Field } from '../ui/form';
import { More } from '../ui/more';
import { type Column, ListTable } from '../ui/table';

type Asked = { what: 'create' } | { what: 'created'; tenant: Tenant; key: string } | { what: 'suspend' | 'delete' | 'limits'; tenant: Tenant } | null;

const LIMITS = ['max_calls', 'max_registrations', 'calls_per_second', 'requests_per_minute'] as const;

const limit_fields = (tenant?: Tenant): Field[] =>
  LIMITS.map((name) => ({ name, label: t(`limit.${name}`), kind: 'number', min: 0, max: 1_000_000, value: tenant?.limits[name] ?? 0, hint: name === 'max_calls' ? t('limit.hint') : undefined } as Field));

const limits_of = (values: Record<string, unknown>) => Object.fromEntries(LIMITS.map((name) => [name, values[name] ?? 0]));

export function TenantsPage() {
  const { api, note } = useConsole();
  const list = useList<Tenant>(api, '/v1/tenants');
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  const set_status = async (tenant: Tenant, status: Tenant['status']) => {
    await api.patch(api_path`/v1/tenants/${tenant.id}`, { status });
    note(t(status === 'active' ? 'tenants.activated' : 'tenants.suspended', { name: tenant.name }));
    list.reload();
  };
  const columns: Column<Tenant>[] = [
    { label: t('name'), kind: 'name', show: (tenant) => <a href={`${BASE}/t/${tenant.slug}/calls`}>{tenant.name}</a> },
    { label: t('tenants.slug'), show: ({ slug }) => <code>{slug}</code> },
    { label: t('tenants.domains'), show: ({ domains }) => <span class="clip">{domains.join(', ')}</span> },
    { label: t('status'), show: ({ status }) => <Badge tone={status === 'active' ? 'good' : 'bad'}>{t(`tenant.${status}`)}</Badge> },
    { label: t('created'), show: ({ created_at }) => <Time at={created_at} /> },
    {
      label: t('actions'), kind: 'actions', show: (tenant) => (
        <>
          {tenant.status === 'active'
            ? <Button kind="plain" onClick={() => ask({ what: 'suspend', tenant })} aria-label={`${t('tenants.suspend')}: ${tenant.name}`}>{t('tenants.suspend')}</Button>
            : <Button kind="plain" onClick={() => void set_status(tenant, 'active')} aria-label={`${t('tenants.activate')}: ${tenant.name}`}>{t('tenants.activate')}</Button>}
          <More of={tenant.name}>
            <Button kind="plain" onClick={() => ask({ what: 'limits', tenant })}>{t('limits')}</Button>
            <Button kind="plain" onClick={() => ask({ what: 'delete', tenant })}>{t('delete')}</Button>
          </More>
        </>
      ),
    },
  ];
  return (
    <>
      <Heading title={t('tenants.title')}><Button kind="main" icon="plus" onClick={() => ask({ what: 'create' })}>{t('tenants.create')}</Button></Heading>
      <ListTable caption={t('tenants.title')} list={list} columns={columns} id={({ id }) => id} empty={t('tenants.none')} />
      {asked?.what === 'create' && (
        <Dialog title={t('tenants.create')} close={close}>
          <Form submit={t('create')} cancel={close} fields={[
            { name: 'name', label: t('name'), required: true, max_length: 128 },
            { name: 'slug', label: t('tenants.slug'), required: true, max_length: 63, pattern: '[a-z0-9]([a-z0-9\\-]*[a-z0-9])?', hint: t('tenants.slug_hint') },
            { name: 'domains', label: t('tenants.domains'), kind: 'list', required: true, hint: t('tenants.domains_hint') },
            ...limit_fields(),
          ]} act={async (values) => {
            const made = await api.post<Tenant & { api_key: string }>('/v1/tenants', { name: values['name'], slug: values['slug'], domains: values['domains'], limits: limits_of(values) });
            list.reload();
            ask({ what: 'created', tenant: made, key: made.api_key });
          }} />
        </Dialog>
      )}
      {asked?.what === 'created' && (
        <Dialog title={asked.tenant.name} close={close}>
          <p>{t('tenants.created')}</p>
          <Secret label={t('keys.key')} value={asked.key} hint={t('shown_once')} />
          <p><a class="button main" href={`${BASE}/t/${asked.tenant.slug}/extensions`}>{t('extensions.title')}</a></p>
        </Dialog>
      )}
      {asked?.what === 'limits' && (
        <Dialog title={`${t('limits')}: ${asked.tenant.name}`} close={close}>
          <Form submit={t('save')} cancel={close} fields={limit_fields(asked.tenant)} act={async (values) => {
            await api.patch(api_path`/v1/tenants/${asked.tenant.id}`, { limits: limits_of(values) });
            note(t('saved'));
            list.reload();
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'suspend' && (
        <Confirm title={t('tenants.suspend')} yes={t('tenants.suspend')} close={close} act={() => set_status(asked.tenant, 'suspended')}>{t('tenants.suspend_sure', { name: asked.tenant.name })}</Confirm>
      )}
      {asked?.what === 'delete' && (
        <Confirm title={t('delete')} yes={t('delete')} close={close} act={async () => {
          await api.delete(api_path`/v1/tenants/${asked.tenant.id}`);
          list.reload();
        }}>{t('tenants.delete_sure', { name: asked.tenant.name })}</Confirm>
      )}
    </>
  );
}
