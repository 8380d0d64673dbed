import assert from 'node:assert/strict';
import test from 'node:test';
import { search_query } from '../cdrs/search';
import { en } from '../i18n/en';
import { fill } from '../i18n';
import { pt } from '../i18n/pt';
import { spark_path } from '../ui/spark_path';
import { read_fields } from '../ui/fields';
import { changes } from '../audit/audit';
import { differences, lasting } from '../edges/edge';
import { api_path, query } from './api';
import { pause_ms } from './events';
import { clock, span } from './format';
import { in_fragment } from './fragment';
import { match } from './router';

test('parts of a path may hold anything', () => {
  assert.equal(api_path`/v1/tenants/${'a/../b?c#d'}/calls/${7}`, '/v1/tenants/a%2F..%2Fb%3Fc%23d/calls/7');
  assert.equal(query({ number: '1&2', from: '', to: null }), '?number=1%262');
  assert.equal(query({}), '');
});

test('patterns match whole paths', () => {
  assert.deepEqual(match('/t/:tenant/calls/:id', '/t/ac%2Fme/calls/1/'), { tenant: 'ac/me', id: '1' });
  assert.equal(match('/t/:tenant/calls', '/t/acme'), null);
  assert.equal(match('/tenants', '/edges'), null);
  assert.deepEqual(match('/t/:tenant', '/t/%zz'), { tenant: '%zz' });
});

test('secrets in fragments', () => {
  assert.equal(in_fragment('#login=bfk_x', 'login'), 'bfk_x');
  assert.equal(in_fragment('', 'login'), null);
  assert.equal(in_fragment('#token=a.b%3D', 'token'), 'a.b=');
});

test('times', () => {
  assert.equal(clock(187_000), '3:07');
  assert.equal(clock(3_723_000), '1:02:03');
  assert.equal(clock(-5), '0:00');
  assert.equal(span(85.4, 'en'), '85 ms');
  assert.equal(span(1234, 'en'), '1.2 s');
  assert.equal(span(1234, 'pt'), '1,2 s');
  assert.equal(span(187_000, 'en'), '3:07');
});

test('pauses between tries grow, and have an end', () => {
  assert.ok(pause_ms(0, 0.5) === 500 && pause_ms(3, 0.5) === 4000 && pause_ms(50, 1) <= 18_750);
});

test('both languages have the same words with the same holes', () => {
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
  assert.deepEqual(Object.keys(pt).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en) as (keyof typeof en)[]) assert.equal(holes(pt[key]), holes(en[key]), key);
  assert.equal(fill('{a} and {b}', { a: '{b}' }), '{b} and {b}');
});

test('curves', () => {
  assert.equal(spark_path([1, 5], 1, 5, 10, 10), 'M0.0 10.0L10.0 0.0');
  assert.equal(spark_path([1, null, 9], 1, 5, 10, 10), 'M0.0 10.0M10.0 0.0');
  assert.equal(spark_path([], 0, 1, 10, 10), '');
});

test('forms', () => {
  const texts: Record<string, string | boolean> = { name: ' x ', members: '101, 102;103\n104', dnd: true, seconds: '', role: 'admin', max: '5' };
  assert.deepEqual(read_fields([{ name: 'name' }, { name: 'members', kind: 'list' }, { name: 'dnd', kind: 'yes' }, { name: 'seconds', kind: 'number' }, { name: 'role', kind: 'choice' }, { name: 'max', kind: 'number' }], (name) => texts[name]!),
    { name: 'x', members: ['101', '102', '103', '104'], dnd: true, role: 'admin', max: 5 });
});

test('what changed', () => {
  assert.deepEqual(changes({ before: { name: 'a', limits: { max_calls: 1 }, updated_at: 'x' }, after: { name: 'a', limits: { max_calls: 2 }, members: ['1', '2'], updated_at: 'y' } }),
    [{ field: 'limits.max_calls', from: '1', to: '2' }, { field: 'members', from: null, to: '1, 2' }]);
  assert.deepEqual(changes({ before: null, after: { number: '100', id: 'x' } }), [{ field: 'number', from: null, to: '100' }]);
});

test('only what differs twice is drift', () => {
  const edge = { id: 'e', alive: true, seen_at: null, age_ms: 0, internal: '', bus: '', bindings: 3, indexed_bindings: 3, calls: 1, indexed_calls: 0, table_seq: 9, registry_seq: 9 };
  assert.deepEqual(differences(edge).map(({ what }) => what), ['calls']);
  assert.deepEqual(lasting(undefined, edge), []);
  assert.deepEqual(lasting({ ...edge, calls: 0 }, edge), []);
  assert.deepEqual(lasting(edge, edge).map(({ what }) => what), ['calls']);
});

test('days are whole days here', () => {
  const asked = new URLSearchParams(search_query({ number: ' 100 ', from: '2026-03-01', to: '2026-03-01' }));
  assert.equal(asked.get('number'), '100');
  assert.equal(Date.parse(asked.get('to')!) - Date.parse(asked.get('from')!), 86_400_000);
  assert.equal(search_query({ number: '', from: 'x', to: '' }), '');
});
