// belfryctl against the running instance: what it shows, what it says when something is wrong, and that no secret is where others
// can see it.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { unique } from '../lib/api.mjs';
import { ROOT } from '../lib/instance.mjs';
import { until } from '../lib/until.mjs';
import { World } from '../lib/world.mjs';

const world = new World();
const { belfry, operator } = world;
const program = [path.join(belfry.run, 'bin/belfryctl'), path.join(ROOT, 'build', process.env.BUILD ?? 'release', 'bin/belfryctl')].find(existsSync);
const clean = { PATH: process.env.PATH };
const asOperator = { BELFRY_API: belfry.api, BELFRY_OPERATOR_KEY: belfry.operator_key };

/** {code, out, err}; `env` alone is its environment. */
function ctl(args, { env = asOperator, input } = {}) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { env: { ...clean, ...env }, timeout: 30_000 }, (error, out, err) => resolve({ code: error ? (error.code ?? error.signal) : 0, out, err }));
    child.stdin.on('error', () => {}); // it may have ended without reading
    child.stdin.end(input ?? '');
  });
}

async function ok(args, options) {
  const { code, out, err } = await ctl(args, options);
  assert.equal(code, 0, `belfryctl ${args.join(' ')}: ${err}`);
  return out;
}

const rows = (table) => table.trimEnd().split('\n').slice(1).map((line) => line.split(/\s{2,}/));

let tenant;
let asTenant;

before(async () => {
  assert.ok(program, 'belfryctl was built');
  mkdirSync(world.output, { recursive: true });
  tenant = await world.tenant({ numbers: ['100', '101'] });
  asTenant = { BELFRY_API: belfry.api, BELFRY_KEY: tenant.key };
});

describe('tenants, extensions, groups', () => {
  it('a tenant from its making to its end', async () => {
    const slug = unique('ctl');
    const made = JSON.parse(await ok(['tenant', 'create', slug, '--name', 'Made by hand', '--domain', `${slug}.example`, '--max-calls', '7', '--json']));
    assert.match(made.api_key, /^bfk_/);
    assert.equal(made.limits.max_calls, 7);
    assert.match(await ok(['tenant', 'show', slug]), /^limits\.max_calls +7$/m);
    assert.equal(await ok(['tenant', 'suspend', slug]), '');
    assert.equal((await operator.ok('GET', `/v1/tenants/${slug}`)).status, 'suspended');
    await ok(['tenant', 'resume', slug]);
    assert.ok(rows(await ok(['tenant', 'list', '--limit', '100000'])).some((row) => row[0] === slug && row[1] === 'active'));
    await ok(['tenant', 'delete', slug]);
    assert.equal((await ctl(['tenant', 'show', slug])).code, 4);
  });

  it("an extension; a tenant's key needs no --tenant", async () => {
    const made = await ok(['extension', 'create', '300', '--kind', 'door', '--display-name', 'Tür 1', '--forward-no-answer', '100'], { env: asTenant });
    assert.match(made, /^password +\S{24}$/m);
    const listed = rows(await ok(['extension', 'list'], { env: asTenant }));
    assert.deepEqual(listed.map((row) => row[0]), ['100', '101', '300']);
    assert.deepEqual(listed[2], ['300', 'door', 'Tür 1', '5', '-', '-', '-', '100', '30']);
    assert.match(await ok(['extension', 'change', '300', '--forward-no-answer', '', '--do-not-disturb', 'on'], { env: asTenant }), /^forward_no_answer +-$/m);
    assert.equal((await operator.ok('GET', `/v1/tenants/${tenant.id}/extensions/300`)).do_not_disturb, true);
    await ok(['extension', 'delete', '300'], { env: asTenant });
  });

  it('a password from standard input is the one that works', async (t) => {
    const own = new World(t);
    const out = await ok(['extension', 'password', '100', '--password-file', '-'], { env: asTenant, input: 'correct horse battery\n' });
    assert.ok(!out.includes('correct horse'), out);
    const ua = await own.ua({ ...tenant, passwords: { 100: 'correct horse battery' } }, '100');
    assert.equal((await ua.register()).status, 200);
  });

  it('a group keeps the order of its members', async () => {
    await ok(['group', 'create', '600', '--strategy', 'sequence', '--member', '101', '--member', '100', '--tenant', tenant.slug]);
    assert.deepEqual(rows(await ok(['group', 'list', '--tenant', tenant.id])), [['600', '-', 'sequence', '30', '101 100']]);
    await ok(['group', 'change', '600', '--member', '', '--tenant', tenant.slug]);
    assert.deepEqual(JSON.parse(await ok(['group', 'show', '600', '--json', '--tenant', tenant.slug])).members, []);
    await ok(['group', 'delete', '600', '--tenant', tenant.slug]);
  });

  it('lists go on where they were cut, and say so', async () => {
    const first = await ctl(['extension', 'list', '--limit', '1', '--json'], { env: asTenant });
    const { items, next } = JSON.parse(first.out);
    assert.deepEqual(items.map((each) => each.number), ['100']);
    assert.ok(first.err.includes(next), first.err);
    const rest = JSON.parse(await ok(['extension', 'list', '--after', next, '--json'], { env: asTenant }));
    assert.deepEqual([rest.items.map((each) => each.number), rest.next], [['101'], null]);
  });
});

describe('calls', () => {
  it('devices, a running call, its end and its story', async (t) => {
    const own = new World(t);
    const mine = await own.tenant({ numbers: ['100', '101'] });
    const env = { BELFRY_API: belfry.api, BELFRY_KEY: mine.key };
    const [a, b] = await own.pair(mine);
    const devices = await until(async () => {
      const table = rows(await ok(['registrations'], { env }));
      return table.length === 2 && table;
    }, { what: 'both devices are in the index', deadline_ms: 20_000 });
    assert.deepEqual(devices.map((row) => row[0]).sort(), ['100', '101']);
    assert.deepEqual(rows(await ok(['registrations', '--number', '101'], { env })).map((row) => row[0]), ['101']);
    await own.call(a, b);
    const [call] = await until(async () => {
      const { items } = JSON.parse(await ok(['calls', '--json'], { env }));
      return items.some(({ state }) => state === 'answered') && items;
    }, { what: 'the call is listed as answered', deadline_ms: 20_000 });
    assert.match(await ok(['calls'], { env }), new RegExp(`^${call.id} +answered +100 +101 `, 'm'));
    assert.match(await ok(['show', call.id], { env }), /^caller +100$/m);
    await ok(['hangup', call.id], { env });
    for (const ua of [a, b]) ua.reply(await ua.incoming('BYE'), 200);
    await until(async () => (await ctl(['cdr', call.id], { env })).code === 0, { what: 'the call has its CDR', deadline_ms: 20_000 });
    assert.match(await ok(['cdrs'], { env }), new RegExp(`^${call.id} .* answered .* api`, 'm'));
    const story = await ok(['why', call.id], { env });
    for (const line of [/ 0\.000 s /, / 101 .*is tried/, / 101 .*answers 200/, /the call ends: .*api/]) assert.match(story, line);
    assert.equal((await ctl(['hangup', call.id], { env })).code, 4);
  });

  it('the edges, and no drift that stays', async () => {
    const alive = belfry.edges.map(({ id }) => id);
    const listed = async () => rows(await ok(['edges'])).filter((row) => row[1] === 'yes').map(([id]) => id).sort().join();
    await until(async () => (await listed()) === alive.join(), { what: `of the edges only ${alive} alive`, deadline_ms: 20_000 }); // one that another test stopped is alive for some seconds
    const agree = async () => rows((await ctl(['drift'])).out).filter(([id]) => alive.includes(id)).every((row) => row.at(-1) === '-');
    await until(agree, { what: 'edges and index agree', deadline_ms: 20_000 });
    assert.equal((await ctl(['edges'], { env: asTenant })).code, 1);
  });

  it('drift tells how far the table of each edge is', async () => {
    const drift = async () => JSON.parse((await ctl(['drift', '--json'])).out).items.filter(({ id }) => belfry.edges.some((edge) => edge.id === id));
    const before = (await drift())[0].registry_seq;
    assert.ok(Number.isInteger(before), `${before}`);
    await world.tenant();
    await until(async () => (await drift()).every(({ table_seq, registry_seq }) => table_seq === registry_seq && table_seq > before), { what: 'all edges have the new tenant', deadline_ms: 20_000 });
  });

  it('an edge that runs is not forgotten', async () => {
    const { code, err } = await ctl(['edge', 'forget', belfry.edges[0].id]);
    assert.equal(code, 1);
    assert.match(err, /stop it first/);
    assert.equal((await ctl(['edge', 'forget', 'edge-of-nowhere'])).code, 4);
  });
});

describe('what goes wrong', () => {
  it('the problem of the API: its field, its detail, the request', async () => {
    const { code, out, err } = await ctl(['extension', 'create', 'a b', '--kind', 'app'], { env: asTenant });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^belfryctl: number: must be 1 to 32 .*\(400, request \S+\)\n$/);
  });

  it('which tenant? An operator has many', async () => {
    await world.tenant({ numbers: [] });
    const { code, err } = await ctl(['extension', 'list']);
    assert.equal(code, 2);
    assert.match(err, /--tenant/);
  });

  for (const [what, env, code, said] of [
    ['no API', { BELFRY_KEY: 'x' }, 2, /BELFRY_API/], ['no key', { BELFRY_API: belfry.api }, 2, /BELFRY_KEY/], ['a wrong key', { BELFRY_API: belfry.api, BELFRY_KEY: 'bfk_wrong' }, 1, /401/],
    ['nobody there', { BELFRY_API: 'http://127.0.0.1:9', BELFRY_KEY: 'x' }, 3, /cannot be reached/], ['no URL', { BELFRY_API: 'file:///etc/passwd', BELFRY_KEY: 'x' }, 2, /http/],
    ['a key that would be two headers', { BELFRY_API: belfry.api, BELFRY_KEY: 'x\r\nX-Evil: 1' }, 2, /key/],
  ]) {
    it(`${what}: exit code ${code}`, async () => {
      const answer = await ctl(['tenant', 'list'], { env });
      assert.equal(answer.code, code, answer.err);
      assert.match(answer.err, said);
    });
  }

  it('what is not Belfry is told from it, a redirect is not followed', async () => {
    const seen = [];
    const server = http.createServer((request, response) => {
      seen.push(request.url);
      if (request.url.startsWith('/moved')) response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end('<html>hello');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const api = `http://127.0.0.1:${server.address().port}`;
    after(() => server.close());
    for (const base of [api, `${api}/moved`]) {
      const { code, err } = await ctl(['tenant', 'list', '--api', base], { env: { BELFRY_KEY: 'x' } });
      assert.equal(code, 3);
      assert.match(err, /not as Belfry's API/);
    }
    assert.ok(!seen.includes('/elsewhere'), seen.join(' '));
    server.closeAllConnections();
    server.close();
  });

  it('what a device calls itself does not write on the terminal', async () => {
    const server = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ items: [{ number: '100', user_agent: 'Evil\u001b[2J\u009b31m' }], next: null }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const out = await ok(['registrations', '--tenant', 'x', '--api', `http://127.0.0.1:${server.address().port}`], { env: { BELFRY_KEY: 'x' } });
    server.closeAllConnections();
    server.close();
    assert.match(out, /Evil\?\[2J\?31m/);
    // eslint-disable-next-line no-control-regex
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(out), JSON.stringify(out));
  });
});

describe('secrets', () => {
  it('the key is in a file or in the environment, never a word of the command line', async () => {
    const file = path.join(world.output, 'key');
    writeFileSync(file, `${tenant.key}\n`, { mode: 0o600 });
    for (const [args, env] of [[['--key-file', file], {}], [[], { BELFRY_KEY_FILE: file }]])
      assert.ok((await ok(['extension', 'list', '--api', belfry.api, ...args], { env })).includes('101'));
    assert.equal((await ctl(['extension', 'list', '--key', tenant.key], { env: asTenant })).code, 2);
    assert.equal((await ctl(['extension', 'list', '--password', 'x'], { env: asTenant })).code, 2);
  });
});

describe('help', () => {
  it('the manual page is what the program says', async () => {
    assert.equal(await ok(['man'], { env: {} }), readFileSync(path.join(ROOT, 'docs/belfryctl.1'), 'utf8'));
  });

  it('every command of the overview has help of its own', async () => {
    const names = [...(await ok(['--help'], { env: {} })).matchAll(/^ {2}([a-z]+(?: [a-z]+)?)(?: [A-Z]+)* {2,}/gm)].map(([, name]) => name).filter((name) => !name.startsWith('-'));
    assert.ok(names.length >= 25, names.join(', '));
    for (const name of names) assert.match(await ok([...name.split(' '), '--help'], { env: {} }), new RegExp(`^usage: belfryctl ${name}`));
  });

  it('bash completes words, options and values', async () => {
    const script = path.join(world.output, 'completion');
    writeFileSync(script, await ok(['completion', 'bash'], { env: {} }));
    const complete = (...words) => spawnSync('bash', ['-c', `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _belfryctl; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', script, 'belfryctl', ...words], { encoding: 'utf8' }).stdout.trim().split('\n');
    assert.deepEqual(complete('te'), ['tenant']);
    assert.deepEqual(complete('extension', 'cr'), ['create']);
    assert.deepEqual(complete('--tenant', 'acme', 'extension', 'create', '100', '--ki'), ['--kind']);
    assert.deepEqual(complete('extension', 'create', '100', '--kind', 's'), ['softphone']);
    assert.deepEqual(complete('calls', '--js'), ['--json']);
  });
});
