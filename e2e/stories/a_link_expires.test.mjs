import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, openPayable } from '../support/browser.mjs';
import { inspect } from '../support/inspection.mjs';
import { advanceClock, linkAfter, linkFor, now, ready, resendLink } from '../support/world.mjs';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('a link that does not exist is a 404 that tells nothing', async (t) => {
  const { page } = await customer(t);
  assert.equal((await page.goto(new URL(`/p/${'A'.repeat(43)}`, ready.product_url).href)).status(), 404);
  await page.getByRole('heading', { name: 'We cannot find this page' }).waitFor();
  await inspect(page, 'unknown');
});

test('a resent link works, and the one before it points to the newer message', async (t) => {
  const older = await linkFor('email_only', { channel: 'email' });
  const newer = await linkAfter(() => resendLink('email_only'));
  const { page } = await customer(t);
  assert.equal((await page.goto(older)).status(), 410);
  await page.getByRole('heading', { name: 'There is a newer link' }).waitFor();
  await inspect(page, 'superseded');
  await openPayable(page, newer);
});

test('an expired link asks twice before it sends a new one to the contact on file', async (t) => {
  const link = await linkFor('zero_decimal');
  await advanceClock(untilAnHourForTexts(await now(), 8 * DAY_MS));
  const { page } = await customer(t);
  assert.equal((await page.goto(link)).status(), 410);
  await page.getByRole('heading', { name: 'This link has expired' }).waitFor();
  assert.equal(await page.getByRole('button').count(), 1);
  await inspect(page, 'expired');

  const renewed = await linkAfter(async () => {
    await page.getByRole('button', { name: 'Send me a new link' }).click();
    await page.getByRole('heading', { name: 'Send a new link?' }).waitFor();
    await inspect(page, 'renew-confirm');
    await page.getByRole('button', { name: 'Yes, send it' }).click();
    await page.getByRole('heading', { name: 'A new link is on its way' }).waitFor();
    // The business's own number may stand there; the customer's may not.
    assert.ok(!(await page.content()).includes('8085550108'), 'the contact on file is shown');
    await inspect(page, 'renewed');
  });
  await openPayable(page, renewed);

  assert.equal((await page.goto(link)).status(), 410);
  assert.equal(await page.getByRole('button').count(), 0, 'a link can be renewed twice');
});

/** At least this long, and then on to 18:00 UTC: daytime for every number in the demo, when texts may go out. */
function untilAnHourForTexts(now_ms, ms) {
  const then = now_ms + ms;
  const sinceSix = (then - 18 * HOUR_MS) % DAY_MS;
  return ms + ((DAY_MS - sinceSix) % DAY_MS);
}
