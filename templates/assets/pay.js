// The pay page's script. It takes the token out of the address bar, then loads Stripe.js, takes one payment
// at a time, and says what happens. Without it the page still tells the invoice and takes a question.
(() => {
  'use strict';

  /** @param {string} id */
  const byId = (id) => document.getElementById(id);
  /** @param {string} id @param {string} text */
  const say = (id, text) => { const node = byId(id); if (node) node.textContent = text; };

  const arrived = new URL(location.href);
  // First of all: whatever runs later, Stripe.js included, must not find the token in the address.
  history.replaceState(null, '', '/p');
  // A page from the back-forward cache may show an amount that is no longer owed.
  addEventListener('pageshow', (event) => { if (event.persisted) showAnew(); });

  const config = JSON.parse(byId('pay-config')?.textContent || '{}');
  const text = config.strings;

  /** Shows this invoice anew, whatever state it is in now; `why` is told on the new page. */
  const showAnew = (why = '') =>
    location.replace(config.token ? '/p/' + encodeURIComponent(config.token) + (why && '#' + why) : '/p');

  /** @param {string} path @param {object} body @returns {Promise<{status: number, answer: any}>} */
  async function post(path, body, keepalive = false) {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
      keepalive,
      signal: AbortSignal.timeout(30000),
    });
    return { status: response.status, answer: await response.json().catch(() => ({})) };
  }

  // ---- Opened: told once, by a person's first touch of the visible page, never by loading it.

  const touches = ['pointerdown', 'keydown', 'touchstart'];
  /** @param {Event} event */
  function touched(event) {
    if (!event.isTrusted || document.visibilityState !== 'visible') return;
    touches.forEach((type) => removeEventListener(type, touched, true));
    post('/p/opened', { token: config.token }, true).catch(() => {});
  }

  // ---- Paying

  /** @type {import('@stripe/stripe-js').Stripe} */
  let stripe;
  /** @type {import('@stripe/stripe-js').StripeElements | undefined} */
  let elements;
  let busy = false;
  let broken = false;
  // From the moment a payment goes to Stripe until its outcome is seen, "you have not been charged" may be untrue.
  let sent = false;

  /** @param {boolean} working */
  function setBusy(working) {
    busy = working;
    byId('pay-form')?.classList.toggle('busy', working);
    byId('pay-button')?.setAttribute('aria-disabled', String(working || !(elements || broken)));
    say('pay-label', working ? text.working : broken ? text.reload : text.pay);
    say('progress', working ? text.working : '');
  }

  /** @param {string} message */
  function fail(message) {
    setBusy(false);
    say('pay-message', message);
    byId('pay-message')?.focus();
  }

  function failToLoad() {
    broken = true;
    elements = undefined;
    byId('pay-form')?.classList.add('ready');
    say('pay-message', text.load);
    setBusy(false);
  }

  /** The colours of the page, so that Stripe's fields look like ours in light and in dark. */
  function appearance() {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    return {
      theme: /** @type {'night' | 'stripe'} */ (dark ? 'night' : 'stripe'),
      variables: {
        colorPrimary: colour('--ink-accent'),
        colorBackground: colour('--field'),
        colorText: colour('--ink'),
        colorTextSecondary: colour('--soft'),
        colorDanger: colour('--bad'),
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSizeBase: '16px',
        borderRadius: '10px',
      },
    };
  }

  function loadStripe() {
    return new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = config.stripe_js_url;
      script.onload = resolve;
      script.onerror = reject;
      setTimeout(reject, 20000);
      document.head.append(script);
    });
  }

  async function start() {
    await loadStripe();
    stripe = /** @type {any} */ (window).Stripe(config.publishable_key, { stripeAccount: config.account });
    const group = stripe.elements({
      mode: 'payment',
      amount: config.amount_minor,
      currency: config.currency,
      allowedPaymentMethodTypes: config.methods,
      locale: config.locale,
      loader: 'never',
      appearance: appearance(),
    });
    const element = group.create('payment', {
      layout: 'tabs',
      business: { name: config.business },
      wallets: { link: 'never', applePay: 'auto', googlePay: 'auto' },
    });
    element.on('ready', () => {
      elements = group;
      byId('pay-form')?.classList.add('ready');
      setBusy(false);
      say('progress', text.ready);
    });
    element.on('loaderror', failToLoad);
    element.mount('#payment-element');
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      group.update({ appearance: appearance() });
    });
  }

  /** @param {SubmitEvent} event */
  async function pay(event) {
    event.preventDefault();
    if (busy) return;
    if (broken) return showAnew();
    if (!elements) return;
    say('pay-message', '');
    say('notice', '');
    setBusy(true);
    try {
      await payOnce(elements);
    } catch {
      fail(sent ? text.unsure : text.failed);
    }
  }

  /** @param {import('@stripe/stripe-js').StripeElements} group */
  async function payOnce(group) {
    const checked = await group.submit();
    if (checked.error) return fail(checked.error.message || text.declined);
    const { token, revision, amount_minor } = config;
    const order = await post('/p/pay', { token, revision, amount_minor }).catch(() => undefined);
    if (!order) return fail(sent ? text.unsure : text.offline);
    if (order.status !== 200) return refused(order.status, order.answer.code);
    sent = true;
    const { error } = await stripe.confirmPayment({
      elements: group,
      clientSecret: order.answer.client_secret,
      confirmParams: { return_url: config.return_url },
      redirect: 'if_required',
    });
    const final = error && error.type !== 'api_connection_error' && error.code !== 'payment_intent_unexpected_state';
    if (!final) return settle();
    sent = false;
    fail(error.message || text.declined);
  }

  /** @param {number} status @param {string} code */
  function refused(status, code) {
    if (code === 'amount_changed') return showAnew(code);
    if (code === 'on_hold') return fail(text.on_hold);
    if (status === 429) return fail(text.too_many);
    if (status === 404 || status === 409 || status === 410) return showAnew();
    fail(sent ? text.unsure : text.failed);
  }

  /** Our server asks Stripe; what the browser believes does not count. */
  async function settle() {
    const result = await post('/p/result', { token: config.token }).catch(() => undefined);
    if (!result || result.status >= 500) return fail(text.unsure);
    const { state, message } = result.answer;
    if (state !== 'requires_payment_method' && state !== 'requires_action') return showAnew();
    sent = false;
    fail(message || text.declined);
  }

  // ---- Asking

  /** @param {SubmitEvent} event */
  async function ask(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const field = /** @type {HTMLTextAreaElement} */ (byId('message'));
    const button = form.querySelector('button');
    const empty = !field.value.trim();
    say('question-error', empty ? text.question_empty : '');
    if (empty) return field.focus();
    if (button?.disabled) return;
    if (button) button.disabled = true;
    const body = new URLSearchParams({ token: config.token, message: field.value });
    const headers = { accept: 'application/json' };
    const response = await fetch(form.action, { method: 'POST', headers, body }).catch(() => undefined);
    if (response?.status === 201) return thank(form);
    if (button) button.disabled = false;
    const problems = { 422: text.question_empty, 429: text.too_many };
    say('question-error', problems[/** @type {422} */ (response?.status)] || text.question_failed);
  }

  /** @param {HTMLFormElement} form */
  function thank(form) {
    const thanks = document.createElement('p');
    thanks.className = 'thanks';
    thanks.tabIndex = -1;
    thanks.textContent = text.question_sent;
    form.replaceWith(thanks);
    thanks.focus();
  }

  // ---- Waiting for a card: looks at the page again until it says something else.

  /** @param {number[]} delays_s */
  function watch([delay_s, ...later]) {
    if (!delay_s) return;
    setTimeout(async () => {
      const page = await fetch('/p/' + encodeURIComponent(config.token), { cache: 'no-store' }).catch(() => undefined);
      const html = page ? await page.text() : '';
      const changed = html && !html.includes('data-state="' + document.body.dataset.state + '"');
      if (changed) showAnew();
      else watch(later);
    }, delay_s * 1000);
  }

  if (config.state === 'payable') {
    if (arrived.hash === '#amount_changed') say('notice', text.amount_changed);
    touches.forEach((type) => addEventListener(type, touched, true));
    byId('pay-form')?.addEventListener('submit', pay);
    byId('question-form')?.addEventListener('submit', ask);
    byId('question-form')?.setAttribute('novalidate', '');
    start().catch(failToLoad);
    // Back from the bank's own page: the visitor has just approved or refused a payment.
    if (arrived.searchParams.has('payment_intent')) settle();
    return;
  }
  if (config.poll) watch([2, 3, 5, 8, 13, 21, 34, 55]);
  document.querySelector('h1')?.focus({ preventScroll: true });
})();
