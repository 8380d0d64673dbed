import assert from 'node:assert/strict';
import test from 'node:test';
import { type Account, proxy_of, settings_of, zoiper_text } from './extension';

const ZONE = [
  'acme.example. 300 IN NAPTR 20 50 "s" "SIP+D2T" "" _sip._tcp.acme.example.',
  '_sip._udp.acme.example. 300 IN SRV 10 10 5060 edge1.example.net.',
  '_sip._tcp.acme.example. 300 IN SRV 10 10 5070 edge1.example.net.',
];

test('the proxy is what the zone says, by address when the target is one of the zone', () => {
  assert.equal(proxy_of(ZONE, 'udp'), 'edge1.example.net:5060');
  assert.equal(proxy_of(ZONE, 'tcp'), 'edge1.example.net:5070');
  assert.equal(proxy_of([...ZONE, 'edge1.example.net. 300 IN A 192.0.2.7'], 'udp'), '192.0.2.7:5060');
  assert.equal(proxy_of([]), null);
});

const account: Account = { number: '100', name: '', domain: 'acme.example', password: 'x', proxy: null };

test('what a phone is told', () => {
  assert.deepEqual(settings_of(account).map(([key]) => key), ['username', 'domain', 'password', 'transport']);
  assert.equal(zoiper_text({ ...account, password: 'p', proxy: '192.0.2.7:5060' }), '100@acme.example\np\n192.0.2.7:5060');
});
