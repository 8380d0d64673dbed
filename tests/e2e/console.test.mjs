// The console, as people see it: a real browser at a real instance.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Browser } from '../lib/browser.mjs';
import { hangUp, World } from '../lib/world.mjs';
import { until } from '../lib/until.mjs';

const signIn = async (page, key) => {
  await page.goto('/');
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('nav a');
};

test('a tenant signs in and sees a call begin, ring, talk and end without reloading', async (t) => {
  const world = new World(t);
  const tenant = await world.tenant();
  const [caller, callee] = await world.pair(tenant);
  const browser = await Browser.open(t);
  const page = await browser.page({ base: world.belfry.api });
  await signIn(page, tenant.key);
  await page.waitForSelector('[data-moves=live]');
  assert.match(page.url(), new RegExp(`/console/t/${tenant.slug}/calls$`));
  assert.equal(await page.locator('tr.call').count(), 0);
  const { call, dialog } = await world.call(caller, callee);
  const row = page.locator('tr.call');
  await row.filter({ hasText: 'Talking' }).waitFor();
  assert.match(await row.innerText(), /100\s+101/);
  await page.shot('calls-live');
  await hangUp(dialog, caller);
  await row.filter({ hasText: 'Over' }).waitFor();
  assert.ok(call);
  assert.deepEqual(page.faults, []);
});
