// The console as people see it: a real browser at a real instance, with calls, devices, webhooks and hostile names in it.
//
// Every page is opened wide and light, and at 360 px and dark in Portuguese; its picture is kept beside the test's other output.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after } from 'node:test';
import { unique } from '../lib/api.mjs';
import { Browser, phonePath, serious, signIn } from '../lib/browser.mjs';
import { CallBook } from '../lib/calls.mjs';
import { answers, ringing } from '../lib/office.mjs';
import { Receiver } from '../lib/receiver.mjs';
import { RtpEnd } from '../lib/rtp.mjs';
import { md5, mediaOf, sdp } from '../lib/sip_message.mjs';
import { until } from '../lib/until.mjs';
import { hangUp, World } from '../lib/world.mjs';

const browser = await Browser.open({ after });

const HOSTILE = '<img src=x onerror=alert(1)>';
const HOSTILE_TENANT = `"><script>alert(1)</script> O'Hara & Söhne`;
const HOSTILE_AGENT = `Phone/1 <svg onload=alert(2)>`;

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
  await operator.ok('POST', `${base}/groups`, { number: '600', display_name: `Recepção ${HOSTILE}`, strategy: 'all', members: ['101', '102'] });
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
  ['calls', 'Live calls', 'Chamadas ao vivo', 'tr.call .spark:has(path[d*=L])'],
  ['cdrs', 'Past calls', 'Chamadas passadas', 'table.list tbody tr'],
  ['extensions', 'Extensions', 'Ramais', 'table.list tbody tr'],
  ['groups', 'Groups', 'Grupos', 'table.list tbody tr'],
  ['registrations', 'Registrations', 'Registros', 'table.list tbody tr'],
  ['phone', 'Phone', 'Telefone', '.card a'],
  ['webhooks', 'Webhooks', 'Webhooks', 'table.list tbody tr'],
  ['deliveries', 'Deliveries', 'Entregas', 'table.list tbody tr'],
  ['keys', 'API keys', 'Chaves de API', 'table.list tbody tr'],
  ['audit', 'Audit trail', 'Auditoria', 'table.list tbody tr'],
  ['settings', 'Settings', 'Configurações', 'pre.zone'],
];
const OPERATOR_PAGES = [
  ['tenants', 'Tenants', 'Clientes', 'table.list tbody tr'],
  ['health', 'Health', 'Saúde', 'table.list tbody tr'],
  ['edges', 'Edges', 'Bordas', 'section[aria-labelledby=relays] td:nth-child(3) .cell:text-matches("^[1-9]")'], // a relay has the live call
];

/** Goes to a page and says what is wrong with it: sideways scrolling, what axe-core finds serious, errors and CSP violations. */
async function look(page, { path, name, heading, wants }) {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, `/console/${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.locator(wants).first().waitFor();
  await page.shot(name);
  const wide = await page.wide();
  return [...(wide > 0 ? [`scrolls ${wide} px sideways`] : []), ...(await serious(page)), ...page.faults.splice(0)].map((what) => `${name}: ${what}`);
}

/** Until what has the focus is called so. A page moves it when what it has drawn is on the screen. */
const focused = (page, by, name) => until(async () => name.test(await page.evaluate((key) => document.activeElement[key], by)), { what: `the focus at ${name}` });

test('every page, wide and light, and at 360 px and dark in Portuguese', async (t) => {
  const all = await scene(t);
  const { tenant, world } = all;
  const { cdr } = await groupCall(all);
  const live = await talk(all);
  const pages = [...OPERATOR_PAGES.map(([path, ...rest]) => [path, path, ...rest]), ...TENANT_PAGES.map(([path, ...rest]) => [path, `t/${tenant.slug}/${path}`, ...rest]),
    ['call-live', `t/${tenant.slug}/calls/${live.id}`, /100 → 101/, /100 → 101/, '.timeline svg'],
    ['call-over', `t/${tenant.slug}/cdrs/${cdr.id}`, /100 → 600/, /100 → 600/, '.timeline svg']];
  const wrong = [];
  for (const [kind, options, heading] of [['wide', {}, (en) => en], ['narrow', { width: 360, height: 740, dark: true, lang: 'pt-BR' }, (_, pt) => pt]]) {
    const page = await browser.page(t, { base: world.belfry.api, ...options });
    await page.goto('/');
    await page.shot(`login-${kind}`);
    assert.deepEqual(await serious(page), []);
    await page.locator('#key').fill(world.belfry.operator_key);
    await page.locator('button[type=submit]').click();
    await page.getByRole('heading', { level: 1, name: heading('Tenants', 'Clientes') }).waitFor();
    for (const [name, path, en, pt, wants] of pages) wrong.push(...(await look(page, { path, name: `${name}-${kind}`, heading: heading(en, pt), wants })));
    if (kind === 'wide') {
      await page.evaluate(() => document.querySelector('main').append(document.createElement('button')));
      assert.match((await serious(page)).join(), /button-name/, 'a fault would be found');
    }
  }
  assert.deepEqual(wrong, []);
});

test('live calls move by themselves: a call begins, rings, is answered and ends, each within a moment of its event', async (t) => {
  const { world, tenant, phones, book } = await scene(t);
  const page = await browser.page(t, { base: world.belfry.api });
  await signIn(page, tenant.key);
  await page.waitForSelector('[data-moves=live]');
  const row = page.locator('tr.call');
  assert.equal(await row.count(), 0);
  await page.evaluate(() => { // when each word was first seen
    globalThis.seen = {};
    new MutationObserver(() => {
      for (const word of ['Ringing', 'Talking', 'Over']) if (document.querySelector('tr.call')?.innerText.includes(word)) globalThis.seen[word] ??= Date.now();
    }).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const call = phones['100'].invite('101', { body: sdp() });
  const request = await ringing(phones['101']);
  await row.filter({ hasText: 'Ringing' }).waitFor();
  const dialog = await answers(call, phones['101'], request);
  await row.filter({ hasText: 'Talking' }).waitFor();
  await hangUp(dialog, phones['100']);
  await row.filter({ hasText: 'Over' }).waitFor();
  const { cdr } = await book.over(call.call_id);
  const seen = await page.evaluate(() => globalThis.seen);
  t.diagnostic(`shown after: ringing ${seen.Ringing - Date.parse(cdr.ringing_at)} ms, answered ${seen.Talking - Date.parse(cdr.answered_at)} ms, over ${seen.Over - Date.parse(cdr.ended_at)} ms`);
  await row.waitFor({ state: 'detached' }); // it lingers, then goes
  assert.deepEqual(page.faults, []);
});

test('a login link signs in once, leaves no trace in the address bar, and its session ends with signing out', async (t) => {
  const world = new World(t);
  const { path } = await world.operator.ok('POST', '/v1/logins', {});
  const page = await browser.page(t, { base: world.belfry.api });
  await page.goto(path);
  await page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
  assert.doesNotMatch(page.url(), /#|login|bfk_/);
  const key = await page.evaluate(() => sessionStorage.getItem('belfry.key'));
  assert.notEqual(key, path.split('=')[1], 'the tab has a key of its own');
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage)).then((kept) => kept.includes('bfk_')), false);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();

  const second = await browser.page(t, { base: world.belfry.api });
  await second.goto(path);
  await second.getByRole('alert').filter({ hasText: 'used already or has expired' }).waitFor();
  assert.deepEqual(await serious(second), []);

  const tenant = await world.tenant({ numbers: [] });
  for (let i = 0; i < 2; i++) { // an operator's tab makes one key for a tenant's events, however often it is loaded
    await page.goto(`/console/t/${tenant.slug}/calls`);
    await page.waitForSelector('[data-moves=live]');
  }
  assert.deepEqual((await tenant.api.list(`/v1/tenants/${tenant.id}/keys`)).map(({ name }) => name).sort(), ['first key', 'operator: live calls']);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.equal((await world.operator.as(key).get('/v1/session')).status, 401);
  assert.deepEqual(page.faults, []);
});

test('a wrong key is refused in words; a key that is revoked while one works leads back to signing in', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const made = await tenant.api.ok('POST', `/v1/tenants/${tenant.id}/keys`, { role: 'reader', name: 'short' });
  const page = await browser.page(t, { base: world.belfry.api });
  await page.goto('/');
  await page.getByLabel('API key').fill('bfk_not_a_key_at_all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'unknown, revoked or expired' }).waitFor();
  await signIn(page, made.api_key);
  await page.getByRole('link', { name: 'Extensions' }).click();
  await page.getByRole('heading', { level: 1, name: 'Extensions' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'New extension' }).count(), 0, 'a reader is not offered what it may not do');
  await page.locator('.empty').waitFor(); // the list was read: from here on the page asks nothing by itself
  await tenant.api.ok('DELETE', `/v1/tenants/${tenant.id}/keys/${made.id}`);
  await page.getByRole('link', { name: 'Groups' }).click();
  await page.getByLabel('API key').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('an operator makes a tenant, an extension and its provisioning, by keyboard alone where it is typed', async (t) => {
  const world = new World(t);
  const slug = unique('web');
  const page = await browser.page(t, { base: world.belfry.api });
  await signIn(page, world.belfry.operator_key);
  await page.getByRole('button', { name: 'New tenant' }).press('Enter');
  await page.getByLabel('Name', { exact: true }).fill(`Web ${slug}`);
  await page.keyboard.press('Tab');
  await page.keyboard.type(slug);
  await page.keyboard.press('Tab');
  await page.keyboard.type('not a domain!');
  await page.getByRole('button', { name: 'Create' }).press('Enter');
  await page.locator('.row.list .wrong').waitFor(); // the service's word stands beside the field
  await page.getByLabel('Domains').fill(`${slug}.example`);
  await page.getByRole('button', { name: 'Create' }).press('Enter');
  const secret = page.locator('[data-secret]');
  await secret.waitFor();
  assert.match(await secret.innerText(), /^bfk_/);
  await page.keyboard.press('Escape');
  await secret.waitFor({ state: 'detached' });

  await page.goto(`/console/t/${slug}/extensions`);
  await page.getByRole('button', { name: 'New extension' }).click();
  await page.getByLabel('Number', { exact: true }).fill('200');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.locator('svg.qr').nth(1).waitFor();
  const password = await page.locator('[data-secret]').innerText();
  assert.ok(password.length >= 20);
  await page.shot('provisioning');
  assert.deepEqual(await serious(page), []);
  await page.getByRole('button', { name: 'Copy: Linphone' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const answer = await fetch(link);
  const xml = await answer.text();
  assert.match(answer.headers.get('content-type'), /xml/);
  assert.ok(xml.includes(`sip:200@${slug}.example`) && xml.includes(md5(`200:${slug}.example:${password}`)), xml);
  assert.ok(!readFileSync(`${world.belfry.run}/log/nginx.log`, 'utf8').includes(link.split('/').at(-1)), 'the link is in no log');
  await page.keyboard.press('Escape');

  // The password that was shown is the one that the edge takes.
  const tenant = { domain: `${slug}.example`, passwords: { 200: password } };
  const ua = await world.ua(tenant, '200');
  await until(async () => (await ua.register()).status === 200, { what: '200 registers', every_ms: 100 });
  await page.getByRole('link', { name: 'Registrations' }).click();
  await page.locator('table.list tbody tr').filter({ hasText: '200' }).waitFor();

  await page.goto('/console/tenants');
  const row = page.locator('tr').filter({ hasText: slug });
  const others = page.getByRole('button', { name: 'Show more' });
  await until(async () => (await row.count()) > 0 || (await others.isVisible() && await others.click().then(() => false)), { what: 'the tenant in the list, however many there are' });
  await row.getByRole('button', { name: /^Suspend/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await row.getByText('Suspended').waitFor();
  const more = row.getByRole('button', { name: /^More/ });
  await more.press('Enter');
  await page.locator('.more-list button:focus').filter({ hasText: 'Limits' }).waitFor();
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press('Escape');
  await page.locator('.more-list').waitFor({ state: 'detached' });
  await focused(page, 'ariaLabel', /^More/); // the focus is back where it was
  assert.deepEqual(page.faults, []);
});

test('a webhook that nobody heard is sent again by hand, and its log says what came of it', async (t) => {
  const all = await scene(t);
  const { tenant, world, receiver } = all;
  receiver.answer = () => 500;
  await groupCall(all);
  const page = await browser.page(t, { base: world.belfry.api });
  await signIn(page, tenant.key);
  await page.getByRole('link', { name: 'Deliveries' }).click();
  await page.locator('tr').filter({ hasText: 'call.answered' }).first().waitFor();
  receiver.answer = () => 204;
  const before = receiver.got.length;
  await page.getByRole('button', { name: 'Send again: call.answered' }).first().click();
  await until(() => receiver.got.slice(before).some(({ event }) => event.type === 'call.answered'), { what: 'the event comes again' });
  await page.getByRole('button', { name: 'Details: call.answered' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Attempts').or(dialog.getByText('Not tried yet')).first().waitFor();
  await page.shot('delivery');
  assert.deepEqual(await serious(page), []);
  assert.deepEqual(page.faults, []);
});

test('a call is hung up and searched for by hand', async (t) => {
  const all = await scene(t);
  const { tenant, world, phones, book } = all;
  const live = await talk(all);
  const page = await browser.page(t, { base: world.belfry.api });
  await signIn(page, tenant.key);
  await page.getByRole('button', { name: 'Hang up 100 and 101' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Hang up' }).click();
  for (const number of ['100', '101']) phones[number].reply(await phones[number].incoming('BYE'), 200);
  await page.locator('tr.call').filter({ hasText: 'Over' }).waitFor();
  await book.over(live.sip_call_id);
  await page.getByRole('link', { name: 'Past calls' }).click();
  await page.getByLabel('Number').fill('101');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.locator('tbody tr').filter({ hasText: 'Answered' }).waitFor();
  await page.getByLabel('Number').fill('999');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByText('No calls were found').waitFor();
  assert.deepEqual(page.faults, []);
});

test('hostile names stand there letter by letter, and nothing in them becomes an element or runs', async (t) => {
  const all = await scene(t);
  const { tenant, world, receiver, phones } = all;
  receiver.answer = () => ({ status: 500, body: HOSTILE });
  await groupCall(all);
  const page = await browser.page(t, { base: world.belfry.api });
  await signIn(page, world.belfry.operator_key);
  const shows = async (path, text) => {
    await page.goto(`/console/${path}`);
    await page.getByText(text, { exact: false }).first().waitFor();
    assert.equal(await page.locator('main :is(img, script, b, svg[onload]), nav :is(img, script)').count(), 0, `${path} made an element of ${text}`);
  };
  await shows(`t/${tenant.slug}/extensions`, HOSTILE);
  await shows(`t/${tenant.slug}/groups`, HOSTILE);
  await shows(`t/${tenant.slug}/registrations`, HOSTILE_AGENT);
  await shows(`t/${tenant.slug}/keys`, 'Backoffice <b>');
  await shows(`t/${tenant.slug}/settings`, HOSTILE_TENANT);
  await shows(`t/${tenant.slug}/audit`, 'extension/100');
  await page.locator('tr').filter({ hasText: 'extension.change' }).filter({ hasText: 'extension/100' }).locator('summary').click();
  await page.locator('.changes').getByText(HOSTILE, { exact: true }).waitFor();
  await until(async () => (await world.operator.list(`${all.base}/deliveries`)).some(({ type, code }) => type === 'call.started' && code === 500), { what: 'the receiver has answered' });
  await shows(`t/${tenant.slug}/deliveries`, 'call.started');
  await page.getByRole('button', { name: 'Details: call.started' }).first().click();
  await page.getByRole('dialog').getByText(HOSTILE).first().waitFor();

  const phone = await browser.page(t, { base: world.belfry.api, width: 440 });
  await phone.goto(phonePath({ number: '102', domain: tenant.domain, password: tenant.passwords['102'], name: HOSTILE }));
  await phone.waitForSelector('[data-registration=registered]');
  assert.match(await phone.locator('.phone-top').innerText(), /<img src=x onerror=alert\(1\)>/);
  const call = phones['100'].invite('102', { body: sdp(), display: `"${HOSTILE}" ` });
  await phone.locator('.call-card.incoming .peer').filter({ hasText: HOSTILE }).waitFor();
  assert.equal(await phone.locator('main img').count(), 0);
  await phone.shot('phone-hostile');
  void call.cancel();
  await phone.waitForSelector('.keypad');
  assert.deepEqual([...page.faults, ...phone.faults], []);
});

test('by keyboard at 360 px: the menu opens, leads to a page and closes; who uses a screen reader hears where they are', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: ['100'] });
  const page = await browser.page(t, { base: world.belfry.api, width: 360, height: 740 });
  await page.goto('/');
  await page.waitForSelector('#key:focus');
  await page.keyboard.type(tenant.key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Live calls' }).waitFor();
  await focused(page, 'textContent', /^Live calls$/); // a new page has the focus at its heading
  const menu = page.getByRole('button', { name: 'Menu' });
  await menu.press('Enter');
  assert.equal(await menu.getAttribute('aria-expanded'), 'true');
  await page.shot('menu-narrow');
  assert.deepEqual(await serious(page), []);
  await page.getByRole('link', { name: 'Extensions' }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Extensions' }).waitFor();
  await until(async () => (await menu.getAttribute('aria-expanded')) === 'false', { what: 'the menu is closed' });
  await focused(page, 'textContent', /^Extensions$/);
  assert.match(await page.title(), /^Extensions/);
  await page.getByRole('button', { name: /^Set up a phone/ }).press('Enter');
  await page.locator('svg.qr').waitFor();
  await page.shot('provisioning-narrow');
  assert.equal(await page.wide(), 0);
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await focused(page, 'ariaLabel', /^Set up a phone/); // a closed dialog gives the focus back
  assert.deepEqual(page.faults, []);
});

test('language and colours are chosen, and kept', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant({ numbers: [] });
  const page = await browser.page(t, { base: world.belfry.api });
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await signIn(page, tenant.key);
  await page.getByRole('heading', { level: 1, name: 'Live calls' }).waitFor();
  await page.getByLabel('Language').selectOption('pt');
  await page.getByRole('heading', { level: 1, name: 'Chamadas ao vivo' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'pt-BR');
  const light = await back();
  await page.getByRole('button', { name: /^Tema: como o sistema/ }).click();
  await page.getByRole('button', { name: /^Tema: claro/ }).click();
  await page.getByRole('button', { name: /^Tema: escuro/ }).waitFor();
  assert.notEqual(await back(), light);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Chamadas ao vivo' }).waitFor();
  assert.notEqual(await back(), light);
});

test('the first load is small, all of it from here, and kept as its headers say', async (t) => {
  const world = new World(t);
  const page = await browser.page(t, { base: world.belfry.api });
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const loaded = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => loaded.set(requestId, { url: response.url, headers: response.headers, bytes: 0 }));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => loaded.has(requestId) && (loaded.get(requestId).bytes = encodedDataLength));
  await page.goto('/', { waitUntil: 'networkidle' });
  await page.getByLabel('API key').waitFor();
  const files = [...loaded.values()];
  const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
  assert.ok(bytes > 10_000 && bytes < 150 * 1024, `${bytes} bytes: ${files.map(({ url, bytes }) => `${url} ${bytes}`).join(', ')}`);
  assert.ok(files.every(({ url }) => url.startsWith(world.belfry.api)), 'nothing comes from elsewhere');
  for (const { url, headers } of files) {
    const header = (name) => Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
    assert.match(header('content-security-policy'), /default-src 'none'.*script-src 'self'.*require-trusted-types-for 'script'/, url);
    assert.doesNotMatch(header('content-security-policy'), /unsafe|\*/, url);
    assert.equal(header('x-content-type-options'), 'nosniff', url);
    assert.equal(header('referrer-policy'), 'no-referrer', url);
    assert.match(header('cache-control'), url.includes('/assets/') ? /immutable/ : /no-store/, url);
    assert.equal(header('strict-transport-security'), '', 'over http it would say nothing');
  }
  const interactive_ms = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domInteractive);
  t.diagnostic(`first load: ${bytes} bytes, interactive after ${Math.round(interactive_ms)} ms`);
  const phone = await fetch(`${world.belfry.api}/phone`);
  assert.match(phone.headers.get('content-security-policy'), /frame-ancestors 'self'/);
  assert.equal(phone.headers.get('x-frame-options'), null);
  assert.equal((await fetch(`${world.belfry.api}/assets/none.js`)).status, 404);
});
