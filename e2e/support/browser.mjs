// Customers: each has a browser of its own, and nothing that goes wrong in it goes unseen.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

export const PHONE = { width: 390, height: 844 };
export const SMALLEST = { width: 320, height: 640 };
export const DESKTOP = { width: 1280, height: 800 };

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

let browser;
after(() => browser?.close());

async function running() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  browser ??= await chromium.launch({ executablePath, args: FLAGS });
  return browser;
}

/** A customer's browser, closed with the test; the test fails if a page broke its own policy or threw an error. */
export async function customer(t, { viewport = PHONE, javaScript = true, ...options } = {}) {
  const context = await (await running()).newContext({
    viewport,
    javaScriptEnabled: javaScript,
    locale: 'en-US',
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(10_000);
  const troubles = [];
  const requests = [];
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) troubles.push(message.text());
  });
  context.on('weberror', (error) => troubles.push(String(error.error())));
  context.on('request', (request) => requests.push(request));
  t.after(async () => {
    await context.close();
    assert.deepEqual(troubles, [], 'the browser complained');
  });
  return { context, requests, page: await context.newPage() };
}

/** Opens a link and waits until the payment form can be used. */
export async function openPayable(page, link) {
  const response = await page.goto(link);
  assert.equal(response.status(), 200);
  await payButton(page).and(page.locator('[aria-disabled="false"]')).waitFor();
  return response;
}

export const payButton = (page) => page.getByRole('button', { name: /^(Pay|Pagar)\b/ });
