// What webhooks were told, with every attempt; and telling them again.
import { useState } from 'preact/hooks';
import { api_path, query } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { span } from '../core/format';
import { useGet, useList } from '../core/hooks';
import { BASE } from '../core/router';
import { locale, t } from '../i18n';
import { Badge, Button, Facts, Heading, ProblemBox, Time, type Tone } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { type Column, ListTable, Table } from '../ui/table';

type State = 'pending' | 'delivered' | 'dead' | 'dropped';

interface Delivery {
  id: string;
  webhook: string;
  event: string;
  type: string;
  call_id: string | null;
  state: State;
  attempts: number;
  code: number | null;
  error: string | null;
  created_at: string;
  next_attempt_at: string | null;
  done_at: string | null;
  replay_of: string | null;
}

interface Attempt {
  number: number;
  at: string;
  code: number | null;
  error: string | null;
  latency_ms: number;
  answer: string;
}

const STATES: State[] = ['pending', 'delivered', 'dead', 'dropped'];
const TONES: Record<State, Tone> = { pending: 'busy', delivered: 'good', dead: 'bad', dropped: 'quiet' };

export function DeliveriesPage() {
  const { api, may_write, note } = useConsole();
  const tenant = useTenant();
  const base = api_path`/v1/tenants/${tenant.id}/deliveries`;
  const [state, set_state] = useState('');
  const list = useList<Delivery>(api, base + query({ state }));
  const [shown, show] = useState<string | null>(null);
  const replay = (id: string) => void api.post(`${base}/${id}/replay`).then(() => {
    note(t('deliveries.replayed'));
    list.reload();
  }, (error: Error) => note(error.message));
  const columns: Column<Delivery>[] = [
    { label: t('deliveries.event'), kind: 'name', show: ({ type }) => <code>{type}</code> },
    { label: t('status'), show: ({ state }) => <Badge tone={TONES[state]}>{t(`delivery.${state}`)}</Badge> },
    { label: t('deliveries.answer'), show: ({ code, error, attempts }) => (attempts === 0 ? <span class="quiet dash">–</span> : <span class="clip" title={error ?? undefined}>{code ?? error ?? '–'}</span>) },
    { label: t('deliveries.attempts'), kind: 'figure', show: ({ attempts }) => attempts },
    { label: t('created'), show: ({ created_at }) => <Time at={created_at} /> },
    {
      label: t('actions'), kind: 'actions', show: (delivery) => (
        <>
          <Button kind="plain" onClick={() => show(delivery.id)} aria-label={`${t('details')}: ${delivery.type}`}>{t('details')}</Button>
          {may_write && <Button kind="plain" onClick={() => replay(delivery.id)} aria-label={`${t('deliveries.replay')}: ${delivery.type}`}>{t('deliveries.replay')}</Button>}
        </>
      ),
    },
  ];
  return (
    <>
      <Heading title={t('deliveries.title')}>
        <label class="filter"><span>{t('status')}</span>
          <select value={state} onChange={(event) => set_state(event.currentTarget.value)}>
            <option value="">{t('all')}</option>
            {STATES.map((each) => <option key={each} value={each}>{t(`delivery.${each}`)}</option>)}
          </select>
        </label>
        <Button onClick={list.reload}>{t('reload')}</Button>
      </Heading>
      <ListTable caption={t('deliveries.title')} list={list} columns={columns} id={({ id }) => id} empty={t('deliveries.none')} />
      {shown && <Details id={shown} base={base} close={() => show(null)} replay={may_write ? () => replay(shown) : null} />}
    </>
  );
}

function Details({ id, base, close, replay }: { id: string; base: string; close: () => void; replay: (() => void) | null }) {
  const { api } = useConsole();
  const tenant = useTenant();
  const { data, problem } = useGet<Delivery & { log: Attempt[] }>(api, `${base}/${id}`);
  const columns: Column<Attempt>[] = [
    { label: '#', kind: 'name', show: ({ number }) => number },
    { label: t('time'), show: ({ at }) => <Time at={at} /> },
    { label: t('deliveries.answer'), show: ({ code, error }) => code ?? error ?? '–' },
    { label: t('deliveries.latency'), kind: 'figure', show: ({ latency_ms }) => span(latency_ms, locale()) },
    { label: t('deliveries.body'), show: ({ answer }) => (answer ? <code class="clip" title={answer}>{answer}</code> : <span class="quiet dash">–</span>) },
  ];
  return (
    <Dialog title={data?.type ?? t('details')} close={close} wide>
      <ProblemBox problem={problem} />
      {data && (
        <>
          <Facts items={[
            [t('status'), <Badge tone={TONES[data.state]}>{t(`delivery.${data.state}`)}</Badge>],
            [t('deliveries.event'), <code>{data.event}</code>],
            [t('call.one'), data.call_id ? <a href={`${BASE}/t/${tenant.slug}/calls/${data.call_id}`}>{t('call.show')}</a> : '–'],
            [t('deliveries.next'), data.next_attempt_at ? <Time at={data.next_attempt_at} ago /> : '–'],
          ]} />
          <Table caption={t('deliveries.attempts')} columns={columns} rows={data.log} id={({ number }) => String(number)} empty={t('deliveries.no_attempt')} />
          {replay && <div class="dialog-actions"><Button kind="main" onClick={() => { replay(); close(); }}>{t('deliveries.replay')}</Button></div>}
        </>
      )}
    </Dialog>
  );
}
