import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { customer, openPayable, SMALLEST } from '../support/browser.mjs';
import { inspect } from '../support/inspection.mjs';
import { linkFor } from '../support/world.mjs';

const PAGE_BYTES_MAX = 30_000;

let link;
before(async () => {
  link = await linkFor('spanish');
});

test('the page is sound in every size and colour', async (t) => {
  const { page } = await customer(t);
  await openPayable(page, link);
  await inspect(page, 'payable');
});

test('the page speaks the language of the customer', async (t) => {
  const { page } = await customer(t);
  await openPayable(page, link);
  assert.equal(await page.getAttribute('html', 'lang'), 'es');
  await page.getByText('Tengo una pregunta sobre esta factura').waitFor();
});

test('the first view shows five facts, the way to object, and nothing else', async (t) => {
  const { page } = await customer(t);
  await openPayable(page, link);
  const facts = await page.locator('[data-fact]:visible').evaluateAll((all) => all.map((one) => one.dataset.fact));
  assert.deepEqual(facts.sort(), ['amount', 'business', 'due', 'form', 'invoice']);
  assert.equal(await page.locator('details[open]').count(), 0, 'something is unfolded');

  const remaining = await page.evaluate(() => {
    const copy = document.querySelector('main').cloneNode(true);
    const removed = '[data-fact], dt, summary, [aria-hidden="true"], details > :not(summary), noscript, script';
    for (const node of copy.querySelectorAll(removed)) node.remove();
    return copy.textContent.trim();
  });
  assert.equal(remaining, '');
});

test('what folds away unfolds with a key', async (t) => {
  const { page } = await customer(t);
  await openPayable(page, link);
  const summaries = page.locator('summary');
  assert.ok((await summaries.count()) > 0);
  for (const summary of await summaries.all()) {
    await summary.focus();
    await page.keyboard.press('Enter');
  }
  assert.equal(await page.locator('details[open]').count(), await page.locator('details').count());
  await inspect(page, 'payable-unfolded');
});

test('the page weighs less than 30 KB, loads no font, and no script but ours and Stripe’s', async (t) => {
  const { page, requests } = await customer(t, { viewport: SMALLEST });
  await openPayable(page, link);
  const config = JSON.parse(await page.locator('#pay-config').textContent());
  const own = new URL(link).origin;
  const stripe = new URL(config.stripe_js_url).origin;

  let bytes = 0;
  for (const request of requests) {
    const { origin, protocol } = new URL(request.url());
    if (protocol === 'data:') continue;
    assert.ok([own, stripe].includes(origin), `asked ${origin}`);
    assert.notEqual(request.resourceType(), 'font');
    if (origin === own && ['document', 'stylesheet', 'script'].includes(request.resourceType())) {
      bytes += (await (await request.response()).body()).length;
    }
  }
  assert.ok(bytes > 0 && bytes < PAGE_BYTES_MAX, `${bytes} bytes`);
});
