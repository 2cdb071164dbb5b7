import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { customer, openPayable, payButton } from '../support/browser.mjs';
import { linkFor } from '../support/world.mjs';

let link;
let token;
before(async () => {
  link = await linkFor('email_only', { channel: 'email' });
  token = new URL(link).pathname.split('/').pop();
});

test('the token has left the address bar before Stripe is asked for its script', async (t) => {
  const { page } = await customer(t);
  let address;
  await page.route(/stripe\.js/, async (route) => {
    address ??= await page.evaluate(() => location.href);
    await route.continue();
  });
  await openPayable(page, link);
  assert.ok(address, 'Stripe’s script was never asked for');
  assert.ok(!address.includes(token), 'the token is still in the address bar');
  assert.equal(new URL(page.url()).pathname, '/p');
  assert.ok(!(await page.evaluate(() => JSON.stringify(history.state) + document.cookie)).includes(token));
});

test('no request but the first carries the token in its address or its referrer', async (t) => {
  const { page, requests } = await customer(t);
  await openPayable(page, link);
  const [first, ...others] = requests;
  assert.equal(first.url(), link);
  assert.ok(others.length >= 3, 'a style sheet, our script and Stripe’s');
  for (const request of others) {
    assert.ok(!request.url().includes(token), `${request.url()} carries the token`);
    const { referer } = await request.allHeaders();
    assert.equal(referer, undefined, `${request.url()} was told where it came from`);
  }
});

test('the address without the token still shows the page to this browser, and to no other', async (t) => {
  const { page, context } = await customer(t);
  await openPayable(page, link);
  await page.reload();
  await payButton(page).and(page.locator('[aria-disabled="false"]')).waitFor();

  const kept = (await context.cookies()).filter(({ value }) => value.includes(token));
  assert.equal(kept.length, 1);
  assert.deepEqual(
    { httpOnly: kept[0].httpOnly, sameSite: kept[0].sameSite, path: kept[0].path },
    { httpOnly: true, sameSite: 'Lax', path: '/p' },
  );
  const other = await customer(t);
  assert.equal((await other.page.goto(new URL('/p', link).href)).status(), 404);
});

test('the page may be neither kept, nor found, nor framed, nor changed by a script of somebody else', async (t) => {
  const { page } = await customer(t);
  const headers = (await openPayable(page, link)).headers();
  assert.match(headers['cache-control'], /no-store/);
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.match(headers['x-robots-tag'], /noindex/);
  assert.equal(headers['x-content-type-options'], 'nosniff');

  const policy = new Map(
    headers['content-security-policy'].split(';').map((part) => {
      const [name, ...sources] = part.trim().split(/\s+/);
      return [name, sources];
    }),
  );
  for (const name of ['default-src', 'frame-ancestors', 'base-uri']) assert.deepEqual(policy.get(name), ["'none'"], name);
  assert.deepEqual(policy.get('form-action'), ["'self'"]);
  assert.ok(!headers['content-security-policy'].includes('unsafe-'));
  assert.equal(policy.get('script-src').length, 2, 'ours and Stripe’s');
});
