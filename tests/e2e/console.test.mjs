// The console as people see it: a real browser at a real instance, with calls, devices, webhooks and hostile names in it.
//
// Every page is opened wide and light, and at 360 px and dark in Portuguese; its picture is kept beside the test's other output.
import assert from 'node:assert/strict';
import test from 'node:test';
import { unique } from '../lib/api.mjs';
import { Browser, serious } from '../lib/browser.mjs';
import { CallBook } from '../lib/calls.mjs';
import { answers, ringing } from '../lib/office.mjs';
import { Receiver } from '../lib/receiver.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { mediaOf, sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { hangUp, World } from '../lib/world.mjs';

const HOSTILE = '<img src=x onerror=alert(1)>';
const HOSTILE_TENANT = `"><script>alert(1)</script> O'Hara & Söhne`;
const HOSTILE_AGENT = `Phone/1 <svg onload=alert(2)>`;

async function signIn(page, key) {
  await page.goto('/');
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('nav a');
}

/** A tenant in which something has happened. */
async function scene(t) {
  const world = new World(t);
  const receiver = await Receiver.open();
  world.onClose(() => receiver.close());
  const tenant = await world.tenant({ numbers: ['100', '101', '102'], name: HOSTILE_TENANT, limits: { requests_per_minute: 6000 } });
  const base = `/v1/tenants/${tenant.id}`;
  const { operator } = world;
  const book = new CallBook(operator, tenant);
  await operator.ok('PATCH', `${base}/extensions/100`, { display_name: HOSTILE });
  await operator.ok('PATCH', `${base}/extensions/102`, { display_name: 'Portaria', forward_no_answer: '100', ring_seconds: 20 });
  await operator.ok('POST', `${base}/groups`, { number: '600', display_name: 'Recepção', strategy: 'all', members: ['101', '102'] });
  await operator.ok('POST', `${base}/webhooks`, { url: receiver.url('/hook'), events: ['call.*'] });
  await operator.ok('POST', `${base}/webhooks`, { url: 'http://127.0.0.1:1/nobody-listens-here', events: ['call.ended'] });
  await operator.ok('POST', `${base}/keys`, { role: 'reader', name: 'Backoffice <b>', expires_at: new Date(Date.now() + 86_400_000).toISOString() });
  const phones = {};
  for (const number of ['100', '101', '102']) phones[number] = await book.registered(await world.ua(tenant, number), { headers: [['User-Agent', HOSTILE_AGENT]] });
  return { world, tenant, base, book, receiver, phones, operator };
}

/** 100 calls the group: 101 is busy, 102 rings and answers, and they talk. */
async function groupCall({ phones, book }) {
  const call = phones['100'].invite('600', { body: sdp() });
  const busy = await ringing(phones['101']);
  const request = await ringing(phones['102']);
  phones['101'].reply(busy, 486);
  await phones['101'].incoming('ACK');
  const dialog = await answers(call, phones['102'], request);
  await book.running(call.call_id, { state: /answered/ });
  await hangUp(dialog, phones['100']);
  return book.over(call.call_id);
}

/** 100 and 101 talk, with sound, until the test is over. */
async function talk({ world, phones, book }) {
  const [a, b] = [await RtpEnd.open(), await RtpEnd.open()];
  let talking = true;
  let sound;
  world.onClose(async () => {
    talking = false;
    await sound;
    await Promise.all([a.close(), b.close()]);
  });
  const call = phones['100'].invite('101', { body: sdp(a) });
  const request = await ringing(phones['101']);
  phones['101'].reply(request, 200, { body: sdp(b) });
  const answer = await call.final;
  call.ack();
  await phones['101'].incoming('ACK');
  const send = async (end, to) => {
    while (talking) await end.send(to, 10);
  };
  sound = Promise.all([send(a, mediaOf(answer.body)), send(b, mediaOf(request.body))]);
  return book.running(call.call_id, { state: /answered/ });
}

const TENANT_PAGES = [
  ['calls', 'Live calls', 'Chamadas ao vivo', 'tr.call .spark path[d*=L]'],
  ['cdrs', 'Past calls', 'Chamadas passadas', 'table.list tbody tr'],
  ['extensions', 'Extensions', 'Ramais', 'table.list tbody tr'],
  ['groups', 'Groups', 'Grupos', 'table.list tbody tr'],
  ['registrations', 'Registrations', 'Registros', 'table.list tbody tr'],
  ['phone', 'Phone', 'Telefone', 'form'],
  ['webhooks', 'Webhooks', 'Webhooks', 'table.list tbody tr'],
  ['deliveries', 'Deliveries', 'Entregas', 'table.list tbody tr'],
  ['keys', 'API keys', 'Chaves de API', 'table.list tbody tr'],
  ['audit', 'Audit trail', 'Auditoria', 'table.list tbody tr'],
  ['settings', 'Settings', 'Configurações', 'pre.zone'],
];
const OPERATOR_PAGES = [
  ['tenants', 'Tenants', 'Clientes', 'table.list tbody tr'],
  ['health', 'Health', 'Saúde', 'table.list tbody tr'],
  ['edges', 'Edges', 'Bordas', 'table.list tbody tr'],
];

/** Opens a page and says what is wrong with it: sideways scrolling, what axe-core finds serious, errors and CSP violations. */
async function look(page, { path, name, heading, wants }) {
  await page.goto(`/console/${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.locator(wants).first().waitFor();
  await page.shot(name);
  const wide = await page.wide();
  return [...(wide > 0 ? [`scrolls ${wide} px sideways`] : []), ...(await serious(page)), ...page.faults.splice(0)].map((what) => `${name}: ${what}`);
}

test('every page, wide and light, and at 360 px and dark in Portuguese', async (t) => {
  const all = await scene(t);
  const { tenant, world } = all;
  const { cdr } = await groupCall(all);
  const live = await talk(all);
  const browser = await Browser.open(t);
  const pages = [...OPERATOR_PAGES.map(([path, ...rest]) => [path, path, ...rest]), ...TENANT_PAGES.map(([path, ...rest]) => [path, `t/${tenant.slug}/${path}`, ...rest]),
    ['call-live', `t/${tenant.slug}/calls/${live.id}`, /100 → 101/, /100 → 101/, '.timeline svg'],
    ['call-over', `t/${tenant.slug}/calls/${cdr.id}`, /100 → 600/, /100 → 600/, '.timeline svg']];
  const wrong = [];
  for (const [kind, options, heading] of [['wide', {}, (en) => en], ['narrow', { width: 360, height: 740, dark: true, lang: 'pt-BR' }, (_, pt) => pt]]) {
    const page = await browser.page({ base: world.belfry.api, ...options });
    await page.goto('/');
    await page.shot(`login-${kind}`);
    assert.deepEqual(await serious(page), []);
    await page.locator('#key').fill(world.belfry.operator_key);
    await page.locator('button[type=submit]').click();
    await page.getByRole('heading', { level: 1, name: heading('Tenants', 'Clientes') }).waitFor();
    for (const [name, path, en, pt, wants] of pages) wrong.push(...(await look(page, { path, name: `${name}-${kind}`, heading: heading(en, pt), wants })));
  }
  assert.deepEqual(wrong, []);
});

test('live calls move by themselves: a call begins, rings, is answered and ends, each within a moment of its event', async (t) => {
  const { world, tenant, phones } = await scene(t);
  const browser = await Browser.open(t);
  const page = await browser.page({ base: world.belfry.api });
  await signIn(page, tenant.key);
  await page.waitForSelector('[data-moves=live]');
  const row = page.locator('tr.call');
  assert.equal(await row.count(), 0);
  const call = phones['100'].invite('101', { body: sdp() });
  const request = await ringing(phones['101']);
  await row.filter({ hasText: 'Ringing' }).waitFor();
  const dialog = await answers(call, phones['101'], request);
  await row.filter({ hasText: 'Talking' }).waitFor();
  await hangUp(dialog, phones['100']);
  await row.filter({ hasText: 'Over' }).waitFor();
  await row.waitFor({ state: 'detached' }); // it lingers, then goes
  assert.deepEqual(page.faults, []);
});
