// Extensions: who can be called, and how their phones are set up.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import { t } from '../i18n';
import { Badge, Button, Heading } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { type Field, Form } from '../ui/form';
import { type Column, ListTable } from '../ui/table';
import { type Extension, KINDS } from './extension';
import { Provisioning } from './provisioning';

type Asked = { what: 'create' } | { what: 'edit' | 'delete'; extension: Extension } | { what: 'provision'; extension: Extension; password: string | null } | null;

const fields = (extension?: Extension): Field[] => [
  ...(extension ? [] : [{ name: 'number', label: t('number'), required: true, max_length: 32, pattern: '[0-9A-Za-z+][0-9A-Za-z._+\\-]*' } as Field]),
  { name: 'display_name', label: t('display_name'), max_length: 128, value: extension?.display_name ?? '' },
  { name: 'kind', label: t('kind'), kind: 'choice', value: extension?.kind ?? 'softphone', choices: KINDS.map((kind) => [kind, t(`kind.${kind}`)]) },
  { name: 'max_contacts', label: t('max_contacts'), kind: 'number', min: 1, max: 20, value: extension?.max_contacts ?? 5 },
  { name: 'ring_seconds', label: t('ring_seconds'), kind: 'number', min: 1, max: 300, value: extension?.ring_seconds ?? 30 },
  { name: 'do_not_disturb', label: t('do_not_disturb'), kind: 'yes', value: extension?.do_not_disturb ?? false },
  { name: 'forward_always', label: t('forward.always'), max_length: 32, value: extension?.forward_always ?? '' },
  { name: 'forward_busy', label: t('forward.busy'), max_length: 32, value: extension?.forward_busy ?? '' },
  { name: 'forward_no_answer', label: t('forward.no_answer'), max_length: 32, value: extension?.forward_no_answer ?? '' },
];

export function ExtensionsPage() {
  const { api, may_write, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/extensions`;
  const list = useList<Extension>(api, base);
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  const columns: Column<Extension>[] = [
    { label: t('number'), kind: 'name', show: ({ number }) => number },
    { label: t('display_name'), show: ({ display_name }) => display_name || <span class="quiet dash">–</span> },
    { label: t('kind'), show: ({ kind }) => t(`kind.${kind}`) },
    { label: t('status'), show: (extension) => <Rules extension={extension} /> },
    { label: t('ring_seconds'), kind: 'figure', show: ({ ring_seconds }) => `${ring_seconds} s` },
  ];
  if (may_write) {
    columns.push({
      label: t('actions'), kind: 'actions', show: (extension) => (
        <>
          <Button kind="plain" onClick={() => ask({ what: 'edit', extension })} aria-label={`${t('edit')}: ${extension.number}`}>{t('edit')}</Button>
          <Button kind="plain" onClick={() => ask({ what: 'provision', extension, password: null })} aria-label={`${t('extensions.provision')}: ${extension.number}`}>{t('extensions.provision')}</Button>
          <Button kind="plain" onClick={() => ask({ what: 'delete', extension })} aria-label={`${t('delete')}: ${extension.number}`}>{t('delete')}</Button>
        </>
      ),
    });
  }
  return (
    <>
      <Heading title={t('extensions.title')}>{may_write && <Button kind="main" icon="plus" onClick={() => ask({ what: 'create' })}>{t('extensions.create')}</Button>}</Heading>
      <ListTable caption={t('extensions.title')} list={list} columns={columns} id={({ number }) => number} empty={t('extensions.none')} />
      {asked?.what === 'create' && (
        <Dialog title={t('extensions.create')} close={close}>
          <Form submit={t('create')} cancel={close} fields={fields()} act={async (values) => {
            const { password, ...extension } = await api.post<Extension & { password: string }>(base, values);
            list.reload();
            ask({ what: 'provision', extension, password });
          }} />
        </Dialog>
      )}
      {asked?.what === 'edit' && (
        <Dialog title={`${t('edit')}: ${asked.extension.number}`} close={close}>
          <Form submit={t('save')} cancel={close} fields={fields(asked.extension)} act={async (values) => {
            await api.patch(`${base}/${encodeURIComponent(asked.extension.number)}`, values);
            note(t('saved'));
            list.reload();
            close();
          }} />
        </Dialog>
      )}
      {asked?.what === 'provision' && <Dialog title={`${t('extensions.provision')}: ${asked.extension.number}`} close={close} wide><Provisioning extension={asked.extension} known={asked.password} /></Dialog>}
      {asked?.what === 'delete' && (
        <Confirm title={t('delete')} yes={t('delete')} close={close} act={async () => {
          await api.delete(`${base}/${encodeURIComponent(asked.extension.number)}`);
          list.reload();
        }}>{t('extensions.delete_sure', { number: asked.extension.number })}</Confirm>
      )}
    </>
  );
}

function Rules({ extension }: { extension: Extension }) {
  const forwards = [extension.forward_always && `${t('forward.always')} ${extension.forward_always}`, extension.forward_busy && `${t('forward.busy')} ${extension.forward_busy}`, extension.forward_no_answer && `${t('forward.no_answer')} ${extension.forward_no_answer}`].filter(Boolean);
  if (extension.do_not_disturb) return <Badge tone="warn">{t('do_not_disturb')}</Badge>;
  return forwards.length ? <span>{forwards.map((each) => <Badge key={String(each)} tone="busy">{each}</Badge>)}</span> : <Badge tone="good">{t('extensions.rings')}</Badge>;
}
