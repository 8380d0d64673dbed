// SIP over TLS.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { World } from '../lib/world.mjs';

const { belfry } = new World();

describe('thin', () => {
  it('registers and calls', async (t) => {
    const world = new World(t);
    const one = await world.tenant();
    const [a, b] = await world.pair(one, { caller: { transport: 'tls' }, callee: { transport: 'tls' } });
    const { request } = await world.call(a, b);
    console.log(request.bytes.toString());
    assert.ok(belfry.ca);
  });
});
