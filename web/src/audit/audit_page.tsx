// The audit trail.
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { useList } from '../core/hooks';
import { t } from '../i18n';
import { Heading, Time } from '../ui/bits';
import { type Column, ListTable } from '../ui/table';
import { type Audit, changes } from './audit';

export function AuditPage() {
  const { api } = useConsole();
  const tenant = useTenant();
  const list = useList<Audit>(api, api_path`/v1/tenants/${tenant.id}/audit`);
  const columns: Column<Audit>[] = [
    { label: t('time'), kind: 'name', show: ({ time }) => <Time at={time} /> },
    { label: t('audit.action'), show: ({ action }) => <code>{action}</code> },
    { label: t('audit.target'), show: ({ target }) => <span class="clip">{target}</span> },
    { label: t('audit.actor'), show: ({ actor, remote }) => <span title={actor.key_id}>{t(`role.${actor.role}`)}<span class="quiet"> {remote}</span></span> },
    { label: t('audit.changes'), show: (audit) => <Changes audit={audit} /> },
  ];
  return (
    <>
      <Heading title={t('audit.title')} lead={t('audit.lead')} />
      <ListTable caption={t('audit.title')} list={list} columns={columns} id={({ id }) => id} />
    </>
  );
}

function Changes({ audit }: { audit: Audit }) {
  const all = changes(audit);
  if (all.length === 0) return <span class="quiet dash">–</span>;
  return (
    <details>
      <summary>{t('audit.fields', { n: all.length })}</summary>
      <ul class="changes">{all.map(({ field, from, to }) => <li key={field}><code>{field}</code> {from !== null && <del>{from}</del>} {to !== null && <ins>{to}</ins>}</li>)}</ul>
    </details>
  );
}
