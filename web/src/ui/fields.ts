// A form's fields, and what was written into them. Pure.
export interface Field {
  name: string;
  label: string;
  kind?: 'text' | 'number' | 'choice' | 'yes' | 'list' | 'password' | 'date';
  /** A new line's worth of help. */
  hint?: string;
  required?: boolean;
  choices?: [value: string, label: string][];
  min?: number;
  max?: number;
  max_length?: number;
  pattern?: string;
  value?: string | number | boolean | string[] | null;
  autocomplete?: string;
}

export type Values = Record<string, string | number | boolean | string[] | null>;

/** Pure: what the form's texts stand for. An empty number or choice is left out; a list is split at spaces, commas and lines. */
export function read_fields(fields: Pick<Field, 'name' | 'kind'>[], text_of: (name: string) => string | boolean): Values {
  const values: Values = {};
  for (const { name, kind = 'text' } of fields) {
    const raw = text_of(name);
    if (kind === 'yes') values[name] = raw === true;
    else if (kind === 'list') values[name] = String(raw).split(/[\s,;]+/).filter(Boolean);
    else if (kind === 'number' || kind === 'choice' || kind === 'date') {
      if (raw !== '') values[name] = kind === 'number' ? Number(raw) : kind === 'date' ? new Date(String(raw)).toISOString() : String(raw);
    } else values[name] = String(raw).trim();
  }
  return values;
}
