// What past calls are searched by. Pure.
import { query } from '../core/api';

export interface Search {
  number: string;
  from: string;
  to: string;
}

/** Pure: what the service is asked for; a day that is typed is a day here, and `to` is the end of its day. */
export function search_query({ number, from, to }: Search): string {
  const at = (day: string, plus: number) => {
    const time = new Date(`${day}T00:00:00`);
    if (Number.isNaN(time.getTime())) return '';
    time.setDate(time.getDate() + plus);
    return time.toISOString();
  };
  return query({ number: number.trim(), from: from && at(from, 0), to: to && at(to, 1) });
}
