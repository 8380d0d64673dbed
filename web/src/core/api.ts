// REST: requests with the session's key, and problems (RFC 9457) as errors that a page can show.
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What went wrong, in words for people. `status` 0: the gateway could not be reached. `field`: of the body, when one is wrong. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly field: string | null = null,
    readonly request_id: string | null = null,
    readonly retry_s = 0,
  ) {
    super(detail);
  }
}

const DEADLINE_MS = 15_000;

export class Api {
  /** `unauthenticated` is told when the key is not good any more. */
  constructor(private readonly key: string | null, private readonly unauthenticated: () => void = () => {}) {}

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.send('GET', path, undefined, signal);
  }

  /** Each POST has an Idempotency-Key of its own: what the browser or a proxy sends twice is done once. A login is good once anyway. */
  post<T>(path: string, body?: object): Promise<T> {
    return this.send('POST', path, body);
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.send('PATCH', path, body);
  }

  delete(path: string): Promise<void> {
    return this.send('DELETE', path);
  }

  private async send<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = {};
    if (this.key) headers['Authorization'] = `Bearer ${this.key}`;
    if (body) headers['Content-Type'] = 'application/json';
    if (method === 'POST' && path !== '/v1/session') headers['Idempotency-Key'] = crypto.randomUUID();
    let answer: Response;
    try {
      answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: deadline(signal), cache: 'no-store', credentials: 'omit', redirect: 'error' });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem(0, 'unreachable');
    }
    if (!answer.ok) throw await problem(answer, () => this.key && this.unauthenticated());
    return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
  }
}

function deadline(signal?: AbortSignal): AbortSignal {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), DEADLINE_MS);
  signal?.addEventListener('abort', () => {
    clearTimeout(timer);
    late.abort();
  });
  return late.signal;
}

async function problem(answer: Response, unauthenticated: () => void): Promise<Problem> {
  if (answer.status === 401) unauthenticated();
  const said = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string; field?: string; request_id?: string };
  return new Problem(answer.status, said.detail ?? said.title ?? `HTTP ${answer.status}`, said.field ?? null, said.request_id ?? null, Number(answer.headers.get('Retry-After')) || 0);
}

/** A path from parts that may hold anything: api_path`/v1/tenants/${slug}/calls`. */
export function api_path(texts: TemplateStringsArray, ...values: (string | number)[]): string {
  return texts.reduce((path, text, i) => path + encodeURIComponent(String(values[i - 1])) + text);
}

/** ?limit=50&number=100, without those that are empty. */
export function query(fields: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return given.length ? `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}` : '';
}
