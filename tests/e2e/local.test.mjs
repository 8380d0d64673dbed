// The instance as such: a second `up` changes nothing, another instance runs beside it, nobody else may read its secrets.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Api, assertProblem } from '../lib/api.mjs';
import { Instance, ROOT } from '../lib/instance.mjs';
import { isFree } from '../lib/ports.mjs';
import { ng } from '../lib/rtp.mjs';
import { known } from '../lib/sip.mjs';
import { Socket } from '../lib/socket.mjs';
import { World } from '../lib/world.mjs';

const { belfry, operator } = new World();
const belfryCommand = path.join(ROOT, 'deploy/local/belfry');
const command = (args, env = {}) => promisify(execFile)(belfryCommand, args, { env: { ...process.env, RUN: belfry.run, PORT_BASE: String(belfry.port_base), ...env }, timeout: 240_000 });

/** Another PORT_BASE whose ports nobody has. */
async function anotherBase() {
  const candidates = Array.from({ length: 24 }, (_, i) => belfry.port_base + (i < 6 ? 3000 + 1000 * i : -3000 - 1000 * (i - 6)));
  for (const base of candidates.filter((each) => each >= 1024 && each <= 29000)) {
    const free = await Promise.all([...[1, 2, 3, 4, 10, 20, 21, 60, 80].map((plus) => isFree(base + plus)), isFree(base + 62, '127.0.1.1')]);
    if (free.every(Boolean)) return base;
  }
  throw new Error('no 3000 free ports for a second instance');
}

const pids = async (instance) => (await instance.programs()).map(({ name, pid }) => `${name} ${pid}`);

describe('deploy/local/belfry', () => {
  it('up, a second time: the same processes, files and keys', async () => {
    const before = [await pids(belfry), readFileSync(path.join(belfry.run, 'belfry.env'), 'utf8')];
    await command(['up']);
    assert.deepEqual([await pids(belfry), readFileSync(path.join(belfry.run, 'belfry.env'), 'utf8')], before);
  });

  it('status: all is well, and it says where things are', async () => {
    const { stdout } = await command(['status']);
    for (const text of [belfry.api, belfry.env.BELFRY_SIP]) assert.ok(stdout.includes(text), stdout);
    assert.ok(!stdout.includes(belfry.operator_key), 'a key is not printed');
  });

  it('more edges and relays, and fewer again: only who is told of them (edges, registry, coturn) is restarted; through the gateway connections stay', async (t) => {
    const shape = { edges: belfry.edges.length, relays: belfry.relays.length };
    const before = await pids(belfry);
    const others = before.filter((each) => !/^(kamailio|tenant-registry|coturn)/.test(each));
    t.after(() => belfry.scale(shape));
    const tenant = await new World(t).tenant();
    const socket = await Socket.open(`${belfry.api.replace(/^http/, 'ws')}/v1/events`, { headers: { authorization: `Bearer ${tenant.key}` } });
    t.after(() => socket.drop());
    await belfry.scale({ edges: shape.edges + 1, relays: shape.relays + 1 });
    assert.equal(socket.closed, null);
    const [edge, relay] = [belfry.edges.at(-1), belfry.relays.at(-1)];
    const after = await pids(belfry);
    assert.equal(after.length, before.length + 2);
    for (const each of others) assert.ok(after.includes(each), `${each} went on: ${after}`);
    assert.ok((await command(['status'])).stdout.includes(`${edge.sip.host}:${edge.sip.port}`));
    assert.equal((await ng(relay.ng, { command: 'ping' })).result, 'pong');
    assert.match(await edge.kamcmd('rtpengine.show', 'all'), new RegExp(`:${relay.ng.port}\\b`));
    const world = new World(t);
    await known(edge.sip, tenant.domain);
    const [a, b] = await world.pair(tenant, { caller: { edge }, callee: { edge } });
    assert.ok(await world.reaches(a, b), 'the new edge serves');
    await belfry.scale(shape);
    const back = await pids(belfry);
    assert.equal(back.length, before.length, back.join(', '));
    for (const each of others) assert.ok(back.includes(each), `${each} went on: ${back}`);
    assert.ok(await isFree(edge.sip.port, edge.sip.host), 'the edge that is gone has left its port');
  });

  it('without call-control: its edges serve their own phones, the gateway says what is missing; and with it again', async (t) => {
    const controls = belfry.controls.length;
    const others = (all) => all.filter((each) => !/^(kamailio|call-control|event-fanout|nginx)/.test(each));
    const before = await pids(belfry);
    t.after(() => belfry.scale({ controls }));
    await belfry.scale({ controls: 0 });
    const without = await pids(belfry);
    assert.deepEqual(belfry.controls, []);
    assert.deepEqual(without.filter((each) => each.startsWith('call-control')), []);
    assert.deepEqual(others(without), others(before), 'nothing else was touched');
    await command(['status']);
    const world = new World(t);
    const tenant = await world.tenant();
    const [a, b] = [await world.ua(tenant, '100'), await world.ua(tenant, '101')];
    for (const phone of [a, b]) assert.equal((await phone.register()).status, 200);
    assert.ok(await world.reaches(a, b));
    for (const what of ['edges', `tenants/${tenant.id}/calls`, `tenants/${tenant.id}/registrations`]) {
      const answer = await operator.get(`/v1/${what}`);
      assertProblem(answer, { status: 503, type: 'unavailable' });
      assert.match(answer.body.detail, /call-control/);
      assert.equal(answer.headers.get('retry-after'), null, 'to try again is of no use');
    }
    await belfry.scale({ controls });
    assert.equal((await operator.get('/v1/edges')).status, 200);
    const again = await world.pair(tenant);
    assert.ok(await world.reaches(...again));
  });

  it('a second instance beside it: its own data, its own key; destroyed, the first is as before', async (t) => {
    const run = `${belfry.run}-beside`;
    const port_base = await anotherBase();
    const env = { RUN: run, PORT_BASE: String(port_base), TEST_PORT_BASE: '' };
    const before = await pids(belfry);
    t.after(async () => {
      await command(['destroy', '--yes'], env).catch(() => {});
      rmSync(run, { recursive: true, force: true });
    });
    await command(['up'], env);
    const beside = Instance.open(run);
    const other = new Api(beside.api, beside.operator_key);
    assert.deepEqual((await other.ok('GET', '/v1/tenants')).items, []);
    assert.equal((await new Api(beside.api, belfry.operator_key).get('/v1/tenants')).status, 401);
    assert.equal((await operator.get('/v1/tenants')).status, 200);
    await command(['destroy', '--yes'], env);
    assert.deepEqual(await pids(belfry), before);
  });
});

describe('secrets', () => {
  it('are files that only their owner reads', () => {
    const secrets = path.join(belfry.run, 'secrets');
    assert.equal(statSync(secrets).mode & 0o777, 0o700);
    for (const name of readdirSync(secrets)) assert.equal(statSync(path.join(secrets, name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(path.join(belfry.run, 'belfry.env')).mode & 0o777, 0o600);
  });

  it('are in no log and no command line', async () => {
    const secrets = readdirSync(path.join(belfry.run, 'secrets')).map((name) => readFileSync(path.join(belfry.run, 'secrets', name), 'utf8').trim());
    const logs = path.join(belfry.run, 'log');
    const texts = readdirSync(logs).map((name) => [name, readFileSync(path.join(logs, name), 'utf8')]);
    for (const { name, pid } of await belfry.programs()) if (pid) texts.push([`command line of ${name}`, readFileSync(`/proc/${pid}/cmdline`, 'utf8')]);
    for (const [name, text] of texts) for (const secret of secrets) assert.ok(secret.length < 8 || !text.includes(secret), `a secret is in ${name}`);
  });

  it('everything listens on this machine only', () => {
    const port = (line) => parseInt(line.trim().split(/\s+/)[1].split(':')[1], 16);
    const address = (line) => line.trim().split(/\s+/)[1].split(':')[0];
    for (const file of ['/proc/net/tcp', '/proc/net/udp']) {
      const ours = readFileSync(file, 'utf8').split('\n').slice(1).filter((line) => line && port(line) >= belfry.port_base && port(line) < belfry.port(3000) && (file.endsWith('udp') || line.includes(' 0A ')));
      assert.ok(ours.length > 0);
      for (const line of ours) assert.match(address(line), /7F$/, `port ${port(line)} listens on ${address(line)}`);
    }
  });
});
