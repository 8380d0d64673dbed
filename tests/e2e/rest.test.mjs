// REST: what is refused and how, and that what is refused leaves nothing behind.
import assert from 'node:assert/strict';
import http from 'node:http';
import { before, describe, it } from 'node:test';
import { assertProblem, unique } from '../lib/api.mjs';
import { World } from '../lib/world.mjs';

const world = new World();
const { operator } = world;
let tenant;
let extensions;

before(async () => {
  tenant = await world.tenant({ numbers: ['100'] });
  extensions = `/v1/tenants/${tenant.id}/extensions`;
});

/** An answer without what differs from request to request. */
const faceless = ({ status, body, headers }) => ({ status, type: headers.get('content-type'), body: { ...body, request_id: null } });

describe('bodies', () => {
  for (const [what, body] of [
    ['cut off', '{"number":"200"'], ['not JSON', 'number=200'], ['two values', '{} {}'], ['a NUL', '{"number":"2\\u000000"}'],
    ['an array', '[]'], ['a string', '"x"'], ['duplicate keys', '{"number":"200","number":"201","kind":"softphone"}'], ['nested too deep', '['.repeat(5000)],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"number":"200","kind":"softphone","display_name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])],
    ['an overlong encoding', Buffer.concat([Buffer.from('{"number":"200","kind":"softphone","display_name":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ['a lone surrogate', '{"number":"200","kind":"softphone","display_name":"\\ud800"}'], ['nothing', ''],
  ]) {
    it(`${what}: 400, and nothing is written`, async () => {
      assertProblem(await operator.send('POST', extensions, body), { status: 400 });
      assert.equal((await operator.get(`${extensions}/200`)).status, 404);
    });
  }

  it('over 64 KiB: 413', async () => {
    const body = JSON.stringify({ number: '200', kind: 'softphone', display_name: 'x'.repeat(70_000) });
    assertProblem(await operator.send('POST', extensions, body), { status: 413 });
  });

  it('over 64 KiB without saying so (chunked): 413', async () => {
    const answer = await chunked(extensions, 'x'.repeat(70_000));
    assert.equal(answer.status, 413);
    assert.match(answer.type, /^application\/problem\+json/);
  });

  it('64 KiB less a bit is read (and refused for what it says)', async () => {
    const body = JSON.stringify({ number: '200', kind: 'softphone', display_name: 'x'.repeat(65_000) });
    assertProblem(await operator.send('POST', extensions, body), { status: 400, field: 'display_name' });
  });

  it('another media type: 415', async () => {
    assertProblem(await operator.post(extensions, { number: '200', kind: 'softphone' }, { headers: { 'content-type': 'text/plain' } }), { status: 415 });
  });

  for (const [field, body] of [
    ['colour', { number: '200', kind: 'softphone', colour: 'red' }], ['kind', { number: '200' }], ['number', { kind: 'softphone' }],
    ['number', { number: 200, kind: 'softphone' }], ['kind', { number: '200', kind: null }], ['kind', { number: '200', kind: 'fax' }],
    ['display_name', { number: '200', kind: 'softphone', display_name: {} }], ['display_name', { number: '200', kind: 'softphone', display_name: 'a\nb' }],
    ['display_name', { number: '200', kind: 'softphone', display_name: 'ü'.repeat(65) }],
    ['max_contacts', { number: '200', kind: 'softphone', max_contacts: '5' }], ['max_contacts', { number: '200', kind: 'softphone', max_contacts: 0 }],
    ['max_contacts', { number: '200', kind: 'softphone', max_contacts: -1 }], ['max_contacts', { number: '200', kind: 'softphone', max_contacts: 1e9 }],
    ['max_contacts', { number: '200', kind: 'softphone', max_contacts: 1.5 }], ['password', { number: '200', kind: 'softphone', password: 'short' }],
    ['password', { number: '200', kind: 'softphone', password: 'x'.repeat(1000) }],
  ]) {
    it(`names the field: ${JSON.stringify(body).slice(0, 90)}`, async () => {
      assertProblem(await operator.post(extensions, body), { status: 400, field });
      assert.equal((await operator.get(`${extensions}/200`)).status, 404);
    });
  }

  for (const number of ['', ' ', 'a b', '1;2', '100@x', '../100', '%31', "1'--", '<sip>', '١٠٠', 'x'.repeat(65), '-1', '.', '1,2', '1"']) {
    it(`a bad number: ${JSON.stringify(number).slice(0, 30)}`, async () => {
      assertProblem(await operator.post(extensions, { number, kind: 'softphone' }), { status: 400, field: 'number' });
    });
  }
});

describe('tenants', () => {
  const good = () => {
    const slug = unique('rest');
    return { slug, name: 'Rest', domains: [`${slug}.example`] };
  };

  for (const domain of ['', ' ', 'no dots', '-a.example', 'a-.example', 'a..example', '.example', 'exa_mple.example', 'http://a.example', 'a.example/',
    'a.example:5060', '192.0.2.1', '::1', '[::1]', 'é.example', 'x'.repeat(64) + '.example', Array(64).fill('abc').join('.'), 'a.example;x', '*.example', "a'.example"]) {
    it(`a bad domain: ${JSON.stringify(domain).slice(0, 40)}`, async () => {
      const body = { ...good(), domains: [domain] };
      const answer = await operator.post('/v1/tenants', body);
      assertProblem(answer, { status: 400 });
      assert.match(answer.body.field, /^domains/);
      assert.equal((await operator.get(`/v1/tenants/${body.slug}`)).status, 404);
      assertProblem(await operator.post(`/v1/tenants/${tenant.id}/domains`, { name: domain }), { status: 400, field: 'name' });
    });
  }

  for (const [field, change] of [
    ['slug', { slug: 'Upper' }], ['slug', { slug: '-x' }], ['slug', { slug: 'a.b' }], ['slug', { slug: '' }], ['slug', { slug: 5 }], ['slug', { slug: 'x'.repeat(64) }],
    ['name', { name: '' }], ['name', { name: 'x'.repeat(200) }], ['name', { name: ['x'] }], ['domains', { domains: [] }], ['domains', { domains: 'a.example' }],
    ['domains', { domains: [5] }], ['limits', { limits: [] }], ['max_calls', { limits: { max_calls: 'x' } }], ['max_calls', { limits: { max_calls: -1 } }],
    ['colour', { limits: { colour: 1 } }], ['colour', { colour: 1 }], ['status', { status: 'active' }],
  ]) {
    it(`names the field: ${JSON.stringify(change).slice(0, 60)}`, async () => {
      const answer = await operator.post('/v1/tenants', { ...good(), ...change });
      assertProblem(answer, { status: 400 });
      assert.match(answer.body.field, new RegExp(`(^|\\.)${field}\\b`));
    });
  }

  it('are found by id and by slug, in any letter case of their domains', async () => {
    const slug = unique('rest');
    const made = await operator.ok('POST', '/v1/tenants', { slug, name: 'Ünïcode 名', domains: [`${slug.toUpperCase()}.EXAMPLE`] });
    assert.ok(made.api_key);
    const byId = await operator.ok('GET', `/v1/tenants/${made.id}`);
    assert.deepEqual(await operator.ok('GET', `/v1/tenants/${slug}`), byId);
    assert.equal(byId.name, 'Ünïcode 名');
    assert.equal(byId.api_key, undefined, 'a key is shown once');
    const names = (await operator.list(`/v1/tenants/${slug}/domains`)).map((each) => each.name);
    assert.deepEqual(names, [`${slug}.example`]);
  });

  it('a slug or domain that is taken: 409, and nothing half-written', async () => {
    assertProblem(await operator.post('/v1/tenants', { ...good(), slug: tenant.slug }), { status: 409, field: 'slug' });
    const body = good();
    body.domains.push(tenant.domain.toUpperCase());
    const answer = await operator.post('/v1/tenants', body);
    assertProblem(answer, { status: 409 });
    assert.match(answer.body.field, /^domains/);
    assert.equal((await operator.get(`/v1/tenants/${body.slug}`)).status, 404);
    const other = await operator.ok('POST', '/v1/tenants', { ...body, domains: body.domains.slice(0, 1) });
    assertProblem(await operator.post(`/v1/tenants/${other.id}/domains`, { name: tenant.domain }), { status: 409, field: 'name' });
  });

  it('of ten at once that want the same domain one gets it', async () => {
    const domain = `${unique('race')}.example`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => operator.post('/v1/tenants', { ...good(), domains: [domain] })));
    assert.deepEqual(answers.map((each) => each.status).sort(), [201, ...Array(9).fill(409)]);
  });

  it('deleted: gone with domains, extensions and keys', async () => {
    const gone = await world.tenant({ numbers: ['100'] });
    const answer = await operator.delete(`/v1/tenants/${gone.id}`);
    assert.equal(answer.status, 204);
    assert.equal((await operator.get(`/v1/tenants/${gone.id}`)).status, 404);
    assert.equal((await gone.api.get(`/v1/tenants/${gone.id}`)).status, 401);
    const again = await operator.post('/v1/tenants', { ...good(), domains: [gone.domain] });
    assert.equal(again.status, 201, 'its domain is free again');
  });

  it('name and status change by PATCH; realm and slug do not', async () => {
    const one = await world.tenant({ numbers: [] });
    const changed = await operator.ok('PATCH', `/v1/tenants/${one.id}`, { name: 'New', status: 'suspended', limits: { max_calls: 7 } });
    assert.deepEqual([changed.name, changed.status, changed.limits.max_calls], ['New', 'suspended', 7]);
    assertProblem(await operator.patch(`/v1/tenants/${one.id}`, { slug: 'other' }), { status: 400, field: 'slug' });
    assertProblem(await operator.patch(`/v1/tenants/${one.id}`, { status: 'asleep' }), { status: 400, field: 'status' });
    assertProblem(await one.api.patch(`/v1/tenants/${one.id}`, { status: 'active' }), { status: 403 });
  });
});

describe('extensions', () => {
  it('a number that is taken: 409', async () => {
    assertProblem(await operator.post(extensions, { number: '100', kind: 'browser' }), { status: 409, field: 'number' });
    assert.equal((await operator.ok('GET', `${extensions}/100`)).kind, 'softphone');
  });

  it('a password is shown once, and only if we made it', async () => {
    const made = await operator.ok('POST', extensions, { number: '300', kind: 'app' });
    assert.ok(made.password.length >= 20);
    const given = await operator.ok('POST', extensions, { number: '301', kind: 'app', password: 'given-by-the-tenant' });
    assert.equal(given.password, undefined);
    for (const number of ['300', '301']) assert.equal((await operator.ok('GET', `${extensions}/${number}`)).password, undefined);
    const reset = await operator.ok('POST', `${extensions}/300/password`, {});
    assert.ok(reset.password && reset.password !== made.password);
    assert.ok(!JSON.stringify(await operator.list(extensions)).includes(reset.password));
  });

  it('change by PATCH and go by DELETE', async () => {
    await operator.ok('POST', extensions, { number: '310', kind: 'app' });
    const changed = await operator.ok('PATCH', `${extensions}/310`, { display_name: 'Door', max_contacts: 2 });
    assert.deepEqual([changed.display_name, changed.max_contacts, changed.kind], ['Door', 2, 'app']);
    assertProblem(await operator.patch(`${extensions}/310`, { number: '311' }), { status: 400, field: 'number' });
    assert.equal((await operator.delete(`${extensions}/310`)).status, 204);
    assertProblem(await operator.delete(`${extensions}/310`), { status: 404 });
    assertProblem(await operator.patch(`${extensions}/310`, { display_name: 'x' }), { status: 404 });
    assertProblem(await operator.post(`${extensions}/310/password`, {}), { status: 404 });
  });
});

describe('keys', () => {
  it('unknown, malformed or missing: the same 401', async () => {
    const wrong = `${tenant.key.slice(0, -8)}${tenant.key.slice(-8).split('').reverse().join('')}`;
    const answers = [];
    for (const key of [null, 'x', 'bfk_', wrong, `${tenant.key}x`, 'x'.repeat(4000)]) {
      const answer = await operator.as(key).get(`/v1/tenants/${tenant.id}`);
      assertProblem(answer, { status: 401 });
      answers.push(faceless(answer));
    }
    for (const answer of answers.slice(1)) assert.deepEqual({ ...answer, body: { ...answer.body, detail: '' } }, { ...answers[0], body: { ...answers[0].body, detail: '' } });
    const basic = await operator.as(null).get('/v1/tenants', { headers: { authorization: 'Basic b3BlcmF0b3I6eA==' } });
    assertProblem(basic, { status: 401 });
    assert.match(basic.headers.get('www-authenticate') ?? '', /^Bearer/);
  });

  it('a reader reads and writes nothing', async () => {
    const keys = `/v1/tenants/${tenant.id}/keys`;
    const made = await tenant.api.ok('POST', keys, { name: 'reader', role: 'reader' });
    const reader = operator.as(made.api_key);
    assert.equal((await reader.get(extensions)).status, 200);
    assertProblem(await reader.post(extensions, { number: '400', kind: 'app' }), { status: 403 });
    assertProblem(await reader.post(keys, { name: 'mine', role: 'admin' }), { status: 403 });
    assertProblem(await tenant.api.post(keys, { name: 'up', role: 'operator' }), { status: 400, field: 'role' });
    assert.ok(!JSON.stringify(await tenant.api.list(keys)).includes(made.api_key), 'a key is shown once');
    assert.equal((await tenant.api.delete(`${keys}/${made.id}`)).status, 204);
    assertProblem(await reader.get(extensions), { status: 401 });
  });

  it('an expired key is unknown', async () => {
    const keys = `/v1/tenants/${tenant.id}/keys`;
    assertProblem(await tenant.api.post(keys, { name: 'past', role: 'reader', expires_at: '2001-01-01T00:00:00Z' }), { status: 400, field: 'expires_at' });
    assertProblem(await tenant.api.post(keys, { name: 'odd', role: 'reader', expires_at: 'tomorrow' }), { status: 400, field: 'expires_at' });
  });

  it("a tenant's key makes no tenants", async () => {
    const slug = unique('no');
    assertProblem(await tenant.api.post('/v1/tenants', { slug, name: 'x', domains: [`${slug}.example`] }), { status: 403 });
  });
});

describe('where calls go', () => {
  const number = '700';
  const none = { do_not_disturb: false, forward_always: null, forward_busy: null, forward_no_answer: null, ring_seconds: 30 };
  const shown = (extension) => Object.fromEntries(Object.keys(none).map((name) => [name, extension[name]]));

  it('nowhere else unless somebody says so', async () => {
    assert.deepEqual(shown(await operator.ok('POST', extensions, { number, kind: 'softphone' })), none);
  });

  it('is set and cleared, one by one; null and "" clear', async () => {
    const all = { do_not_disturb: true, forward_always: '+5511999990000', forward_busy: '701', forward_no_answer: 'front-door', ring_seconds: 5 };
    assert.deepEqual(shown(await operator.ok('PATCH', `${extensions}/${number}`, all)), all);
    assert.deepEqual(shown(await operator.ok('PATCH', `${extensions}/${number}`, { forward_always: null })), { ...all, forward_always: null });
    assert.deepEqual(shown(await operator.ok('PATCH', `${extensions}/${number}`, { forward_busy: '' })), { ...all, forward_always: null, forward_busy: null });
    await operator.ok('PATCH', `${extensions}/${number}`, none);
    assert.deepEqual(shown(await operator.ok('GET', `${extensions}/${number}`)), none);
    assert.deepEqual(shown(await operator.ok('POST', extensions, { number: '702', kind: 'app', ...all })), all);
  });

  for (const [field, value] of [['forward_always', 'a b'], ['forward_busy', 5], ['forward_no_answer', 'x'.repeat(33)], ['forward_busy', '-1'], ['do_not_disturb', 'yes'],
    ['do_not_disturb', null], ['ring_seconds', 0], ['ring_seconds', 301], ['ring_seconds', null]]) {
    it(`refused: ${field} ${JSON.stringify(value).slice(0, 20)}`, async () => {
      assertProblem(await operator.patch(`${extensions}/100`, { [field]: value }), { status: 400, field });
      assert.deepEqual(shown(await operator.ok('GET', `${extensions}/100`)), none);
    });
  }
});

describe('groups', () => {
  let own;
  let groups;
  const names = (group) => ({ ...group, created_at: null, updated_at: null });

  before(async () => {
    own = await world.tenant({ numbers: ['100', '101', '102'] });
    groups = `/v1/tenants/${own.id}/groups`;
  });

  it('are made, read, changed and deleted', async () => {
    const made = await own.api.ok('POST', groups, { number: '600', strategy: 'sequence', members: ['102', '100'], ring_seconds: 10, display_name: 'Sales' });
    const wanted = { number: '600', display_name: 'Sales', strategy: 'sequence', members: ['102', '100'], ring_seconds: 10, created_at: null, updated_at: null };
    assert.deepEqual(names(made), wanted);
    assert.deepEqual(names(await own.api.ok('GET', `${groups}/600`)), wanted);
    assert.deepEqual(names(await own.api.ok('PATCH', `${groups}/600`, { strategy: 'all' })), { ...wanted, strategy: 'all' });
    assert.deepEqual((await own.api.ok('PATCH', `${groups}/600`, { members: ['101'] })).members, ['101']);
    assert.deepEqual((await own.api.list(groups)).map((each) => each.number), ['600']);
    assert.equal((await own.api.delete(`${groups}/600`)).status, 204);
    assertProblem(await own.api.get(`${groups}/600`), { status: 404 });
    assertProblem(await own.api.delete(`${groups}/600`), { status: 404 });
    const audited = (await own.api.list(`/v1/tenants/${own.id}/audit`)).filter((row) => row.target === 'group/600').map((row) => row.action);
    assert.deepEqual(audited.reverse(), ['group.create', 'group.change', 'group.change', 'group.delete']);
  });

  it('come in pages', async () => {
    for (const number of ['610', '611', '612']) await own.api.ok('POST', groups, { number, strategy: 'all', members: [] });
    const first = await own.api.ok('GET', `${groups}?limit=2`);
    assert.deepEqual(first.items.map((each) => each.number), ['610', '611']);
    assert.deepEqual((await own.api.ok('GET', `${groups}?after=${first.next}`)).items.map((each) => each.number), ['612']);
    for (const number of ['610', '611', '612']) await own.api.delete(`${groups}/${number}`);
  });

  for (const [field, change] of [['strategy', { strategy: 'random' }], ['strategy', { strategy: undefined }], ['members', { members: undefined }], ['members', { members: '100' }],
    ['members', { members: Array(101).fill('100') }], ['members[1]', { members: ['100', 'a b'] }], ['members', { members: ['100', '101', '100'] }],
    ['members', { members: ['100', '999'] }], ['ring_seconds', { ring_seconds: 0 }], ['number', { number: 'a b' }], ['display_name', { display_name: 'a"b' }], ['colour', { colour: 1 }]]) {
    it(`refused: ${JSON.stringify(change).slice(0, 60)}`, async () => {
      assertProblem(await own.api.post(groups, { number: '600', strategy: 'all', members: [], ...change }), { status: 400, field });
      assert.deepEqual(await own.api.list(groups), []);
    });
  }

  it('a member that does not exist is named', async () => {
    const answer = await own.api.post(groups, { number: '600', strategy: 'all', members: ['100', '999', '998'] });
    assertProblem(answer, { status: 400, field: 'members' });
    assert.match(answer.body.detail, /\b999\b/);
  });

  it('a number is an extension or a group: 409 either way', async () => {
    assertProblem(await own.api.post(groups, { number: '100', strategy: 'all', members: [] }), { status: 409, field: 'number' });
    await own.api.ok('POST', groups, { number: '620', strategy: 'all', members: [] });
    assertProblem(await own.api.post(`/v1/tenants/${own.id}/extensions`, { number: '620', kind: 'app' }), { status: 409, field: 'number' });
    assertProblem(await own.api.post(groups, { number: '621', strategy: 'all', members: ['620'] }), { status: 400, field: 'members' });
    await own.api.delete(`${groups}/620`);
    await own.api.ok('POST', `/v1/tenants/${own.id}/extensions`, { number: '620', kind: 'app' });
  });

  it('of ten at once that take a number one gets it', async () => {
    const take = (nth) => (nth % 2 ? own.api.post(groups, { number: '630', strategy: 'all', members: [] })
      : own.api.post(`/v1/tenants/${own.id}/extensions`, { number: '630', kind: 'app' }));
    const answers = await Promise.all(Array.from({ length: 10 }, (_, nth) => take(nth)));
    assert.deepEqual(answers.map((each) => each.status).sort(), [201, ...Array(9).fill(409)]);
  });

  it('are left by an extension that is deleted, and stay when it was the last', async () => {
    await own.api.ok('POST', groups, { number: '640', strategy: 'all', members: ['102', '101'] });
    await own.api.ok('POST', groups, { number: '641', strategy: 'all', members: ['102'] });
    assert.equal((await own.api.delete(`/v1/tenants/${own.id}/extensions/102`)).status, 204);
    assert.deepEqual((await own.api.ok('GET', `${groups}/640`)).members, ['101']);
    assert.deepEqual((await own.api.ok('GET', `${groups}/641`)).members, []);
  });
});

describe('rate limit', () => {
  it('over requests_per_minute: 429 with Retry-After, and others do not notice', async () => {
    const limited = await world.tenant({ numbers: [], limits: { requests_per_minute: 10 } });
    const path = `/v1/tenants/${limited.id}`;
    const answers = await Promise.all(Array.from({ length: 40 }, () => limited.api.get(path)));
    const refused = answers.filter((each) => each.status === 429);
    assert.ok(refused.length >= 20 && refused.length < 40, `${refused.length} of 40 refused`);
    for (const answer of refused) {
      assertProblem(answer, { status: 429 });
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    }
    assert.equal((await tenant.api.get(`/v1/tenants/${tenant.id}`)).status, 200);
    assert.equal((await operator.get(path)).status, 200);
  });
});

describe('Idempotency-Key', () => {
  const once = (key) => ({ headers: { 'idempotency-key': key } });

  it('a repeated POST gives the first answer, password and all', async () => {
    const key = unique('idem');
    const first = await tenant.api.post(extensions, { number: '500', kind: 'app' }, once(key));
    assert.equal(first.status, 201);
    const second = await tenant.api.post(extensions, { number: '500', kind: 'app' }, once(key));
    assert.equal(second.status, 201);
    assert.deepEqual(second.body, first.body);
  });

  it('with another body: refused, nothing written', async () => {
    const key = unique('idem');
    await tenant.api.post(extensions, { number: '501', kind: 'app' }, once(key));
    assertProblem(await tenant.api.post(extensions, { number: '502', kind: 'app' }, once(key)), { status: 409 });
    assert.equal((await tenant.api.get(`${extensions}/502`)).status, 404);
  });

  it('ten at once make one thing', async () => {
    const key = unique('idem');
    const answers = await Promise.all(Array.from({ length: 10 }, () => tenant.api.post(extensions, { number: '503', kind: 'app' }, once(key))));
    const made = answers.filter((each) => each.status === 201);
    assert.ok(made.length >= 1);
    assert.equal(new Set(made.map((each) => each.body.password)).size, 1);
    for (const other of answers.filter((each) => each.status !== 201)) assertProblem(other, { status: 409 });
    assert.equal((await tenant.api.list(extensions)).filter((each) => each.number === '503').length, 1);
  });

  it("another caller's same key is another key", async () => {
    const key = unique('idem');
    const other = await world.tenant({ numbers: [] });
    const mine = await tenant.api.post(extensions, { number: '504', kind: 'app' }, once(key));
    const theirs = await other.api.post(`/v1/tenants/${other.id}/extensions`, { number: '504', kind: 'app' }, once(key));
    assert.deepEqual([mine.status, theirs.status], [201, 201]);
    assert.notEqual(mine.body.password, theirs.body.password);
  });

  it('a bad key is refused', async () => {
    assertProblem(await tenant.api.post(extensions, { number: '505', kind: 'app' }, once('x'.repeat(300))), { status: 400 });
  });
});

describe('lists', () => {
  let base;
  before(async () => {
    const many = await world.tenant({ numbers: ['1', '2', '3', '4', '5', '6', '7'] });
    base = `/v1/tenants/${many.id}/extensions`;
  });

  it('come in pages, each thing once', async () => {
    const sizes = [];
    const numbers = [];
    let after = '';
    do {
      const page = await operator.ok('GET', `${base}?limit=3${after && `&after=${after}`}`);
      sizes.push(page.items.length);
      numbers.push(...page.items.map((each) => each.number));
      after = page.next;
    } while (after);
    assert.deepEqual(sizes, [3, 3, 1]);
    assert.deepEqual(numbers, ['1', '2', '3', '4', '5', '6', '7']);
    assert.equal((await operator.ok('GET', `${base}?limit=7`)).next, null);
  });

  for (const [field, query] of [['limit', 'limit=0'], ['limit', 'limit=x'], ['limit', 'limit=100000'], ['limit', 'limit=-1'], ['limit', 'limit='],
    ['after', 'after=zz'], ['after', 'after=00'], ['after', `after=${'ab'.repeat(400)}`], ['colour', 'colour=red']]) {
    it(`${query.slice(0, 20)}: 400`, async () => {
      const answer = await operator.get(`${base}?${query}`);
      assertProblem(answer, { status: 400 });
      assert.equal(answer.body.field, field);
    });
  }

  it("another list's cursor is refused", async () => {
    const { next } = await operator.ok('GET', '/v1/tenants?limit=1');
    assertProblem(await operator.get(`${base}?after=${next}`), { status: 400, field: 'after' });
  });
});

describe('audit', () => {
  it('has each change once, with who and what, and no secrets; what failed is not in it', async () => {
    const one = await world.tenant({ numbers: [] });
    const base = `/v1/tenants/${one.id}`;
    const id = unique('request');
    const { password } = await one.api.ok('POST', `${base}/extensions`, { number: '100', kind: 'app' }, { headers: { 'x-request-id': id } });
    await one.api.post(`${base}/extensions`, { number: '100', kind: 'app' });
    await one.api.post(`${base}/extensions`, { number: 'no good', kind: 'app' });
    await one.api.ok('PATCH', `${base}/extensions/100`, { display_name: 'after' });
    const reset = await one.api.ok('POST', `${base}/extensions/100/password`, {});
    await one.api.delete(`${base}/extensions/100`);
    const rows = (await one.api.list(`${base}/audit`, { limit: 3 })).filter((row) => /^extension\b/.test(row.action));
    assert.equal(rows.length, 4, JSON.stringify(rows));
    assert.ok(rows.some((row) => row.request_id === id));
    assert.equal(new Set(rows.map((row) => row.id)).size, 4);
    const text = JSON.stringify(rows);
    for (const secret of [password, reset.password, one.key]) assert.ok(!text.includes(secret));
    assert.ok(text.includes('"after"'), 'what it was changed to');
  });

  it('cannot be written or removed', async () => {
    for (const method of ['POST', 'PATCH', 'DELETE', 'PUT']) {
      const answer = await tenant.api.send(method, `/v1/tenants/${tenant.id}/audit`, '{}');
      assertProblem(answer, { status: 405 });
      assert.match(answer.headers.get('allow') ?? '', /GET/);
    }
  });
});

describe('paths', () => {
  for (const path of ['/v1', '/v1/', '/v2/tenants', '/v1/tenants/', '/v1/tenants/x/y', '/v1/tenants//extensions', '/v1/nothing']) {
    it(`${path}: 404`, async () => assertProblem(await operator.get(path), { status: 404 }));
  }

  for (const id of ['%00', '%2e%2e', '%ff', "1'%20OR%20'1'='1", '%F0%9F%93%9E', 'x'.repeat(300), '00000000-0000-7000-8000-000000000000']) {
    it(`a tenant ${id.slice(0, 30)}: refused, no 5xx`, async () => {
      const answer = await operator.get(`/v1/tenants/${id}`);
      assert.ok([400, 404].includes(answer.status), `${answer.status} ${answer.text}`);
      assertProblem(answer, { status: answer.status });
    });
  }

  it('an endless path or header: refused, no 5xx', async () => {
    const long = await operator.get(`/v1/tenants/${'x'.repeat(20_000)}`);
    assert.ok(long.status >= 400 && long.status < 500, String(long.status));
    const header = await operator.get('/v1/tenants', { headers: { 'x-long': 'x'.repeat(60_000) } });
    assert.ok(header.status >= 400 && header.status < 500, String(header.status));
  });

  it('the request id is the caller’s when it is sane, else a new one', async () => {
    const path = `/v1/tenants/${tenant.id}`;
    const kept = await operator.get(path, { headers: { 'x-request-id': 'abc-12345' } });
    assert.equal(kept.headers.get('x-request-id'), 'abc-12345');
    const replaced = await operator.get(path, { headers: { 'x-request-id': 'a b<script>' } });
    assert.match(replaced.headers.get('x-request-id'), /^[0-9a-f-]{32,36}$/);
  });

  it('dns: lines that name every edge for each domain', async () => {
    const answer = await tenant.api.get(`/v1/tenants/${tenant.id}/dns`);
    assert.equal(answer.status, 200);
    for (const { port } of world.belfry.edges.map((edge) => edge.sip)) {
      for (const service of ['_sip._udp', '_sip._tcp']) {
        const line = new RegExp(`^${service}.${tenant.domain}. 3600 IN SRV 10 10 ${port} \\S+$`);
        assert.ok(answer.body.items.some((item) => line.test(item)), `${line}: ${answer.text}`);
      }
    }
  });
});

/** A POST whose size is not announced. */
function chunked(path, body) {
  const url = new URL(operator.base + path);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers: { authorization: `Bearer ${operator.key}`, 'content-type': 'application/json' } }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, type: answer.headers['content-type'] ?? '' });
    });
    request.on('error', reject);
    for (let at = 0; at < body.length; at += 8192) request.write(body.slice(at, at + 8192));
    request.end();
  });
}
