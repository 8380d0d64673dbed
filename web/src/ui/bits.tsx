// The small parts of every page.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../core/api';
import { moment, moment_full, relative } from '../core/format';
import { locale, t } from '../i18n';
import { Icon, type IconName } from './icon';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

/** A word with a colour; the colour alone never says anything. */
export const Badge = ({ tone, children }: { tone: Tone; children: ComponentChildren }) => <span class={`badge ${tone}`}>{children}</span>;

export const Time = ({ at, ago = false }: { at: string | null; ago?: boolean }) =>
  at ? <time dateTime={at} title={moment_full(at, locale())}>{ago ? relative(at, locale()) : moment(at, locale())}</time> : <span class="quiet">{t('never')}</span>;

export function Button({ icon, kind = '', children, ...rest }: { icon?: IconName; kind?: '' | 'main' | 'danger' | 'plain'; children: ComponentChildren; onClick?: () => void; disabled?: boolean; type?: 'button' | 'submit'; [aria: `aria-${string}`]: string | boolean | undefined }) {
  return <button type="button" class={`button ${kind}`} {...rest}>{icon && <Icon name={icon} />}<span>{children}</span></button>;
}

/** A button that is only a picture: `label` is its name. */
export function IconButton({ icon, label, class: cls = '', ...rest }: { icon: IconName; label: string; class?: string; onClick: () => void; disabled?: boolean; 'aria-pressed'?: boolean; 'aria-expanded'?: boolean; 'aria-controls'?: string }) {
  return <button type="button" class={`icon-button ${cls}`} aria-label={label} title={label} {...rest}><Icon name={icon} /></button>;
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const [done, set] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => set(false), 2000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => set(true), () => {});
  return <Button icon="copy" kind="plain" onClick={copy} aria-label={done ? t('copied') : label ?? t('copy')}>{done ? t('copied') : t('copy')}</Button>;
}

/** A secret that is shown this once. */
export function Secret({ label, value, hint }: { label: string; value: string; hint?: string }) {
  return (
    <div class="secret">
      <div class="secret-label">{label}</div>
      <code data-secret>{value}</code>
      <Copy text={value} label={t('copy_of', { what: label })} />
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

export function ProblemBox({ problem, retry }: { problem: Problem | null; retry?: (() => void) | undefined }) {
  if (!problem) return null;
  return (
    <div class="problem" role="alert">
      <p>{problem.status === 0 ? t('unreachable') : problem.message}</p>
      {problem.request_id && <p class="hint">{t('request_id')} <code>{problem.request_id}</code></p>}
      {retry && <Button onClick={retry}>{t('again')}</Button>}
    </div>
  );
}

/** A page's heading and what can be done on it. It takes the focus when the page is new, so that screen readers say where one is. */
export function Heading({ title, children, lead }: { title: string; children?: ComponentChildren; lead?: ComponentChildren }) {
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => place.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    document.title = `${title} · Belfry`;
  }, [title]);
  return (
    <header class="heading">
      <div>
        <h1 tabIndex={-1} ref={place}>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      <div class="actions">{children}</div>
    </header>
  );
}

export function Facts({ items }: { items: [string, ComponentChildren][] }) {
  return <dl class="facts">{items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}
