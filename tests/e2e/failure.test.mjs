// A part is away, hangs, or is killed: what goes on, what is refused and how, and how soon all is well again.
//
// Times are measured on events and written as diagnostics. The figures that the project promises are those in PROMISED;
// what a test tolerates is that times SLACK, because another program may have the processor for a while.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { assertProblem, newTenant } from '../lib/api.mjs';
import { ng } from '../lib/rtp.mjs';
import { Ua, known } from '../lib/sip.mjs';
import { sdp } from '../lib/sip_message.mjs';
import { Turn, turnPlace } from '../lib/turn.mjs';
import { elapsed, until } from '../lib/until.mjs';
import { World, hangUp, source } from '../lib/world.mjs';

const PROMISED = { converge_ms: 2000, serve_again_ms: 3000, deletion_ms: 100 };
const SLACK = ['asan', 'tsan'].includes(process.env.BUILD) ? 6 : 3;

const shared = new World();
const { belfry, operator } = shared;

function observed(t, what, took_ms, promised_ms) {
  t.diagnostic(`${what}: ${took_ms.toFixed(0)} ms (promised ${promised_ms})`);
  assert.ok(took_ms <= promised_ms * SLACK, `${what} took ${took_ms.toFixed(0)} ms; promised ${promised_ms}, tolerated ${promised_ms * SLACK}`);
}

beforeEach(() => belfry.allWell());
afterEach(() => belfry.allWell());

/** A tenant whose 100 and 101 are registered (cached at the edge) and whose 102 the edge has never seen. */
async function furnished(t) {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: ['100', '101', '102'] });
  // The feed is in order: an edge that knows this domain has taken all before it, and will not void what it caches from now on.
  const last = `last.${tenant.domain}`;
  await operator.ok('POST', `/v1/tenants/${tenant.id}/domains`, { name: last });
  await known(belfry.sip, last, { host: source() });
  const [a, b] = await world.pair(tenant);
  const stranger = await world.ua(tenant, '102');
  return { world, tenant, a, b, stranger };
}

/** What must work with everything behind the edge away. */
async function goesOn({ world, a, b }) {
  for (const ua of [a, b]) assert.equal((await ua.register()).status, 200, 'a cached credential registers');
  const { dialog } = await world.call(a, b);
  assert.equal((await hangUp(dialog, a)).status, 200);
  const nobody = await world.ua({ domain: 'nobody-has-this.example', passwords: {} }, '100');
  assert.equal((await nobody.register()).status, 404, 'an unknown domain is still unknown');
}

async function comeAgain(ua) {
  const reply = await ua.register({ deadline_ms: 15_000 });
  assert.equal(reply.status, 503, reply.first);
  assert.match(reply.get('Retry-After') ?? '', /^[1-9]\d*/);
}

/** From now: until an unseen credential registers, and a tenant made just now is known. */
async function converges(t, { stranger }, what) {
  const time = elapsed();
  await until(async () => (await stranger.register({ deadline_ms: 5_000 })).status === 200, { what: 'an uncached credential', deadline_ms: 60_000, every_ms: 20 });
  observed(t, `${what}: an uncached credential registers`, time(), PROMISED.converge_ms);
  const world = new World(t);
  const fresh = await until(() => newTenant(operator, { numbers: ['100'] }), { what: 'a new tenant', deadline_ms: 60_000 });
  const ua = await world.ua(fresh, '100');
  const change = elapsed();
  await until(async () => (await ua.register()).status === 200, { what: 'a change at the edge', deadline_ms: 60_000, every_ms: 20 });
  observed(t, `${what}: a change is effective`, change(), PROMISED.converge_ms);
}

const restAnswers = async () => (await operator.get('/v1/tenants?limit=1')).status === 200;

describe('away', () => {
  it('the registry stopped: what is known goes on, the unknown gets 503; back: converged, and no process was restarted', async (t) => {
    const parts = await furnished(t);
    const edge = await belfry.pid('kamailio');
    const running = await parts.world.call(parts.a, parts.b);
    await belfry.stop('tenant-registry');
    try {
      await goesOn(parts);
      await comeAgain(parts.stranger);
      const answer = await operator.get('/v1/tenants');
      assert.ok([502, 503, 504].includes(answer.status), `the gateway says ${answer.status}`);
      assertProblem(answer, { status: answer.status });
      assert.equal((await hangUp(running.dialog, parts.a)).status, 200, 'a running call ends as usual');
    } finally {
      await belfry.start('tenant-registry');
    }
    await until(() => belfry.ready('tenant-registry'), { what: 'registry ready', deadline_ms: 60_000, every_ms: 20 });
    await converges(t, parts, 'registry back');
    assert.equal(await belfry.pid('kamailio'), edge);
  });

  it('the registry hangs (SIGSTOP): the unknown gets 503 in time, and what was asked meanwhile is not lost', async (t) => {
    const parts = await furnished(t);
    const pid = await belfry.pid('tenant-registry');
    process.kill(pid, 'SIGSTOP');
    try {
      await goesOn(parts);
      await comeAgain(parts.stranger);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await converges(t, parts, 'registry awake');
    assert.equal(await belfry.pid('tenant-registry'), pid);
  });

  it('PostgreSQL stopped: calls go on, REST says 503; back: converged without a restart of ours', async (t) => {
    const parts = await furnished(t);
    const pids = [await belfry.pid('kamailio'), await belfry.pid('tenant-registry')];
    await belfry.stop('postgres');
    try {
      await goesOn(parts);
      await comeAgain(parts.stranger);
      assertProblem(await operator.get('/v1/tenants'), { status: 503 });
      assertProblem(await operator.post('/v1/tenants', { slug: 'x-y-z', name: 'x', domains: ['x-y-z.example'] }), { status: 503 });
      assert.equal((await fetch(`${belfry.admin('tenant-registry')}/health`)).status, 200, 'alive, though its database is not');
      assert.equal(await belfry.ready('tenant-registry'), false, 'but not ready');
    } finally {
      await belfry.start('postgres');
    }
    await until(() => belfry.ready('tenant-registry'), { what: 'registry ready', deadline_ms: 60_000, every_ms: 20 });
    await converges(t, parts, 'PostgreSQL back');
    assert.deepEqual([await belfry.pid('kamailio'), await belfry.pid('tenant-registry')], pids);
    assert.equal((await operator.get('/v1/tenants/x-y-z')).status, 404, 'what was refused was not written');
  });

  it('Redis stopped: nobody notices yet', async (t) => {
    const parts = await furnished(t);
    await belfry.stop('redis');
    try {
      await goesOn(parts);
      assert.equal((await parts.stranger.register()).status, 200);
    } finally {
      await belfry.start('redis');
    }
  });

  it('rtpengine stopped: a new call gets 503 with Retry-After, registrations go on; back: calls again', async (t) => {
    const parts = await furnished(t);
    for (const { name } of belfry.relays) await belfry.stop(name);
    try {
      const reply = await parts.a.invite('101', { body: sdp() }).final;
      assert.equal(reply.status, 503, reply.first);
      assert.match(reply.get('Retry-After') ?? '', /^[1-9]\d*/);
      assert.equal((await parts.a.register()).status, 200);
      assert.ok(!parts.b.has('INVITE'), 'nobody rings for a call that could not be heard');
    } finally {
      for (const { name } of belfry.relays) await belfry.start(name);
    }
    await until(() => parts.world.reaches(parts.a, parts.b), { what: 'calls again', deadline_ms: 30_000, every_ms: 100 });
  });
});

describe('killed with -9: back by itself, serving within 3 s', () => {
  const edgeServes = ({ name, sip }) => async ({ tenant }) => {
    const probe = await Ua.open({ server: sip, user: 'probe', domain: tenant.domain, host: source() });
    try {
      return (await probe.transact(probe.compose('OPTIONS'), { deadline_ms: 300 })).status === 200 && (await belfry.ready(name));
    } finally {
      await probe.close();
    }
  };
  const coturnServes = async () => {
    const turn = await Turn.open(turnPlace(belfry.env.BELFRY_TURN.split(' ').find((url) => /^turn:.*tcp$/.test(url))));
    try {
      return (await turn.binding()).host;
    } finally {
      turn.close();
    }
  };
  const each = (copies, serve) => Object.fromEntries(copies.map((copy) => [copy.name, serve(copy)]));
  const serves = {
    ...each(belfry.edges, edgeServes),
    ...each(belfry.relays, ({ ng: place }) => async () => (await ng(place, { command: 'ping' }, { deadline_ms: 300 })).result === 'pong'),
    ...each([...belfry.controls, ...belfry.fanouts], ({ name }) => () => belfry.ready(name)),
    'tenant-registry': restAnswers,
    postgres: restAnswers,
    nginx: restAnswers,
    coturn: coturnServes,
    redis: async () => execFileSync('redis-cli', ['-s', `${belfry.env.BELFRY_PGHOST}/redis.sock`, 'PING'], { encoding: 'utf8' }).startsWith('PONG'),
  };

  it('this test knows every program', async () => {
    const names = (await belfry.programs()).map(({ name }) => name).filter((name) => name !== 'watch');
    assert.deepEqual(names.sort(), Object.keys(serves).sort());
  });

  for (const program of Object.keys(serves)) {
    it(program, async (t) => {
      const parts = await furnished(t);
      const before = await belfry.kill9(program);
      const time = elapsed();
      await until(async () => {
        const pid = await belfry.pid(program);
        return pid && pid !== before && (await serves[program](parts));
      }, { what: `${program} serving again`, deadline_ms: 60_000, every_ms: 20 });
      observed(t, `${program} serves again`, time(), PROMISED.serve_again_ms);
      for (const ua of [parts.a, parts.b]) {
        await until(async () => (await ua.register({ deadline_ms: 5_000 })).status === 200, { what: `${ua.aor} registers`, deadline_ms: 30_000, every_ms: 50 });
      }
      await until(() => parts.world.reaches(parts.a, parts.b), { what: 'a call', deadline_ms: 30_000, every_ms: 100 });
    });
  }

  it('a worker process of the edge', async (t) => {
    const parts = await furnished(t);
    const main = await belfry.pid('kamailio');
    const workers = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => parentOf(pid) === main);
    assert.ok(workers.length > 4, 'the edge has workers');
    process.kill(workers[Math.floor(workers.length / 2)], 'SIGKILL');
    const time = elapsed();
    await until(async () => (await belfry.pid('kamailio')) !== main && (await serves.kamailio(parts)), { what: 'edge serving again', deadline_ms: 60_000, every_ms: 20 });
    observed(t, 'edge serves again', time(), PROMISED.serve_again_ms);
  });
});

function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  } catch {
    return 0;
  }
}

describe('an extension deleted by REST', () => {
  it('can no longer register or call within 100 ms', async (t) => {
    const world = new World(t);
    const numbers = Array.from({ length: 9 }, (_, i) => String(200 + i));
    const tenant = await world.tenant({ numbers });
    const took = { register: [], call: [] };
    for (const [i, number] of numbers.entries()) {
      const ua = await world.ua(tenant, number);
      assert.equal((await ua.register()).status, 200);
      assert.equal((await ua.invite('999').final).status, 404, 'it may call before');
      const what = i % 2 ? 'call' : 'register';
      const attempt = async () => (what === 'call' ? (await ua.invite('999').final).status === 407 : (await ua.register()).status === 401);
      assert.equal((await operator.delete(`/v1/tenants/${tenant.id}/extensions/${number}`)).status, 204);
      const time = elapsed();
      await until(attempt, { what: `refusal to ${what}`, deadline_ms: 20_000, every_ms: 2 });
      took[what].push(time());
    }
    for (const [what, times] of Object.entries(took)) {
      const sorted = times.sort((x, y) => x - y);
      observed(t, `refusal to ${what} after the deletion, median of ${sorted.length} (largest ${sorted.at(-1).toFixed(0)} ms)`, sorted[Math.floor(sorted.length / 2)], PROMISED.deletion_ms);
    }
  });
});
