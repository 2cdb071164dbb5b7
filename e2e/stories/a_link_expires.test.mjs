import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, openPayable } from '../support/browser.mjs';
import { inspect } from '../support/inspection.mjs';
import { advanceClock, linkAfter, linkFor, resendLink } from '../support/world.mjs';

const DAY_MS = 86_400_000;

test('a link that does not exist is a 404 that tells nothing', async (t) => {
  const known = await linkFor('email_only', { channel: 'email' });
  const { page } = await customer(t);
  const unknown = new URL(`/p/${'A'.repeat(43)}`, known).href;
  assert.equal((await page.goto(unknown)).status(), 404);
  await page.getByRole('heading', { name: 'We cannot find this page' }).waitFor();
  await inspect(page, 'unknown');
});

test('a resent link works and the one before it points to the newer message', async (t) => {
  const { page } = await customer(t);
  let older;
  const newer = await linkAfter(async () => {
    older = await linkFor('zero_decimal');
    await resendLink('zero_decimal');
  }).then((link) => (link === older ? undefined : link));
  assert.ok(newer, 'no second link arrived');
  assert.equal((await page.goto(older)).status(), 410);
  await page.getByRole('heading', { name: 'There is a newer link' }).waitFor();
  await inspect(page, 'superseded');
  await openPayable(page, newer);
});
