// Webhooks: who is told what.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import { BASE } from '../core/router';
import { t } from '../i18n';
import { Badge, Button, Heading, Secret, Time } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { type Field, Form } from '../ui/form';
import { More } from '../ui/more';
import { type Column, ListTable } from '../ui/table';

interface Webhook {
  id: string;
  url: string;
  events: string[];
  status: 'active' | 'paused' | 'gone';
  failures: number;
  failing_since: string | null;
  resting_until: string | null;
  old_secret_until: string | null;
  created_at: string;
}

type Asked = { what: 'create' } | { what: 'secret'; secret: string } | { what: 'edit' | 'delete' | 'rotate' | 'replay'; webhook: Webhook } | null;

const fields = (webhook?: Webhook): Field[] => [
  { name: 'url', label: 'URL', required: true, max_length: 2048, value: webhook?.url ?? 'https://' },
  { name: 'events', label: t('webhooks.events'), kind: 'list', required: true, value: webhook?.events ?? ['call.*'], hint: t('webhooks.events_hint') },
];

export function WebhooksPage() {
  const { api, may_write, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/webhooks`;
  const list = useList<Webhook>(api, base);
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  const say = (text: string) => {
    note(text);
    list.reload();
  };
  const act = (work: Promise<unknown>, text: string) => void work.then(() => say(text), (error: Error) => say(error.message));
  const columns: Column<Webhook>[] = [
    { label: 'URL', kind: 'name', show: ({ url }) => <span class="url">{url}</span> },
    { label: t('webhooks.events'), show: ({ events }) => events.map((each) => <span class="chip" key={each}>{each}</span>) },
    { label: t('status'), show: (webhook) => <Status webhook={webhook} /> },
  ];
  if (may_write) {
    columns.push({
      label: t('actions'), kind: 'actions', show: (webhook) => {
        const one = `${base}/${webhook.id}`;
        const of = (what: string) => `${what}: ${webhook.url}`;
        return (
          <>
            <Button kind="plain" onClick={() => act(api.post(`${one}/test`), t('webhooks.tested'))} disabled={webhook.status !== 'active'} aria-label={of(t('webhooks.test'))}>{t('webhooks.test')}</Button>
            {webhook.status === 'active'
              ? <Button kind="plain" onClick={() => act(api.patch(one, { status: 'paused' }), t('webhooks.is_paused'))} aria-label={of(t('webhooks.pause'))}>{t('webhooks.pause')}</Button>
              : <Button kind="plain" onClick={() => act(api.patch(one, { status: 'active' }), t('webhooks.is_active'))} aria-label={of(t('webhooks.resume'))}>{t('webhooks.resume')}</Button>}
            <Button kind="plain" onClick={() => ask({ what: 'edit', webhook })} aria-label={of(t('edit'))}>{t('edit')}</Button>
            <More of={webhook.url}>
              <Button kind="plain" onClick={() => ask({ what: 'replay', webhook })}>{t('webhooks.replay')}</Button>
              <Button kind="plain" onClick={() => ask({ what: 'rotate', webhook })}>{t('webhooks.rotate')}</Button>
              <Button kind="plain" onClick={() => ask({ what: 'delete', webhook })}>{t('delete')}</Button>
            </More>
          </>
        );
      },
    });
  }
  return (
    <>
      <Heading title={t('webhooks.title')} lead={<a href={`${BASE}/t/${tenant.slug}/deliveries`}>{t('webhooks.see_deliveries')}</a>}>
        {may_write && <Button kind="main" icon="plus" onClick={() => ask({ what: 'create' })}>{t('webhooks.create')}</Button>}
      </Heading>
      <ListTable caption={t('webhooks.title')} list={list} columns={columns} id={({ id }) => id} empty={t('webhooks.none')} />
      {asked?.what === 'create' && (
        <Dialog title={t('webhooks.create')} close={close}>
          <Form submit={t('create')} cancel={close} fields={fields()} act={async (values) => {
            const { secret } = await api.post<{ secret: string }>(base, values);
            list.reload();
            ask({ what: 'secret', secret });
          }} />
        </Dialog>
      )}
      {asked?.what === 'secret' && (
        <Dialog title={t('webhooks.title')} close={close}>
          <p>{t('webhooks.secret_lead')}</p>
          <Secret label={t('webhooks.secret')} value={asked.secret} hint={t('shown_once')} />
        </Dialog>
      )}
      {asked?.what === 'edit' && (
        <Dialog title={t('edit')} close={close}>
          <Form submit={t('save')} cancel={close} fields={fields(asked.webhook)} act={async (values) => {
            await api.patch(`${base}/${asked.webhook.id}`, values);
            say(t('saved'));
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'rotate' && (
        <Dialog title={t('webhooks.rotate')} close={close}>
          <p>{t('webhooks.rotate_lead')}</p>
          <Form submit={t('webhooks.rotate')} cancel={close} fields={[{ name: 'overlap_seconds', label: t('webhooks.overlap'), kind: 'number', min: 0, max: 604_800, value: 86_400 }]} act={async (values) => {
            const { secret } = await api.post<{ secret: string }>(`${base}/${asked.webhook.id}/secret`, values);
            list.reload();
            ask({ what: 'secret', secret });
          }} />
        </Dialog>
      )}
      {asked?.what === 'replay' && (
        <Dialog title={t('webhooks.replay')} close={close}>
          <p>{t('webhooks.replay_lead')}</p>
          <Form submit={t('webhooks.replay')} cancel={close} fields={[
            { name: 'from', label: t('from'), kind: 'date', required: true, value: local_time(Date.now() - 86_400_000) },
            { name: 'state', label: t('status'), kind: 'choice', choices: [['dead', t('delivery.dead')], ['delivered', t('delivery.delivered')]] },
          ]} act={async (values) => {
            const { replayed } = await api.post<{ replayed: number }>(`${base}/${asked.webhook.id}/replay`, values);
            say(t('webhooks.replayed', { n: replayed }));
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'delete' && (
        <Confirm title={t('delete')} yes={t('delete')} close={close} act={async () => {
          await api.delete(`${base}/${asked.webhook.id}`);
          list.reload();
        }}>{t('webhooks.delete_sure', { url: asked.webhook.url })}</Confirm>
      )}
    </>
  );
}

/** What an <input type=datetime-local> takes. */
const local_time = (ms: number) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function Status({ webhook }: { webhook: Webhook }) {
  const { status, failures, failing_since, resting_until, old_secret_until } = webhook;
  return (
    <span class="stack">
      <Badge tone={status === 'gone' ? 'bad' : status === 'paused' ? 'quiet' : failures ? 'warn' : 'good'}>{t(`webhook.${status}`)}</Badge>
      {failures > 0 && <span class="hint">{t('webhooks.failures', { n: failures })} <Time at={failing_since} ago /></span>}
      {resting_until && Date.parse(resting_until) > Date.now() && <span class="hint">{t('webhooks.resting')} <Time at={resting_until} ago /></span>}
      {old_secret_until && Date.parse(old_secret_until) > Date.now() && <span class="hint">{t('webhooks.two_secrets')} <Time at={old_secret_until} ago /></span>}
    </span>
  );
}
