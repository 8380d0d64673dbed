// Forms from a table of fields. What the service says about a field (`field` of its problem) stands beside that field.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Problem } from '../core/api';
import { t } from '../i18n';
import { Button, ProblemBox } from './bits';
import { type Field, type Values, read_fields } from './fields';

export type { Field, Values } from './fields';

export function Form({ fields, submit, act, cancel, children }: { fields: Field[]; submit: string; act: (values: Values) => Promise<void>; cancel?: () => void; children?: ComponentChildren }) {
  const [problem, set_problem] = useState<Problem | null>(null);
  const [busy, set_busy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    set_busy(true);
    set_problem(null);
    try {
      await act(read_fields(fields, (name) => {
        const input = form.elements.namedItem(name) as HTMLInputElement;
        return input.type === 'checkbox' ? input.checked : input.value;
      }));
    } catch (error) {
      set_problem(error instanceof Problem ? error : new Problem(0, String(error)));
    }
    set_busy(false);
  };
  const of_field = problem?.field ? fields.find(({ name }) => problem.field === name || problem.field?.startsWith(`${name}.`) || problem.field?.startsWith(`${name}[`)) : undefined;
  return (
    <form class="form" onSubmit={(event) => void send(event as unknown as SubmitEvent)}>
      {fields.map((field) => <Row key={field.name} field={field} wrong={field === of_field ? problem!.message : null} />)}
      {!of_field && <ProblemBox problem={problem} />}
      {children}
      <div class="dialog-actions">
        {cancel && <Button onClick={cancel}>{t('cancel')}</Button>}
        <Button kind="main" type="submit" disabled={busy}>{submit}</Button>
      </div>
    </form>
  );
}

function Row({ field, wrong }: { field: Field; wrong: string | null }) {
  const id = useId();
  const { label, hint, kind = 'text' } = field;
  const says = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
  return (
    <div class={`row ${kind}`}>
      <label for={id}>{label}</label>
      <Input field={field} id={id} says={says} wrong={wrong !== null} />
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {wrong && <p class="wrong" id={`${id}-wrong`} role="alert">{wrong}</p>}
    </div>
  );
}

function Input({ field, id, says, wrong }: { field: Field; id: string; says: string | undefined; wrong: boolean }) {
  const { name, kind = 'text', value, required, choices = [], min, max, max_length, pattern, autocomplete = 'off' } = field;
  const common = { id, name, required, 'aria-describedby': says, 'aria-invalid': wrong || undefined };
  if (kind === 'choice') return <select {...common} defaultValue={String(value ?? choices[0]?.[0] ?? '')}>{choices.map(([each, label]) => <option key={each} value={each} selected={each === value}>{label}</option>)}</select>;
  if (kind === 'yes') return <input type="checkbox" {...common} defaultChecked={value === true} />;
  if (kind === 'list') return <textarea {...common} rows={3} spellcheck={false} defaultValue={Array.isArray(value) ? value.join('\n') : ''} />;
  const type = ({ text: 'text', number: 'number', password: 'password', date: 'datetime-local' } as const)[kind];
  const value_text = value === null || value === undefined ? '' : String(value);
  return <input {...common} type={type as 'text'} min={min} max={max} maxLength={max_length} pattern={pattern} autocomplete={autocomplete} spellcheck={false} defaultValue={value_text} />;
}
