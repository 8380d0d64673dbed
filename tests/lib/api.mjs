// The REST API for tests and the demo: a thin wrapper of fetch, and what must be true of every problem.
//
//   const api = new Api(base_url, key);
//   const {status, body, headers} = await api.get('/v1/tenants');    also post, patch, delete, and send(method, path, ...)
//   await api.ok('POST', '/v1/tenants', {...})                       the body, or an error that shows the problem
//   api.as(other_key)                                                the same server with another key; null: none
//   assertProblem(answer, {status, field})                           RFC 9457 with our type, detail and request_id
//   newTenant(operator, {slug, numbers})                             a tenant with extensions, and a client with its key
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

const DEADLINE_MS = 20_000;

export class Api {
  constructor(base, key) {
    this.base = base.replace(/\/$/, '');
    this.key = key;
  }

  as(key) {
    return new Api(this.base, key);
  }

  get(path, options) {
    return this.send('GET', path, undefined, options);
  }

  post(path, body = {}, options) {
    return this.send('POST', path, body, options);
  }

  patch(path, body, options) {
    return this.send('PATCH', path, body, options);
  }

  delete(path, options) {
    return this.send('DELETE', path, undefined, options);
  }

  /** `body`: an object becomes JSON; a string or bytes go as they are. `body` of the answer: parsed, if it is JSON. */
  async send(method, path, body, { headers = {} } = {}) {
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const answer = await fetch(this.base + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
      body: raw ? body : JSON.stringify(body),
      headers: {
        ...(this.key === null || this.key === undefined ? {} : { authorization: `Bearer ${this.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    }).catch((error) => {
      throw new Error([`${method} ${path}`, error.message, error.cause?.message].filter(Boolean).join(': '), { cause: error });
    });
    const text = await answer.text();
    const json = /\bjson\b/.test(answer.headers.get('content-type') ?? '');
    return { method, path, status: answer.status, headers: answer.headers, text, body: json ? JSON.parse(text) : undefined };
  }

  async ok(method, path, body, options) {
    const answer = await this.send(method, path, body, options);
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
    return answer.body;
  }

  /** All items of a list, page by page. */
  async list(path, { limit = 100 } = {}) {
    const items = [];
    let after = '';
    for (let pages = 0; pages < 1000; pages++) {
      const page = await this.ok('GET', `${path}?limit=${limit}${after && `&after=${encodeURIComponent(after)}`}`);
      items.push(...page.items);
      if (!page.next) return items;
      after = page.next;
    }
    throw new Error(`${path}: a list of more than 1000 pages`);
  }
}

export function assertProblem(answer, { status, field, type } = {}) {
  const what = `${answer.method} ${answer.path} -> ${answer.status} ${answer.text.slice(0, 300)}`;
  assert.equal(answer.status, status, what);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, what);
  assert.match(answer.body.type, /^urn:belfry:problem:[a-z-]+$/, what);
  assert.equal(answer.body.status, status, what);
  assert.ok(answer.body.title && answer.body.detail, what);
  assert.equal(answer.body.request_id, answer.headers.get('x-request-id'), what);
  if (field !== undefined) assert.equal(answer.body.field, field, what);
  if (type !== undefined) assert.equal(answer.body.type, `urn:belfry:problem:${type}`, what);
}

/** A name no other test has taken: a slug, and the first label of a domain. */
export const unique = (prefix) => `${prefix}-${randomBytes(4).toString('hex')}`;

export async function newTenant(operator, { slug = unique('t'), numbers = ['100', '101'], ...fields } = {}) {
  const domain = `${slug}.example`;
  const made = await operator.ok('POST', '/v1/tenants', { slug, name: `Test ${slug}`, domains: [domain], ...fields });
  const tenant = { id: made.id, slug, domain, api: operator.as(made.api_key), key: made.api_key, passwords: {} };
  for (const number of numbers) {
    const extension = await operator.ok('POST', `/v1/tenants/${made.id}/extensions`, { number, kind: 'softphone' });
    tenant.passwords[number] = extension.password;
  }
  return tenant;
}
