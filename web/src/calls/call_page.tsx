// One call, running or over: what it is, its media, and why it rang or did not.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Page, Problem, api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { number, span } from '../core/format';
import { useGet, useNow } from '../core/hooks';
import { BASE } from '../core/router';
import { locale, t, t_or } from '../i18n';
import { Badge, Button, Facts, Heading, ProblemBox, Time } from '../ui/bits';
import { type Column, Table } from '../ui/table';
import { type Call, type Cdr, type Leg, mos_tone, result_tone } from './call';
import { type Line, picture } from './timeline';
import { TimelinePicture } from './timeline_picture';

const AGAIN_MS = 2000;

type Found = { live: Call & { media: Leg[] | null } } | { cdr: Cdr };

export function CallPage({ params }: { params: Record<string, string> }) {
  const { api } = useConsole();
  const tenant = useTenant();
  const id = params['id']!;
  const base = api_path`/v1/tenants/${tenant.id}`;
  const { found, problem } = useCall(`${base}/calls/${encodeURIComponent(id)}`, `${base}/cdrs/${encodeURIComponent(id)}`);
  const over = found !== null && 'cdr' in found;
  const timeline = useGet<Page<Line>>(api, `${base}/calls/${encodeURIComponent(id)}/timeline?limit=200`, over ? 0 : AGAIN_MS);
  useEffect(timeline.reload, [over]);
  const call = found && ('cdr' in found ? found.cdr : found.live);
  const media = found && ('cdr' in found ? found.cdr.media : found.live.media);
  return (
    <>
      <Heading title={call ? `${call.caller} → ${call.callee}` : t('call.one')} lead={<a href={`${BASE}/t/${tenant.slug}/${over ? 'cdrs' : 'calls'}`}>{over ? t('cdrs.title') : t('calls.title')}</a>}>
        {found && <StateOf found={found} />}
      </Heading>
      {!found && <ProblemBox problem={problem} />}
      {found && <Summary found={found} />}
      <section aria-labelledby="why">
        <h2 id="why">{t('timeline.title')}</h2>
        <ProblemBox problem={timeline.problem} retry={timeline.reload} />
        {timeline.data && <Story lines={timeline.data.items} caller={call?.caller ?? ''} over={over} />}
      </section>
      {media && media.length > 0 && <section aria-labelledby="media"><h2 id="media">{t('media.title')}</h2><Media legs={media} /></section>}
    </>
  );
}

/** The call while it runs, its CDR afterwards; in between it may be neither for a moment. */
function useCall(live: string, cdr: string): { found: Found | null; problem: Problem | null } {
  const { api } = useConsole();
  const [state, set] = useState<{ found: Found | null; problem: Problem | null }>({ found: null, problem: null });
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const look = async () => {
      let again = true;
      try {
        const found = await api.get<Call & { media: Leg[] | null }>(live).then((call): Found => ({ live: call }))
          .catch(async (error) => {
            if (!(error instanceof Problem) || error.status !== 404) throw error;
            return { cdr: await api.get<Cdr>(cdr) } as Found;
          });
        again = 'live' in found;
        if (!gone) set({ found, problem: null });
      } catch (error) {
        if (!gone) set((before) => ({ found: before.found, problem: error instanceof Problem ? error : new Problem(0, String(error)) }));
      }
      if (again && !gone) timer = window.setTimeout(look, AGAIN_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [api, live, cdr]);
  return state;
}

function StateOf({ found }: { found: Found }) {
  if ('live' in found) return <Badge tone={found.live.state === 'answered' ? 'good' : 'busy'}>{t(`state.${found.live.state}`)}</Badge>;
  const { result, code } = found.cdr;
  return <Badge tone={result_tone(result)}>{t_or(`result.${result}`, result)}{result !== 'answered' && code ? ` ${code}` : ''}</Badge>;
}

function Summary({ found }: { found: Found }) {
  const call = 'live' in found ? found.live : found.cdr;
  const answered_by = 'cdr' in found ? found.cdr.answered_by : found.live.answered_at && found.live.number;
  const given = (label: string, value: string | null) => (value ? [[label, value] as [string, string]] : []);
  const common: [string, ComponentChildren][] = [[t('call.started'), <Time at={call.started_at} />], ...given(t('call.answered_by'), answered_by)];
  const own: [string, ComponentChildren][] = 'live' in found ? [] : [
    [t('call.setup'), span(found.cdr.setup_ms, locale())],
    [t('call.rang'), span(found.cdr.ring_ms, locale())],
    [t('call.talked'), span(found.cdr.talk_ms, locale())],
    ...given(t('call.hung_up_by'), found.cdr.hung_up_by && t_or(`by.${found.cdr.hung_up_by}`, found.cdr.hung_up_by)),
    ...given(t('call.reason'), found.cdr.reason === found.cdr.hung_up_by ? null : found.cdr.reason),
    ...(found.cdr.transfers.length ? [[t('call.transfers'), found.cdr.transfers.map(({ to, how }) => `${to ?? '?'} (${how ?? ''})`).join(', ')] as [string, string]] : []),
  ];
  return (
    <Facts items={[...common, ...own,
      ...given(t('call.user_agent'), call.user_agent),
      [t('call.edge'), call.edge],
      ...given(t('call.relay'), call.relay && call.relay.replace(/^udp:/, '')),
      ...(call.sip_call_id ? [['Call-ID', <code>{call.sip_call_id}</code>] as [string, ComponentChildren]] : []),
      ...(call.local_plan ? [[t('call.plan'), <Badge tone="warn">{t('call.local_plan')}</Badge>] as [string, ComponentChildren]] : [])]} />
  );
}

function Story({ lines, caller, over }: { lines: Line[]; caller: string; over: boolean }) {
  const now = useNow(over ? 3_600_000 : 1000);
  const [all, set_all] = useState(false);
  const drawn = picture(lines, caller, now);
  if (!drawn) return <p class="empty">{t('timeline.none')}</p>;
  const shown = all ? lines : lines.slice(0, 40);
  const columns: Column<Line>[] = [
    { label: t('time'), kind: 'figure', show: ({ time }) => span(Date.parse(time) - drawn.start_ms, locale()) },
    { label: t('timeline.what'), kind: 'name', show: ({ kind }) => t(`line.${kind}`) },
    { label: t('number'), show: ({ number }) => number ?? <span class="quiet dash">–</span> },
    { label: t('timeline.code'), show: ({ code }) => (code === null ? <span class="quiet dash">–</span> : <Badge tone={code >= 400 ? 'bad' : code >= 200 ? 'good' : 'busy'}>{code}</Badge>) },
    { label: t('details'), show: ({ text }) => text ?? <span class="quiet dash">–</span> },
    { label: t('call.edge'), show: ({ edge }) => edge ?? <span class="quiet dash">–</span> },
  ];
  return (
    <>
      <TimelinePicture picture={drawn} label={t('timeline.label', { n: drawn.lanes.length, span: span(drawn.end_ms - drawn.start_ms, locale()) })} />
      <Table dense caption={t('timeline.title')} columns={columns} rows={shown} id={(line) => `${line.seq}/${line.time}/${line.kind}/${line.number ?? ''}`} />
      {shown.length < lines.length && <div class="more"><Button onClick={() => set_all(true)}>{t('list.more')}</Button></div>}
    </>
  );
}

function Media({ legs }: { legs: Leg[] }) {
  const figure = (value: number | null, unit: string, digits = 1) => (value === null ? <span class="quiet dash">–</span> : `${number(value, locale(), digits)}${unit}`);
  const columns: Column<Leg>[] = [
    { label: t('media.from'), kind: 'name', show: ({ party }) => (party ? t(`call.${party}`) : t('media.nobody')) },
    { label: t('media.codec'), show: ({ codec }) => codec ?? '–' },
    { label: t('media.packets'), kind: 'figure', show: ({ packets }) => number(packets, locale()) },
    { label: t('media.loss'), kind: 'figure', show: ({ loss_percent }) => figure(loss_percent, ' %') },
    { label: t('media.jitter'), kind: 'figure', show: ({ jitter_ms }) => figure(jitter_ms, ' ms') },
    { label: t('media.round_trip'), kind: 'figure', show: ({ round_trip_ms }) => figure(round_trip_ms, ' ms') },
    { label: 'MOS', kind: 'figure', show: ({ mos }) => (mos === null ? <span class="quiet dash">–</span> : <Badge tone={mos_tone(mos)}>{number(mos, locale(), 1)}</Badge>) },
  ];
  return <Table caption={t('media.title')} columns={columns} rows={legs} id={(leg) => `${leg.party}/${leg.tag}`} />;
}
