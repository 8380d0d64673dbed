// Who changed what. Pure.
export interface Audit {
  id: string;
  time: string;
  action: string;
  target: string;
  actor: { key_id: string; role: 'operator' | 'admin' | 'reader' };
  request_id: string;
  remote: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface Change {
  field: string;
  from: string | null;
  to: string | null;
}

const NOISE = new Set(['updated_at', 'created_at', 'id']);

/** The fields that differ, nested ones by their path; null: was not there. */
export function changes({ before, after }: Pick<Audit, 'before' | 'after'>): Change[] {
  const one = flat(before);
  const two = flat(after);
  return [...new Set([...one.keys(), ...two.keys()])]
    .filter((field) => !NOISE.has(field) && one.get(field) !== two.get(field))
    .map((field) => ({ field, from: one.get(field) ?? null, to: two.get(field) ?? null }));
}

function flat(value: Record<string, unknown> | null, prefix = '', into = new Map<string, string>()): Map<string, string> {
  for (const [name, each] of Object.entries(value ?? {})) {
    const path = prefix + name;
    if (each !== null && typeof each === 'object' && !Array.isArray(each)) flat(each as Record<string, unknown>, `${path}.`, into);
    else if (each !== null && each !== '') into.set(path, Array.isArray(each) ? each.join(', ') : String(each));
  }
  return into;
}
