// Live calls: they move by themselves.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { clock, number } from '../core/format';
import { useNow } from '../core/hooks';
import { BASE } from '../core/router';
import { locale, t, t_or } from '../i18n';
import { Badge, Button, Heading, type Tone } from '../ui/bits';
import { Confirm, Dialog } from '../ui/dialog';
import { Form } from '../ui/form';
import { Spark } from '../ui/spark';
import { type Column, Table } from '../ui/table';
import { mos_tone, result_tone } from './call';
import { type LiveCall, in_order, running } from './live';
import { type Moving, useLiveCalls } from './live_calls';
import { type Quality, curve } from './quality';

const STATE_TONES: Record<LiveCall['state'], Tone> = { planning: 'quiet', ringing: 'busy', answered: 'good', ended: 'quiet' };

type Asked = { what: 'end' | 'transfer'; call: LiveCall } | { what: 'dial' } | null;

export function CallsPage() {
  const { may_write, api, note } = useConsole();
  const tenant = useTenant();
  const { live, state, quality } = useLiveCalls();
  const now = useNow();
  const [asked, ask] = useState<Asked>(null);
  const calls = in_order(live);
  const base = api_path`/v1/tenants/${tenant.id}/calls`;
  const columns: Column<LiveCall>[] = [
    { label: t('call.caller'), kind: 'name', show: (call) => <a href={`${BASE}/t/${tenant.slug}/calls/${call.id}`}>{call.caller || '?'}</a> },
    { label: t('call.callee'), show: (call) => <span class="party">{call.callee}{call.number && call.number !== call.callee && <span class="quiet"> → {call.number}</span>}</span> },
    { label: t('call.state'), show: (call) => <StateBadge call={call} /> },
    { label: t('call.time'), kind: 'figure', show: (call) => <span class="clock">{clock(duration_ms(call, now))}</span> },
    { label: t('call.quality'), show: (call) => <QualityCell quality={quality.get(call.id)} /> },
  ];
  if (may_write) {
    columns.push({
      label: t('actions'), kind: 'actions', show: (call) => call.state === 'ended' ? null : (
        <>
          {call.state === 'answered' && <Button kind="plain" icon="transfer" onClick={() => ask({ what: 'transfer', call })} aria-label={t('call.transfer_of', parties(call))}>{t('call.transfer')}</Button>}
          <Button kind="plain" icon="hangup" onClick={() => ask({ what: 'end', call })} aria-label={t('call.end_of', parties(call))}>{t('call.end')}</Button>
        </>
      ),
    });
  }
  return (
    <>
      <Heading title={t('calls.title')} lead={<><Moves state={state} /> <span class="count">{t('calls.running', { n: running(live) })}</span></>}>
        {may_write && <Button icon="plus" onClick={() => ask({ what: 'dial' })}>{t('calls.dial')}</Button>}
      </Heading>
      <Announce calls={calls} />
      <Table caption={t('calls.title')} columns={columns} rows={calls} id={({ id }) => id} empty={t('calls.none')} row_class={({ state }) => `call ${state}`} />
      {asked?.what === 'end' && (
        <Confirm title={t('call.end_title')} yes={t('call.end')} close={() => ask(null)} act={() => api.delete(`${base}/${asked.call.id}`)}>
          {t('call.end_sure', parties(asked.call))}
        </Confirm>
      )}
      {asked?.what === 'transfer' && (
        <Dialog title={t('call.transfer')} close={() => ask(null)}>
          <Form submit={t('call.transfer')} cancel={() => ask(null)} act={async (values) => {
            await api.post(`${base}/${asked.call.id}/transfer`, values);
            note(t('call.transfer_asked'));
            ask(null);
          }} fields={[
            { name: 'party', label: t('call.transfer_party'), kind: 'choice', choices: [['caller', `${t('call.caller')} (${asked.call.caller})`], ['callee', `${t('call.callee')} (${asked.call.number ?? asked.call.callee})`]] },
            { name: 'to', label: t('call.transfer_to'), required: true, max_length: 32 },
          ]} />
        </Dialog>
      )}
      {asked?.what === 'dial' && (
        <Dialog title={t('calls.dial')} close={() => ask(null)}>
          <p class="hint">{t('calls.dial_hint')}</p>
          <Form submit={t('calls.dial')} cancel={() => ask(null)} act={async (values) => {
            await api.post(base, values);
            note(t('calls.dialled', { number: String(values['from']) }));
            ask(null);
          }} fields={[
            { name: 'from', label: t('calls.dial_from'), required: true, max_length: 32 },
            { name: 'to', label: t('calls.dial_to'), required: true, max_length: 32 },
          ]} />
        </Dialog>
      )}
    </>
  );
}

const parties = (call: LiveCall) => ({ caller: call.caller, callee: call.number ?? call.callee });

const duration_ms = (call: LiveCall, now: number) =>
  (call.ended_at ? Date.parse(call.ended_at) : now) - Date.parse(call.answered_at ?? call.started_at);

function StateBadge({ call }: { call: LiveCall }) {
  if (call.state === 'ended' && call.result) return <Badge tone={result_tone(call.result)}>{t('state.ended')} · {t_or(`result.${call.result}`, call.result)}</Badge>;
  return <Badge tone={STATE_TONES[call.state]}>{t(`state.${call.state}`)}</Badge>;
}

export function Moves({ state }: { state: Moving }) {
  const tone: Tone = state === 'live' ? 'good' : state === 'polling' ? 'busy' : 'warn';
  return <span class={`moves ${tone}`} data-moves={state}><span class="dot" aria-hidden="true" />{t(`moves.${state}`)}</span>;
}

function QualityCell({ quality }: { quality: Quality | undefined }) {
  if (!quality || curve(quality).values.length === 0) return <span class="quiet dash">–</span>;
  const { kind, values, min, max, last } = curve(quality);
  const { loss_percent, jitter_ms } = quality.samples.at(-1)!;
  const figure = last === null ? '–' : kind === 'mos' ? `MOS ${number(last, locale(), 1)}` : t('quality.rate', { n: Math.round(last) });
  const more = [loss_percent !== null && t('quality.loss', { n: number(loss_percent, locale(), 1) }), jitter_ms !== null && t('quality.jitter', { n: number(jitter_ms, locale(), 1) })].filter(Boolean).join(' · ');
  return (
    <span class="quality" title={more || undefined}>
      <Spark values={values} min={min} max={max} tone={kind === 'mos' ? mos_tone(last) : last ? 'good' : 'warn'} label={t('quality.curve', { figure })} />
      <span class="figure">{figure}</span>
    </span>
  );
}

/** Screen readers hear of calls that begin and end, a few at a time. */
function Announce({ calls }: { calls: LiveCall[] }) {
  const [said, say] = useState('');
  const before = useRef(new Map<string, LiveCall['state']>());
  useEffect(() => {
    const news = calls.filter(({ id, state }) => before.current.get(id) !== state && (state === 'answered' || state === 'ended' || !before.current.has(id))).slice(0, 3);
    before.current = new Map(calls.map(({ id, state }) => [id, state]));
    if (news.length) say(news.map((call) => `${call.caller} ${t('call.to')} ${call.number ?? call.callee}: ${t(`state.${call.state}`)}`).join('. '));
  }, [calls.map(({ id, state }) => id + state).join()]);
  return <p class="sr-only" role="status">{said}</p>;
}
