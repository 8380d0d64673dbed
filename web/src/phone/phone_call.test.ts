import assert from 'node:assert/strict';
import test from 'node:test';
import { type PhoneCall, after, ice_servers, in_focus, target_of } from './phone_call';
import { loudness } from './sound';
import { make_phone_token, read_phone_token, token_left_s } from './token';

const call = (change: Partial<PhoneCall> = {}): PhoneCall => ({ id: 'c', direction: 'out', peer: '101', name: '', state: 'dialling', muted: false, held: false, held_by_peer: false, video: false, since_ms: 0, cause: null, ...change });

test('a call rings, talks and ends, and nothing comes after its end', () => {
  let now = after(call(), { what: 'progress' }, 1);
  assert.equal(now.state, 'ringing');
  now = after(now, { what: 'answered', video: true }, 5);
  assert.deepEqual([now.state, now.since_ms, now.video], ['talking', 5, true]);
  assert.equal(after(now, { what: 'answered', video: false }, 9).since_ms, 5, 'answered once');
  now = after(now, { what: 'held', on: true, by_peer: true }, 6);
  assert.deepEqual([now.held, now.held_by_peer], [false, true]);
  now = after(now, { what: 'ended', cause: null }, 8);
  assert.equal(after(now, { what: 'progress' }, 9), now);
});

test('the buttons are about who talks, then who rings', () => {
  const talking = call({ id: 't', state: 'talking' });
  const held = call({ id: 'h', state: 'talking', held: true });
  const rings = call({ id: 'r', state: 'incoming' });
  assert.equal(in_focus([held, rings, talking])!.id, 't');
  assert.equal(in_focus([held, rings])!.id, 'r');
  assert.equal(in_focus([held])!.id, 'h');
  assert.equal(in_focus([]), null);
});

test('what may be dialled', () => {
  assert.equal(target_of(' (11) 5555-0000 ', 'a.example'), 'sip:115555-0000@a.example');
  assert.equal(target_of('*86#', 'a.example'), 'sip:*86%23@a.example');
  assert.equal(target_of('sip:bob@b.example', 'a.example'), 'sip:bob@b.example');
  for (const wrong of ['', '@', 'x@y@z', '1;user=phone', '<sip:1>', 'javascript:alert(1)', '1?Subject=x']) assert.equal(target_of(wrong, 'a.example'), null, wrong);
});

test('ICE servers that are none are left out', () => {
  assert.deepEqual(ice_servers({ items: [{ urls: 'turn:t.example', username: 'u', credential: 'c' }, { urls: ['https://x'] }, { urls: [] }, {}] }), [{ urls: 'turn:t.example', username: 'u', credential: 'c' }]);
  assert.deepEqual(ice_servers({ iceServers: [{ urls: ['stun:s:3478', 'turns:t:443'] }] }).length, 1);
  for (const nothing of [null, undefined, {}, { items: 'x' }]) assert.deepEqual(ice_servers(nothing), []);
});

test('an account in a link comes back as it was', () => {
  const account = { number: '100', domain: 'a.example', password: 'pä$$', name: 'José <b>' };
  assert.deepEqual(read_phone_token(make_phone_token(account)), { kind: 'account', account });
});

test('an app token tells its number and its end', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  assert.deepEqual(read_phone_token(`${part({ alg: 'EdDSA' })}.${part({ sub: '100', tenant: 't', exp: 9 })}.sig`), { kind: 'app', app: { jwt: `${part({ alg: 'EdDSA' })}.${part({ sub: '100', tenant: 't', exp: 9 })}.sig`, tenant: 't', number: '100', expires_s: 9 } });
});

test('how long an app token is good', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = `${part({ alg: 'EdDSA' })}.${part({ sub: '100', tenant: 't', exp: 100 })}.sig`;
  assert.deepEqual([token_left_s(jwt, 40_000), token_left_s(jwt, 200_000), token_left_s('x', 0)], [60, 0, 0]);
});

test('what is no token is none', () => {
  const account = (value: object) => `a1.${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
  for (const wrong of ['', 'x', 'a1.', 'a1.!!', 'a.b.c', account({}), account({ number: '1;x', domain: 'a', password: 'p' }), account({ number: '1', domain: 'a b', password: 'p' }), account({ number: '1', domain: 'a', password: '' })]) {
    assert.equal(read_phone_token(wrong), null, wrong);
  }
});

test('silence is 0, full scale is 1', () => {
  assert.equal(loudness(new Float32Array(64)), 0);
  assert.equal(loudness(new Float32Array(64).fill(1)), 1);
  assert.ok(Math.abs(loudness(new Float32Array(64).fill(0.001)) - 0) < 0.01);
});
