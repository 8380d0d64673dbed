// Lists: a table on wide screens, cards on narrow ones. What a column shows stands in one table of columns.
import type { ComponentChildren } from 'preact';
import type { List } from '../core/hooks';
import { t } from '../i18n';
import { Button, ProblemBox } from './bits';

export interface Column<T> {
  label: string;
  show: (row: T) => ComponentChildren;
  /** Figures stand right; the row's name is its header for screen readers. */
  kind?: 'figure' | 'name' | 'actions';
}

export interface TableProps<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  empty?: ComponentChildren;
  row_class?: (row: T) => string;
  /** On narrow screens a row stays a line instead of becoming a card. */
  dense?: boolean;
}

export function Table<T>({ caption, columns, rows, id, empty, row_class, dense }: TableProps<T>) {
  if (rows.length === 0) return <p class="empty">{empty ?? t('list.empty')}</p>;
  return (
    <table class={dense ? 'list dense' : 'list'}>
      <caption class="sr-only">{caption}</caption>
      <thead>
        <tr>{columns.map(({ label, kind }) => <th scope="col" key={label} class={kind}>{kind === 'actions' ? <span class="sr-only">{label}</span> : label}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)} data-id={id(row)} class={row_class?.(row)}>
            {columns.map(({ label, show, kind }) => kind === 'name'
              ? <th scope="row" key={label} class="name">{show(row)}</th>
              : <td key={label} class={kind} data-label={label}><span class="cell">{show(row)}</span></td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A list that is read page by page. */
export function ListTable<T>({ list, ...table }: Omit<TableProps<T>, 'rows'> & { list: List<T> }) {
  if (list.problem && list.items.length === 0) return <ProblemBox problem={list.problem} retry={list.reload} />;
  if (list.loading && list.items.length === 0) return <p class="loading" role="status">{t('loading')}</p>;
  return (
    <>
      <ProblemBox problem={list.problem} retry={list.reload} />
      <Table {...table} rows={list.items} />
      {list.more && <div class="more"><Button onClick={list.more} disabled={list.loading}>{t('list.more')}</Button></div>}
    </>
  );
}
