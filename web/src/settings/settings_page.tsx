// The tenant itself: name, domains, DNS, limits.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useGet, useList } from '../core/hooks';
import { t } from '../i18n';
import { Button, Copy, Facts, Heading, ProblemBox, Time } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { Form } from '../ui/form';
import { ListTable } from '../ui/table';

interface Domain {
  name: string;
  created_at: string;
}

type Asked = { what: 'add' | 'rename' } | { what: 'delete'; domain: Domain } | null;

export function SettingsPage() {
  const { api, may_write, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}`;
  const domains = useList<Domain>(api, `${base}/domains`);
  const dns = useGet<{ zone: string }>(api, `${base}/dns`);
  const [asked, ask] = useState<Asked>(null);
  const [name, set_name] = useState(tenant.name);
  const close = () => ask(null);
  const again = () => {
    domains.reload();
    dns.reload();
  };
  const limit = (value: number) => (value === 0 ? t('limit.none') : value);
  return (
    <>
      <Heading title={t('settings.title')}>{may_write && <Button onClick={() => ask({ what: 'rename' })}>{t('settings.rename')}</Button>}</Heading>
      <Facts items={[
        [t('name'), name],
        [t('tenants.slug'), <code>{tenant.slug}</code>],
        ['ID', <code>{tenant.id}</code>],
        [t('settings.realm'), <code>{tenant.realm}</code>],
        [t('limit.max_calls'), limit(tenant.limits.max_calls)],
        [t('limit.max_registrations'), limit(tenant.limits.max_registrations)],
        [t('limit.calls_per_second'), limit(tenant.limits.calls_per_second)],
        [t('limit.requests_per_minute'), limit(tenant.limits.requests_per_minute)],
      ]} />
      <section>
        <header class="heading"><h2>{t('tenants.domains')}</h2><div class="actions">{may_write && <Button icon="plus" onClick={() => ask({ what: 'add' })}>{t('settings.add_domain')}</Button>}</div></header>
        <ListTable caption={t('tenants.domains')} list={domains} id={({ name }) => name} columns={[
          { label: t('name'), kind: 'name', show: ({ name }) => name },
          { label: t('created'), show: ({ created_at }) => <Time at={created_at} /> },
          { label: t('actions'), kind: 'actions', show: (domain) => may_write && <Button kind="plain" onClick={() => ask({ what: 'delete', domain })} aria-label={`${t('delete')}: ${domain.name}`}>{t('delete')}</Button> },
        ]} />
      </section>
      <section>
        <header class="heading"><h2>DNS</h2><div class="actions">{dns.data && <Copy text={dns.data.zone} />}</div></header>
        <p class="hint">{t('settings.dns_hint')}</p>
        <ProblemBox problem={dns.problem} retry={dns.reload} />
        {dns.data && <pre class="zone" tabIndex={0} aria-label="DNS">{dns.data.zone}</pre>}
      </section>
      {asked?.what === 'add' && (
        <Dialog title={t('settings.add_domain')} close={close}>
          <Form submit={t('create')} cancel={close} fields={[{ name: 'name', label: t('name'), required: true, max_length: 253 }]} act={async (values) => {
            await api.post(`${base}/domains`, values);
            again();
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'rename' && (
        <Dialog title={t('settings.rename')} close={close}>
          <Form submit={t('save')} cancel={close} fields={[{ name: 'name', label: t('name'), required: true, max_length: 128, value: name }]} act={async (values) => {
            await api.patch(base, values);
            set_name(String(values['name']));
            note(t('saved'));
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'delete' && (
        <Confirm title={t('delete')} yes={t('delete')} close={close} act={async () => {
          await api.delete(`${base}/domains/${encodeURIComponent(asked.domain.name)}`);
          again();
        }}>{t('settings.domain_delete_sure', { name: asked.domain.name })}</Confirm>
      )}
    </>
  );
}
