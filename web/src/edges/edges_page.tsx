// Operators: edges, whether they drift, and media relays.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Page, api_path } from '../core/api';
import { useConsole } from '../core/context';
import { number, span } from '../core/format';
import { useGet } from '../core/hooks';
import { type Process, process_tone } from '../health/process';
import { locale, t } from '../i18n';
import { Badge, Button, Heading, ProblemBox } from '../ui/bits';
import { Confirm } from '../ui/dialog';
import { type Column, Table } from '../ui/table';
import { type Drift, type Edge, lasting } from './edge';

const AGAIN_MS = 2000;

export function EdgesPage() {
  const { api } = useConsole();
  const { data, problem, reload } = useGet<Page<Edge>>(api, '/v1/edges', AGAIN_MS);
  const [forget, set_forget] = useState<Edge | null>(null);
  const drift = useDrift(data?.items);
  const figure = (edge: number | null, index: number | null, what: Drift['what'], id: string) => {
    const drifted = drift.get(id)?.some((each) => each.what === what);
    return <span class={drifted ? 'drifted' : undefined}>{edge === null ? '–' : number(edge, locale())}{drifted && <span class="hint"> {t('edges.index', { n: index ?? '–' })}</span>}</span>;
  };
  const columns: Column<Edge>[] = [
    { label: t('edges.edge'), kind: 'name', show: ({ id }) => id },
    { label: t('status'), show: ({ alive, age_ms }) => <Badge tone={alive ? 'good' : 'bad'}>{alive ? t('edges.alive') : t('edges.silent', { span: span(age_ms, locale()) })}</Badge> },
    { label: t('edges.bindings'), kind: 'figure', show: (edge) => figure(edge.bindings, edge.indexed_bindings, 'bindings', edge.id) },
    { label: t('edges.calls'), kind: 'figure', show: (edge) => figure(edge.calls, edge.indexed_calls, 'calls', edge.id) },
    { label: t('edges.table'), kind: 'figure', show: (edge) => figure(edge.table_seq, edge.registry_seq, 'table', edge.id) },
    { label: t('edges.drift'), show: ({ id }) => (drift.get(id)?.length ? <Badge tone="warn">{t('edges.drifts')}</Badge> : <Badge tone="good">{t('edges.agrees')}</Badge>) },
    { label: t('edges.internal'), show: ({ internal }) => <code>{internal}</code> },
    { label: t('actions'), kind: 'actions', show: (edge) => !edge.alive && <Button kind="plain" onClick={() => set_forget(edge)} aria-label={`${t('edges.forget')}: ${edge.id}`}>{t('edges.forget')}</Button> },
  ];
  return (
    <>
      <Heading title={t('edges.title')} lead={t('edges.lead')} />
      <ProblemBox problem={problem} />
      {data && <Table caption={t('edges.title')} columns={columns} rows={data.items} id={({ id }) => id} empty={t('edges.none')} />}
      <Relays />
      {forget && (
        <Confirm title={t('edges.forget')} yes={t('edges.forget')} close={() => set_forget(null)} act={async () => {
          await api.delete(api_path`/v1/edges/${forget.id}`);
          reload();
        }}>{t('edges.forget_sure', { id: forget.id })}</Confirm>
      )}
    </>
  );
}

/** The relays are asked by call-control: whether an edge uses one is the edge's own finding. */
function Relays() {
  const { api } = useConsole();
  const { data, problem } = useGet<Page<Process>>(api, '/v1/processes', AGAIN_MS);
  const columns: Column<Process>[] = [
    { label: t('relays.relay'), kind: 'name', show: ({ name }) => name },
    { label: t('status'), show: (relay) => <Badge tone={process_tone(relay)}>{t(`health.${relay.state}`)}</Badge> },
    { label: t('edges.calls'), kind: 'figure', show: ({ calls }) => (calls === null ? '–' : number(calls, locale())) },
    { label: t('health.answer'), kind: 'figure', show: ({ answer_ms }) => (answer_ms === null ? '–' : span(answer_ms, locale())) },
    { label: t('details'), show: ({ detail }) => detail || <span class="quiet dash">–</span> },
  ];
  return (
    <section aria-labelledby="relays">
      <h2 id="relays">{t('relays.title')}</h2>
      <ProblemBox problem={problem} />
      {data && <Table caption={t('relays.title')} columns={columns} rows={data.items.filter(({ relay }) => relay)} id={({ name }) => name} empty={t('relays.none')} />}
    </section>
  );
}

/** What differed at the last two looks, by edge. */
function useDrift(edges: Edge[] | undefined): ReadonlyMap<string, Drift[]> {
  const before = useRef(new Map<string, Edge>());
  const [drift, set] = useState<ReadonlyMap<string, Drift[]>>(new Map());
  useEffect(() => {
    if (!edges) return;
    set(new Map(edges.map((edge) => [edge.id, lasting(before.current.get(edge.id), edge)])));
    before.current = new Map(edges.map((edge) => [edge.id, edge]));
  }, [edges]);
  return drift;
}
