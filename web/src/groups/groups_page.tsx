// Groups: several extensions behind one number.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import { t } from '../i18n';
import { Button, Heading } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { type Field, Form } from '../ui/form';
import { type Column, ListTable } from '../ui/table';

interface Group {
  number: string;
  display_name: string;
  strategy: 'all' | 'sequence';
  members: string[];
  ring_seconds: number;
}

type Asked = { what: 'create' } | { what: 'edit' | 'delete'; group: Group } | null;

const fields = (group?: Group): Field[] => [
  ...(group ? [] : [{ name: 'number', label: t('number'), required: true, max_length: 32 } as Field]),
  { name: 'display_name', label: t('display_name'), max_length: 128, value: group?.display_name ?? '' },
  { name: 'strategy', label: t('groups.strategy'), kind: 'choice', value: group?.strategy ?? 'all', choices: [['all', t('groups.all')], ['sequence', t('groups.sequence')]] },
  { name: 'members', label: t('groups.members'), kind: 'list', value: group?.members ?? [], hint: t('groups.members_hint') },
  { name: 'ring_seconds', label: t('ring_seconds'), kind: 'number', min: 1, max: 300, value: group?.ring_seconds ?? 30 },
];

export function GroupsPage() {
  const { api, may_write, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/groups`;
  const list = useList<Group>(api, base);
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  const done = () => {
    note(t('saved'));
    list.reload();
    close();
  };
  const columns: Column<Group>[] = [
    { label: t('number'), kind: 'name', show: ({ number }) => number },
    { label: t('display_name'), show: ({ display_name }) => display_name || <span class="quiet dash">–</span> },
    { label: t('groups.strategy'), show: ({ strategy }) => t(`groups.${strategy}`) },
    { label: t('groups.members'), show: ({ members }) => members.length ? members.map((each) => <span class="chip" key={each}>{each}</span>) : <span class="quiet">{t('groups.nobody')}</span> },
    { label: t('ring_seconds'), kind: 'figure', show: ({ ring_seconds }) => `${ring_seconds} s` },
  ];
  if (may_write) {
    columns.push({
      label: t('actions'), kind: 'actions', show: (group) => (
        <>
          <Button kind="plain" onClick={() => ask({ what: 'edit', group })} aria-label={`${t('edit')}: ${group.number}`}>{t('edit')}</Button>
          <Button kind="plain" onClick={() => ask({ what: 'delete', group })} aria-label={`${t('delete')}: ${group.number}`}>{t('delete')}</Button>
        </>
      ),
    });
  }
  return (
    <>
      <Heading title={t('groups.title')}>{may_write && <Button kind="main" icon="plus" onClick={() => ask({ what: 'create' })}>{t('groups.create')}</Button>}</Heading>
      <ListTable caption={t('groups.title')} list={list} columns={columns} id={({ number }) => number} empty={t('groups.none')} />
      {asked?.what === 'create' && (
        <Dialog title={t('groups.create')} close={close}>
          <Form submit={t('create')} cancel={close} fields={fields()} act={(values) => api.post(base, values).then(done)} />
        </Dialog>
      )}
      {asked?.what === 'edit' && (
        <Dialog title={`${t('edit')}: ${asked.group.number}`} close={close}>
          <Form submit={t('save')} cancel={close} fields={fields(asked.group)} act={(values) => api.patch(`${base}/${encodeURIComponent(asked.group.number)}`, values).then(done)} />
        </Dialog>
      )}
      {asked?.what === 'delete' && (
        <Confirm title={t('delete')} yes={t('delete')} close={close} act={async () => {
          await api.delete(`${base}/${encodeURIComponent(asked.group.number)}`);
          list.reload();
        }}>{t('groups.delete_sure', { number: asked.group.number })}</Confirm>
      )}
    </>
  );
}
