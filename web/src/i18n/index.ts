// Words in English and Portuguese. t('calls.none'), t('list.count', {n: 3}). English is there at once, the other is loaded when wanted.
import { en } from './en';

export type Key = keyof typeof en;
export type Lang = 'en' | 'pt';

const KEPT_AS = 'belfry.lang';
let words: Record<Key, string> = en;
let current: Lang = 'en';

export const lang = (): Lang => current;

/** What figures and times are written by: the browser's own region, when it speaks the language that is shown. */
export const locale = (): string => navigator.languages.find((each) => each.toLowerCase().startsWith(current)) ?? current;

/** What to begin with: what was chosen before, else what the browser asks for. */
export function wanted_lang(): Lang {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === 'en' || kept === 'pt') return kept;
  return navigator.language.toLowerCase().startsWith('pt') ? 'pt' : 'en';
}

export async function speak(wanted: Lang): Promise<void> {
  words = wanted === 'pt' ? (await import('./pt')).pt : en;
  current = wanted;
  document.documentElement.lang = wanted === 'pt' ? 'pt-BR' : 'en';
}

export const keep_lang = (wanted: Lang): void => localStorage.setItem(KEPT_AS, wanted);

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(words[key], values);
}

/** A word that is there only for what is known (`result.busy`); else the plain text. */
export function t_or(key: string, plain: string): string {
  return key in words ? words[key as Key] : plain;
}

/** Pure: {name} becomes its value. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
