// Finished calls, with search.
import { useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { useConsole, useTenant } from '../core/context';
import { number, span } from '../core/format';
import { useList } from '../core/hooks';
import { BASE } from '../core/router';
import { locale, t, t_or } from '../i18n';
import { type Cdr, mos_tone, result_tone } from '../calls/call';
import { Badge, Button, Heading, Time } from '../ui/bits';
import { type Column, ListTable } from '../ui/table';
import { type Search, search_query } from './search';

export function CdrsPage() {
  const { api } = useConsole();
  const tenant = useTenant();
  const [search, set_search] = useState<Search>({ number: '', from: '', to: '' });
  const list = useList<Cdr>(api, api_path`/v1/tenants/${tenant.id}/cdrs` + search_query(search));
  const columns: Column<Cdr>[] = [
    { label: t('call.started'), kind: 'name', show: (cdr) => <a href={`${BASE}/t/${tenant.slug}/cdrs/${cdr.id}`}><Time at={cdr.started_at} /></a> },
    { label: t('call.caller'), show: ({ caller }) => caller },
    { label: t('call.callee'), show: ({ callee, answered_by }) => <>{callee}{answered_by && answered_by !== callee && <span class="quiet"> → {answered_by}</span>}</> },
    { label: t('call.result'), show: ({ result, code }) => <Badge tone={result_tone(result)}>{t_or(`result.${result}`, result)}{result !== 'answered' && code ? ` ${code}` : ''}</Badge> },
    { label: t('call.rang'), kind: 'figure', show: ({ ring_ms }) => span(ring_ms, locale()) },
    { label: t('call.talked'), kind: 'figure', show: ({ talk_ms, result }) => (result === 'answered' ? span(talk_ms, locale()) : '–') },
    { label: 'MOS', kind: 'figure', show: ({ media }) => <Mos media={media} /> },
  ];
  return (
    <>
      <Heading title={t('cdrs.title')} />
      <form class="search" role="search" aria-label={t('cdrs.search')} onSubmit={(event) => {
        event.preventDefault();
        const of = (name: string) => (event.currentTarget.elements.namedItem(name) as HTMLInputElement).value;
        set_search({ number: of('number'), from: of('from'), to: of('to') });
      }}>
        <label><span>{t('number')}</span><input name="number" type="search" maxLength={32} pattern="[0-9A-Za-z+][0-9A-Za-z._+\-]*" /></label>
        <label><span>{t('from')}</span><input name="from" type="date" /></label>
        <label><span>{t('to')}</span><input name="to" type="date" /></label>
        <Button kind="main" type="submit">{t('search')}</Button>
        <Button onClick={list.reload}>{t('reload')}</Button>
      </form>
      <ListTable caption={t('cdrs.title')} list={list} columns={columns} id={({ id }) => id} empty={t('cdrs.none')} />
    </>
  );
}

function Mos({ media }: { media: Cdr['media'] }) {
  const known = media.map(({ mos }) => mos).filter((mos) => mos !== null);
  if (known.length === 0) return <span class="quiet dash">–</span>;
  const worst = Math.min(...known);
  return <Badge tone={mos_tone(worst)}>{number(worst, locale(), 1)}</Badge>;
}
