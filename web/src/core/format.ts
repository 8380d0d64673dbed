// Figures and times for people. Pure.

/** 3:07, 1:02:03 */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** 85 ms, 1.2 s, 3:07 */
export function span(ms: number, lang: string): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${number(ms / 1000, lang, 1)} s`;
  return clock(ms);
}

export const number = (value: number, lang: string, digits = 0): string =>
  value.toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Today only the time; else the date too. */
export function moment(iso: string, lang: string, now = Date.now()): string {
  const at = new Date(iso);
  const today = new Date(now).toDateString() === at.toDateString();
  return at.toLocaleString(lang, today ? { timeStyle: 'medium' } : { dateStyle: 'short', timeStyle: 'short' });
}

export const moment_full = (iso: string, lang: string): string => new Date(iso).toLocaleString(lang, { dateStyle: 'full', timeStyle: 'long' });

/** in 3 hours, 5 minutes ago */
export function relative(iso: string, lang: string, now = Date.now()): string {
  const s = (Date.parse(iso) - now) / 1000;
  const words = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3600], ['minute', 60]];
  const [unit, size] = steps.find(([, each]) => Math.abs(s) >= each) ?? ['second', 1];
  return words.format(Math.round(s / size), unit);
}
