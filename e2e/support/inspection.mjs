// What must hold in every state a customer can see: no accessibility violation, nothing to scroll sideways, in light
// and in dark, on a phone and on a desk. With SCREENSHOTS=1 it keeps a picture of each.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { DESKTOP, PHONE, SMALLEST } from './browser.mjs';

const VIEWPORTS = { smallest: SMALLEST, mobile: PHONE, desktop: DESKTOP };
const PICTURES = process.env.SCREENSHOTS && fileURLToPath(new URL('../../screenshots', import.meta.url));

/** @param {string} state what the customer is looking at, as a file name */
export async function inspect(page, state) {
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [width, viewport] of Object.entries(VIEWPORTS)) {
      await page.setViewportSize(viewport);
      const where = `${state}, ${colorScheme}, ${width}`;
      await fitsItsWidth(page, where);
      await hasNoViolation(page, where);
      if (PICTURES && width !== 'smallest') await keepPicture(page, `${state}-${width}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

async function fitsItsWidth(page, where) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(content <= window, `${where}: ${content} px of content in a window of ${window} px`);
}

async function hasNoViolation(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} (${target})`));
  assert.deepEqual(told, [], where);
}

async function keepPicture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true, animations: 'disabled' });
}
