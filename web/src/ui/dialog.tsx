// Dialogs: the browser's own <dialog>, which keeps the focus inside and closes on Escape; the focus goes back to where it was.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Problem } from '../core/api';
import { t } from '../i18n';
import { Button, IconButton, ProblemBox } from './bits';

export function Dialog({ title, close, children, wide = false }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = place.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus(); // the dialog is out of the page by now, and would give it back to nobody
    };
  }, []);
  return (
    <dialog ref={place} aria-labelledby={id} class={wide ? 'wide' : ''} onCancel={(event) => { event.preventDefault(); close(); }}>
      <header><h2 id={id}>{title}</h2><IconButton icon="close" label={t('close')} onClick={close} /></header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** A question before what cannot be taken back. */
export function Confirm({ title, children, yes, act, close }: { title: string; children: ComponentChildren; yes: string; act: () => Promise<void>; close: () => void }) {
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<Problem | null>(null);
  const go = async () => {
    set_busy(true);
    try {
      await act();
      close();
    } catch (error) {
      set_problem(error instanceof Problem ? error : new Problem(0, String(error)));
      set_busy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <p>{children}</p>
      <ProblemBox problem={problem} />
      <div class="dialog-actions">
        <Button onClick={close}>{t('cancel')}</Button>
        <Button kind="danger" onClick={() => void go()} disabled={busy}>{yes}</Button>
      </div>
    </Dialog>
  );
}
