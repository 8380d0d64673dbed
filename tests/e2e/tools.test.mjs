// The tests' own tools: what must not be taken for a match, and texts with known answers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RATE, melody, recognise, sparkline } from '../lib/audio.mjs';
import { parseEnv } from '../lib/instance.mjs';
import { routes } from '../lib/openapi.mjs';
import { authorization, build, challengeOf, elements, frames, parse } from '../lib/sip_message.mjs';
import { until, within } from '../lib/until.mjs';

describe('recognising a sound', () => {
  const sound = melody(1, 20);
  const part = sound.slice(2 * RATE, 6 * RATE);
  const expect_ms = 4000;
  const match = (heard) => recognise(sound, heard, { expect_ms }).match;

  it('finds it, and where it began', () => {
    const seen = recognise(sound, part, { expect_ms });
    assert.equal(seen.match, 1);
    assert.equal(seen.offset_ms, 2000);
  });

  it('also at a fifth of the level, with a little noise, and after silence', () => {
    assert.ok(match(part.map((value, i) => value / 5 + ((i * 7919) % 61) - 30)) > 0.9);
    const late = new Int16Array(part.length + RATE / 2);
    late.set(part, RATE / 2);
    const seen = recognise(sound, late);
    assert.ok(seen.match > 0.85 && seen.match < 0.92, JSON.stringify(seen));
  });

  it('not in silence, noise, another sound, one tone, or the sound backwards', () => {
    const noise = part.map((_, i) => ((Math.imul(i + 1, 2654435761) >>> 16) % 16000) - 8000);
    const tone = part.map((_, i) => 8000 * Math.sin((2 * Math.PI * 1000 * i) / RATE));
    for (const heard of [new Int16Array(part.length), new Int16Array(0), noise, tone, melody(2, 4), part.slice().reverse()]) {
      assert.ok(match(heard) < 0.1, String(match(heard)));
    }
  });

  it('half of it missing is half a match, wherever the half is missing', () => {
    const holes = part.map((value, i) => (Math.floor(i / RATE) % 2 ? 0 : value));
    for (const heard of [part.slice(0, part.length / 2), part.slice(part.length / 2), holes]) {
      assert.ok(match(heard) > 0.4 && match(heard) < 0.6, String(match(heard)));
    }
  });

  it('a piece cut out is a drop-out, and what follows is still known', () => {
    const cut = Int16Array.from([...part.slice(0, RATE), ...part.slice(RATE + RATE / 4)]);
    const seen = recognise(sound, cut, { expect_ms });
    assert.ok(seen.dropouts >= 1 && seen.match > 0.85 && seen.match < 0.96, JSON.stringify(seen));
  });

  it('a line of blocks is as wide as asked, also for silence', () => {
    assert.equal(sparkline(part, 24).length, 24);
    assert.equal(sparkline(new Int16Array(100), 8), '▁▁▁▁▁▁▁▁');
  });
});

describe('SIP texts', () => {
  it('the digest of RFC 2617, 3.5', () => {
    const challenge = challengeOf('Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"');
    const value = authorization(challenge, { method: 'GET', uri: '/dir/index.html', user: 'Mufasa', password: 'Circle Of Life', cnonce: '0a4f113b' });
    assert.match(value, /response="6629fae49393a05397450978507c4ef1"/);
  });

  it('what was built is parsed again, folded lines and compact names too', () => {
    const message = parse(build({ first: 'INVITE sip:a@b SIP/2.0', headers: [['v', 'SIP/2.0/UDP h;branch=z9hG4bKx'], ['Subject', 'one\r\n two']], body: 'x' }));
    assert.deepEqual([message.method, message.uri, message.get('Via'), message.get('subject'), message.body.toString()], ['INVITE', 'sip:a@b', 'SIP/2.0/UDP h;branch=z9hG4bKx', 'one two', 'x']);
  });

  it('a stream is cut where its messages end', () => {
    const one = build({ first: 'OPTIONS sip:a SIP/2.0', headers: [], body: 'abc' });
    const { messages, rest } = frames(Buffer.concat([Buffer.from('\r\n\r\n'), one, one, one.subarray(0, 10)]));
    assert.deepEqual([messages.length, rest.length], [2, 10]);
  });

  it('commas inside quotes and brackets do not separate', () => {
    assert.deepEqual(elements('"a,b" <sip:x;y=1,2>;q=1, <sip:z>'), ['"a,b" <sip:x;y=1,2>;q=1', '<sip:z>']);
  });
});

describe('reading openapi.yaml', () => {
  it('finds routes, and is not silent about what it does not understand', () => {
    assert.deepEqual(routes('paths:\n  /a/{b}:\n    get:\n      x: 1\n    delete:\ncomponents:\n  /no:\n'), [
      { method: 'GET', path: '/a/{b}', params: ['b'] }, { method: 'DELETE', path: '/a/{b}', params: ['b'] },
    ]);
    for (const text of ['', 'paths:\n', 'paths:\n  /a:\n    fetch:\n', 'paths:\n  odd: 1\n']) assert.throws(() => routes(text));
  });
});

describe('waiting', () => {
  it('ends with a deadline that names what did not come, and why', async () => {
    await assert.rejects(until(() => { throw new Error('because'); }, { deadline_ms: 30, what: 'the thing' }), /the thing: not within 30 ms \(because\)/);
    await assert.rejects(within(new Promise(() => {}), { deadline_ms: 30, what: 'never' }), /never: not within 30 ms/);
    assert.equal(await until(() => 5, { deadline_ms: 30 }), 5);
  });

  it('an env file is read with and without quotes', () => {
    assert.deepEqual(parseEnv('A=1\n# no\nB="x y"\nexport C=\'z\'\n'), { A: '1', B: 'x y', C: 'z' });
  });
});
