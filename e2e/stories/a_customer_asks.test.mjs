import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, DESKTOP, openPayable } from '../support/browser.mjs';
import { inspect } from '../support/inspection.mjs';
import { callPermission, callsArePaused, eventually, invoice, linkFor } from '../support/world.mjs';

const QUESTION = 'Why is the delivery on it twice?';

test('a question on the page stops the calls for this invoice and no other, and it stays payable', async (t) => {
  const link = await linkFor('dispute');
  const { page } = await customer(t);
  await openPayable(page, link);
  await page.getByText('I have a question about this invoice').click();
  await inspect(page, 'question');

  const send = page.getByRole('button', { name: 'Send question' });
  await page.getByLabel('What would you like to ask?').fill('   ');
  await send.click();
  await page.getByRole('alert').filter({ hasText: 'Please write your question first.' }).waitFor();
  await inspect(page, 'question-empty');
  assert.deepEqual(holdsOf(await callPermission('dispute')), []);

  await page.getByLabel('What would you like to ask?').fill(QUESTION);
  const stored = page.waitForResponse((response) => response.url().endsWith('/p/question'));
  await send.click();
  assert.equal((await stored).status(), 201);
  const permission = await callPermission('dispute');
  assert.equal(permission.decision, 'deny');
  assert.ok(permission.reasons.includes('on_hold'), `denied for ${permission.reasons}`);
  await page.getByText(/^Thank you\. /).waitFor();
  await inspect(page, 'question-sent');

  await eventually('the dialer to be told', () => callsArePaused('dispute'));
  assert.deepEqual(holdsOf(await callPermission('scanner')), []);

  const later = await customer(t, { viewport: DESKTOP });
  await openPayable(later.page, link);
  await later.page.getByText(/is looking into a question about this invoice/).first().waitFor();
  await inspect(later.page, 'on-hold');
});

test('without JavaScript the page says what to do and takes a question all the same', async (t) => {
  const link = await linkFor('landline', { channel: 'email' });
  const { page } = await customer(t, { javaScript: false });
  assert.equal((await page.goto(link)).status(), 200);
  await page.getByText(/needs JavaScript/).waitFor();
  assert.ok(await page.locator('[data-fact="amount"]').isVisible());
  await fitsWithoutScript(page);

  await page.getByText('I have a question about this invoice').click();
  await page.getByLabel('What would you like to ask?').fill(QUESTION);
  const stored = page.waitForResponse((response) => response.url().endsWith('/p/question'));
  await page.getByRole('button', { name: 'Send question' }).click();
  assert.equal((await stored).status(), 201);
  await page.getByRole('heading', { name: 'Thank you, we have your question' }).waitFor();
  assert.equal((await callPermission('landline')).decision, 'deny');
  assert.equal((await invoice('landline')).status, 'open');
});

const holdsOf = ({ reasons }) => reasons.filter((reason) => reason === 'on_hold');

/** axe and script run by the test need JavaScript; a box does not. */
async function fitsWithoutScript(page) {
  await page.setViewportSize({ width: 320, height: 640 });
  const box = await page.locator('main').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 320, `main is ${box.width} px wide at ${box.x}`);
}
