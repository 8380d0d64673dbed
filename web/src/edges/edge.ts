// Edges, and whether what they have agrees with what is kept of them. Pure.
export interface Edge {
  id: string;
  alive: boolean;
  seen_at: string | null;
  age_ms: number;
  internal: string;
  bus: string;
  bindings: number;
  indexed_bindings: number;
  calls: number;
  indexed_calls: number;
  table_seq: number | null;
  registry_seq: number | null;
}

export interface Drift {
  what: 'bindings' | 'calls' | 'table';
  edge: number | null;
  index: number | null;
}

/** What differs now. A figure may differ for a moment while it changes: only what `lasts` over two looks is drift. */
export function differences(edge: Edge): Drift[] {
  const all: Drift[] = [
    { what: 'bindings', edge: edge.bindings, index: edge.indexed_bindings },
    { what: 'calls', edge: edge.calls, index: edge.indexed_calls },
    { what: 'table', edge: edge.table_seq, index: edge.registry_seq },
  ];
  return all.filter(({ edge, index }) => edge !== index);
}

/** What differed at both looks. */
export const lasting = (before: Edge | undefined, now: Edge): Drift[] =>
  before ? differences(now).filter(({ what }) => differences(before).some((each) => each.what === what)) : [];
