// Operators: is every process there, and ready?
import type { Page } from '../core/api';
import { useConsole } from '../core/context';
import { span } from '../core/format';
import { useGet } from '../core/hooks';
import { BASE } from '../core/router';
import { locale, t } from '../i18n';
import { Badge, Heading, ProblemBox } from '../ui/bits';
import { type Column, Table } from '../ui/table';
import { type Process, process_tone } from './process';

const AGAIN_MS = 3000;

export function HealthPage() {
  const { api } = useConsole();
  const { data, problem } = useGet<Page<Process>>(api, '/v1/processes', AGAIN_MS);
  const columns: Column<Process>[] = [
    { label: t('health.process'), kind: 'name', show: ({ name }) => name },
    { label: t('status'), show: (process) => <Badge tone={process_tone(process)}>{t(`health.${process.state}`)}</Badge> },
    { label: t('health.answer'), kind: 'figure', show: ({ answer_ms }) => (answer_ms === null ? '–' : span(answer_ms, locale())) },
    { label: t('details'), show: ({ detail }) => detail || <span class="quiet dash">–</span> },
  ];
  const bad = data?.items.filter(({ state }) => state !== 'ready').length ?? 0;
  return (
    <>
      <Heading title={t('health.title')} lead={data && <Badge tone={bad ? 'bad' : 'good'}>{bad ? t('health.some_bad', { n: bad }) : t('health.all_well', { n: data.items.length })}</Badge>} />
      <ProblemBox problem={problem} />
      {data && <Table dense caption={t('health.title')} columns={columns} rows={data.items} id={({ name }) => name} empty={t('health.none')} />}
      <p class="hint after"><a href={`${BASE}/edges`}>{t('health.see_edges')}</a></p>
    </>
  );
}
