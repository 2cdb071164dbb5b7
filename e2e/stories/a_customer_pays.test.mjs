import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, DESKTOP, openPayable, payButton } from '../support/browser.mjs';
import { inspect } from '../support/inspection.mjs';
import { alreadyPaid, bankButton, CARDS, fillCard, payBy, receipt } from '../support/payment_form.mjs';
import { atStripe, eventually, invoice, linkFor } from '../support/world.mjs';

test('a customer pays by card, keeps the receipt over a reload, and nobody else learns anything', async (t) => {
  const link = await linkFor('mobile');
  const { page, context } = await customer(t);
  await openPayable(page, link);
  const number = await page.locator('[data-fact="invoice"]').innerText();
  const amount = await page.locator('[data-fact="amount"]').innerText();
  await fillCard(page, CARDS.good);
  await inspect(page, 'payable-filled');
  await payButton(page).click();
  await receipt(page).waitFor();
  assert.ok((await page.innerText('main')).includes(number));
  await inspect(page, 'receipt');

  await page.reload();
  await receipt(page).waitFor();
  const again = await context.newPage();
  await again.goto(link);
  await receipt(again).waitFor();

  const stranger = await customer(t, { viewport: DESKTOP });
  assert.equal((await stranger.page.goto(link)).status(), 200);
  await alreadyPaid(stranger.page).waitFor();
  const seen = await stranger.page.innerText('body');
  assert.ok(!seen.includes(number), 'the invoice number is shown to a stranger');
  assert.ok(!seen.includes(amount), 'the amount is shown to a stranger');
  await inspect(stranger.page, 'already-paid');

  await eventually('the invoice to be paid', async () => (await invoice('mobile')).status === 'paid');
});

test('a declined card says so, and another card pays the same PaymentIntent', async (t) => {
  const link = await linkFor('decline');
  const before = await atStripe();
  const { page } = await customer(t);
  await openPayable(page, link);
  await payBy(page, CARDS.declined);
  await page.getByRole('alert').filter({ hasText: /declined/i }).waitFor();
  await inspect(page, 'declined');
  assert.equal((await invoice('decline')).status, 'open');

  await payBy(page, CARDS.good);
  await receipt(page).waitFor();
  await paidOnce(before);
});

test('a payment that the bank refuses to authenticate can be tried again and completed', async (t) => {
  const link = await linkFor('threeds');
  const before = await atStripe();
  const { page } = await customer(t);
  await openPayable(page, link);
  await payBy(page, CARDS.asksTheBank);
  await (await bankButton(page, /fail/i)).click();
  await page.getByRole('alert').filter({ hasText: /authenticat/i }).waitFor();
  await inspect(page, 'authentication-failed');
  assert.equal((await invoice('threeds')).status, 'open');

  await payBy(page, CARDS.asksTheBank);
  const complete = await bankButton(page, /complete/i);
  await inspect(page, 'authentication');
  await complete.click();
  await receipt(page).waitFor();
  await paidOnce(before);
});

test('two tabs that pay at the same moment pay once', async (t) => {
  const link = await linkFor('two_tabs');
  const before = await atStripe();
  const [one, two] = [await customer(t), await customer(t, { viewport: DESKTOP })];
  for (const { page } of [one, two]) {
    await openPayable(page, link);
    await fillCard(page, CARDS.good);
  }
  await Promise.all([one, two].map(({ page }) => payButton(page).click()));

  await Promise.all([one, two].map(({ page }) => receipt(page).or(alreadyPaid(page)).waitFor()));
  await paidOnce(before);
  await eventually('the invoice to be paid', async () => (await invoice('two_tabs')).status === 'paid');
});

test('the whole payment can be made with a keyboard alone', async (t) => {
  const link = await linkFor('large');
  const { page } = await customer(t, { viewport: DESKTOP });
  await openPayable(page, link);
  for (const [name, value] of [[/card number/i, CARDS.good], [/expir/i, '1234'], [/cvc/i, '123'], [/zip/i, '10001']]) {
    await tabTo(page, name);
    await page.keyboard.type(value);
  }
  await tabTo(page, /^Pay /);
  await page.keyboard.press('Enter');
  await receipt(page).waitFor();
});

async function paidOnce({ intents, charges }) {
  assert.deepEqual(await atStripe(), { intents: intents + 1, charges: charges + 1 });
}

/** Presses Tab until the thing with this name has the focus, in whichever frame, and can be seen to have it. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await focusedThing(page);
    if (name.test(focused?.name ?? '')) {
      assert.ok(focused.isOutlined, `nothing shows that ${focused.name} has the focus`);
      return;
    }
  }
  assert.fail(`the keyboard does not reach ${name}`);
}

async function focusedThing(page) {
  for (const frame of page.frames()) {
    const thing = await frame.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      if (!document.hasFocus() || !element || ['BODY', 'IFRAME'].includes(element.tagName)) return null;
      const name = element.labels?.[0]?.innerText ?? element.getAttribute('aria-label') ?? element.innerText ?? '';
      return { name: name.trim(), isOutlined: getComputedStyle(element).outlineStyle !== 'none' };
    });
    if (thing) return thing;
  }
  return null;
}
