// Filling in Stripe's own fields, wherever its script puts them.
import { payButton } from './browser.mjs';
import { until } from './until.mjs';

export const CARDS = {
  good: '4242424242424242',
  declined: '4000000000000002',
  asksTheBank: '4000000000003220',
};

/** A field of Stripe's, in our page or in a frame of Stripe's. */
export async function field(page, label) {
  return until(`the field ${label}`, 10_000, async () => {
    for (const frame of page.frames()) {
      const found = frame.getByLabel(label).filter({ visible: true });
      if ((await found.count()) > 0) return found.first();
    }
  });
}

export async function fillCard(page, number) {
  await (await field(page, /card number/i)).fill(number);
  await (await field(page, /expir/i)).fill('12 / 34');
  await (await field(page, /cvc|security code/i)).fill('123');
  await (await field(page, /zip|postal/i)).fill('10001');
}

export async function payBy(page, number) {
  await fillCard(page, number);
  await payButton(page).click();
}

/** A button of the bank's window, which Stripe's script opens for 3-D Secure. */
export async function bankButton(page, name) {
  return until(`the bank's button ${name}`, 10_000, async () => {
    for (const frame of page.frames()) {
      const found = frame.getByRole('button', { name }).filter({ visible: true });
      if ((await found.count()) > 0) return found.first();
    }
  });
}

export const receipt = (page) => page.getByRole('heading', { name: 'Paid, thank you' });
export const alreadyPaid = (page) => page.getByRole('heading', { name: 'This invoice is paid' });
