// What else can be done with a row: a button that opens a list of actions. Escape, a click elsewhere and a choice close it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from './icon';

/** `of` says to screen readers what the actions are about. */
export function More({ of, children }: { of: string; children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [open, set] = useState(false);
  useEffect(() => {
    if (!open) return;
    place.current?.querySelector<HTMLButtonElement>('.more-list button')?.focus();
    const elsewhere = (event: Event) => place.current?.contains(event.target as Node) || set(false);
    document.addEventListener('pointerdown', elsewhere);
    document.addEventListener('focusin', elsewhere);
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      document.removeEventListener('focusin', elsewhere);
    };
  }, [open]);
  const shut = () => {
    set(false);
    place.current?.querySelector('button')?.focus();
  };
  return (
    <div class="more-actions" ref={place} onKeyDown={(event) => { if (open && event.key === 'Escape') { event.stopPropagation(); shut(); } }}>
      <button type="button" class="icon-button" aria-label={`${t('more')}: ${of}`} title={t('more')} aria-expanded={open} onClick={() => (open ? shut() : set(true))}><Icon name="more" /></button>
      {open && <div class="more-list" onClick={shut}>{children}</div>}
    </div>
  );
}
