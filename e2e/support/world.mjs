// What happens outside the browser: calls end, texts and mails arrive, the dialer asks, Stripe keeps its journal.
import { createHmac, randomUUID } from 'node:crypto';
import { until } from './until.mjs';

export const ready = JSON.parse(process.env.POSTCALL_E2E_READY ?? '{}');
const PATIENCE_MS = 15_000;

/** @param {string} name one of the invoices that the demo seeds */
export function invoiceId(name) {
  const id = ready.invoices?.[name];
  if (!id) throw new Error(`the demo seeded no invoice called ${name}`);
  return id;
}

async function answer(response) {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

const simulator = async (path) => answer(await fetch(new URL(path, ready.phone_url)));

const tellSimulator = async (path, body) =>
  answer(
    await fetch(new URL(path, ready.phone_url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

const texts = () => simulator('/_sim/texts');
const emails = () => simulator('/_sim/emails');
const payments = () => simulator('/_sim/stripe/payments');

/** Business time: the product and the world around it share one clock, and it can be moved. */
export const now = async () => (await simulator('/_sim/clock')).now_ms;
export const advanceClock = (ms) => tellSimulator('/_sim/clock/advance', { ms });

/** How many PaymentIntents there are at Stripe, and how often one of them moved money. */
export async function atStripe() {
  const all = await payments();
  return { intents: all.length, charges: all.reduce((sum, { charges_succeeded }) => sum + charges_succeeded, 0) };
}

/** Whether the dialer was told to stop calling about this invoice, and said that it will. */
export async function callsArePaused(name) {
  const { commands } = await simulator('/_sim/dialer');
  return commands.some(
    ({ command, status }) =>
      command?.type === 'call.pause' && command.invoice_id === invoiceId(name) && status >= 200 && status < 300,
  );
}

const api = (path, options = {}) =>
  fetch(new URL(path, ready.product_url), {
    ...options,
    headers: { authorization: `Bearer ${ready.api_key}`, 'content-type': 'application/json', ...options.headers },
  });

export const invoice = async (name) => answer(await api(`/v1/invoices/${invoiceId(name)}`));

export async function timeline(name) {
  const page = await answer(await api(`/v1/invoices/${invoiceId(name)}/timeline`));
  return page.data ?? page;
}

/** What the voice AI is told when it asks whether it may dial. */
export async function callPermission(name) {
  const body = JSON.stringify({ invoice_id: invoiceId(name) });
  return answer(await api('/v1/call-permission', { method: 'POST', body }));
}

/** The merchant presses "resend". */
export async function resendLink(name) {
  const headers = { 'idempotency-key': randomUUID() };
  return answer(await api(`/v1/invoices/${invoiceId(name)}/links`, { method: 'POST', headers, body: '{}' }));
}

/** A call has ended with the customer's wish, in the voice platform's own signed words. */
export async function callEnds(name, { channel = 'sms', intent = 'send_link' } = {}) {
  const endedAt = new Date(await now());
  const body = JSON.stringify({
    type: 'call.completed',
    spec_version: '1',
    source: 'e2e',
    call_id: `call_${randomUUID()}`,
    occurred_at: endedAt.toISOString(),
    merchant_id: ready.merchant_id,
    invoice: { id: invoiceId(name) },
    outcome: { intent, preferred_channel: channel, reached: 'human' },
  });
  const response = await fetch(new URL('/v1/events', ready.product_url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signature(body, endedAt) },
    body,
  });
  return answer(response);
}

function signature(body, at) {
  const id = `msg_${randomUUID()}`;
  const seconds = Math.floor(at.getTime() / 1000);
  const key = Buffer.from(ready.webhook_secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${mac}` };
}

const LINK = /https?:\/\/[^\s"'<>]+\/p\/[A-Za-z0-9_-]{20,}/;

/** The link in a text or a mail, wherever its body is kept. */
function linkIn(message) {
  return LINK.exec([message.body, message.text, message.html].filter(Boolean).join('\n'))?.[0];
}

const links = async () => [...(await texts()), ...(await emails())].map(linkIn).filter(Boolean);

/** Does something and waits for the pay link that reaches the customer because of it. */
export async function linkAfter(action) {
  const before = new Set(await links());
  await action();
  return until('a pay link to arrive', PATIENCE_MS, async () => (await links()).find((link) => !before.has(link)));
}

/** A call on which the customer asked for the link, and the link. */
export const linkFor = (name, wish) => linkAfter(() => callEnds(name, wish));

/** Waits until the simulator's or the product's answer satisfies. */
export const eventually = (what, probe) => until(what, PATIENCE_MS, probe);
