import assert from 'node:assert/strict';
import { before as beforeAll, test } from 'node:test';
import { customer, DESKTOP, openPayable } from '../support/browser.mjs';
import { atStripe, callPermission, eventually, invoice, linkFor, timeline } from '../support/world.mjs';

const VISITS = 5;

let link;
beforeAll(async () => {
  link = await linkFor('scanner');
});

const opens = async () => JSON.stringify(await timeline('scanner')).match(/open(s|ed)\b/g) ?? [];

test('scanners of every kind leave no trace, and the customer who comes after them does', async (t) => {
  const before = await atStripe();

  await t.test('those that fetch', async () => {
    for (let visit = 0; visit < VISITS; visit += 1) {
      for (const method of ['HEAD', 'GET']) assert.equal((await fetch(link, { method })).status, 200);
    }
  });

  await t.test('those that run the page in a browser', async (t) => {
    for (let visit = 0; visit < VISITS; visit += 1) {
      const { page } = await customer(t, { viewport: DESKTOP });
      await openPayable(page, link);
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      await page.waitForLoadState('networkidle');
    }
  });

  await t.test('those that post every form as they find it', async (t) => {
    const { page } = await customer(t, { viewport: DESKTOP });
    await openPayable(page, link);
    const forms = await page.locator('form').count();
    assert.ok(forms >= 2, 'the payment and the question');
    for (let form = 0; form < forms; form += 1) {
      await openPayable(page, link);
      const posted = page.waitForNavigation();
      // Past the page's own script and the browser's validation, straight to the server.
      await page.locator('form').nth(form).evaluate((element) => HTMLFormElement.prototype.submit.call(element));
      await posted;
    }
  });

  await t.test('those that post every form from elsewhere', async () => {
    const token = new URL(link).pathname.split('/').pop();
    for (const path of ['/p/opened', '/p/pay', '/p/result', '/p/question', '/p/renew']) {
      const body = new URLSearchParams({ token });
      const response = await fetch(new URL(path, link), { method: 'POST', body });
      assert.ok(response.status < 500, `${path} answered ${response.status}`);
    }
  });

  assert.deepEqual(await opens(), [], 'an open was recorded');
  assert.deepEqual(await atStripe(), before, 'a PaymentIntent was created');
  assert.equal((await invoice('scanner')).status, 'open');
  const { reasons } = await callPermission('scanner');
  for (const reason of ['on_hold', 'link_just_opened']) assert.ok(!reasons.includes(reason), `denied for ${reason}`);

  await t.test('and then the customer', async (t) => {
    const { page } = await customer(t);
    await openPayable(page, link);
    await page.locator('[data-fact="amount"]').click();
    await eventually('the open to be recorded', async () => (await opens()).length > 0);
  });
});

test('a scanner that presses every button does not pay and asks nothing', async (t) => {
  const before = await atStripe();
  const { page } = await customer(t, { viewport: DESKTOP });
  await openPayable(page, link);
  for (const summary of await page.locator('summary').all()) await summary.click();
  for (const button of await page.getByRole('button').all()) await button.click();
  await page.waitForLoadState('networkidle');

  assert.deepEqual(await atStripe(), before, 'a PaymentIntent was created');
  assert.ok(!(await callPermission('scanner')).reasons.includes('on_hold'));
  assert.equal((await invoice('scanner')).status, 'open');
});
