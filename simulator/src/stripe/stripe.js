// A stand-in for Stripe.js: the parts of the Payment Element a deferred-intent page uses, refusing what
// the real one refuses. Cards go from here straight to the stand-in's API, never through the page's server.
(() => {
  'use strict';

  const API = new URL(document.currentScript.src).origin;
  const THEMES = {
    stripe: {
      colorPrimary: '#0570de', colorBackground: '#ffffff', colorText: '#30313d', colorTextSecondary: '#5c5f6b',
      colorDanger: '#b3093c', border: '#c9ccd6',
    },
    night: {
      colorPrimary: '#85d996', colorBackground: '#30313d', colorText: '#ffffff', colorTextSecondary: '#c4c7d4',
      colorDanger: '#ff9aa9', border: '#5d6070',
    },
  };
  THEMES.flat = THEMES.stripe;
  const SHARED = { fontFamily: 'system-ui, sans-serif', fontSizeBase: '16px', borderRadius: '6px', spacingUnit: '4px' };

  const WORDS = {
    en: {
      number: 'Card number', expiry: 'Expiration', cvc: 'CVC', zip: 'ZIP', legend: 'Card',
      incomplete_number: 'Your card number is incomplete.', invalid_number: 'Your card number is invalid.',
      incomplete_expiry: "Your card's expiration date is incomplete.",
      invalid_expiry_year_past: "Your card's expiration year is in the past.",
      invalid_expiry_month: "Your card's expiration month is invalid.",
      incomplete_cvc: "Your card's security code is incomplete.", incomplete_zip: 'Your ZIP is incomplete.',
      check: 'Confirm with your bank', ask: 'Your bank wants to make sure that it is you.',
      pass: 'Complete', fail: 'Fail authentication',
      offline: 'We could not reach the payment service. You have not been charged; please try again.',
    },
    es: {
      number: 'Número de tarjeta', expiry: 'Vencimiento', cvc: 'CVC', zip: 'Código postal', legend: 'Tarjeta',
      incomplete_number: 'El número de tarjeta está incompleto.', invalid_number: 'El número de tarjeta no es válido.',
      incomplete_expiry: 'La fecha de vencimiento está incompleta.',
      invalid_expiry_year_past: 'La tarjeta está vencida.', invalid_expiry_month: 'El mes de vencimiento no es válido.',
      incomplete_cvc: 'El código de seguridad está incompleto.', incomplete_zip: 'El código postal está incompleto.',
      check: 'Confirme con su banco', ask: 'Su banco quiere asegurarse de que es usted.',
      pass: 'Completar', fail: 'Rechazar la autenticación',
      offline: 'No pudimos conectar con el servicio de pago. No se le ha cobrado; inténtelo de nuevo.',
    },
  };

  class IntegrationError extends Error {
    constructor(message) {
      super(message);
      this.name = 'IntegrationError';
    }
  }
  const insist = (truth, message) => {
    if (!truth) throw new IntegrationError(message);
  };

  // A constructed sheet instead of a style element: the page's policy allows no inline styles.
  const sheetOf = (css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    return sheet;
  };

  const make = (tag, attributes = {}, children = []) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  // Values from the page go into a stylesheet, so nothing that could end a declaration may be in them.
  const plain = (value) => String(value).replace(/[;{}<>]/g, '');

  const themed = (appearance = {}) => {
    const look = { ...SHARED, ...(THEMES[appearance.theme] || THEMES.stripe), ...(appearance.variables || {}) };
    const size = plain(look.fontSizeBase);
    return `
      :host { display: block; color: ${plain(look.colorText)}; font: 400 ${size}/1.4 ${plain(look.fontFamily)}; }
      *, *::before { box-sizing: border-box; }
      fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
      legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      .grid { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: calc(${plain(look.spacingUnit)} * 3); }
      .number { grid-column: span 6; }
      .expiry, .cvc { grid-column: span 3; }
      .zip { grid-column: span 6; }
      @media (min-width: 480px) { .expiry, .cvc, .zip { grid-column: span 2; } }
      label { display: block; margin-bottom: ${plain(look.spacingUnit)}; font-size: .875em; }
      input { width: 100%; min-height: 44px; padding: 10px 12px; font: inherit; font-size: max(16px, 1em);
        color: inherit; background: ${plain(look.colorBackground)}; border: 1px solid ${plain(look.border || look.colorTextSecondary)};
        border-radius: ${plain(look.borderRadius)}; }
      input::placeholder { color: ${plain(look.colorTextSecondary)}; opacity: 1; }
      input:focus { outline: 2px solid ${plain(look.colorPrimary)}; outline-offset: 1px; }
      input[aria-invalid=true] { border-color: ${plain(look.colorDanger)}; }
      .error { margin: 4px 0 0; font-size: .875em; color: ${plain(look.colorDanger)}; }
      .error:empty { display: none; }
      dialog { width: min(26rem, calc(100vw - 2rem)); padding: 24px; color: ${plain(look.colorText)};
        background: ${plain(look.colorBackground)}; border: 1px solid ${plain(look.border || look.colorTextSecondary)};
        border-radius: ${plain(look.borderRadius)}; }
      dialog::backdrop { background: rgb(0 0 0 / .55); }
      h2 { margin: 0 0 8px; font-size: 1.25em; }
      p { margin: 0 0 16px; }
      .actions { display: flex; flex-wrap: wrap; gap: 8px; }
      button { flex: 1 1 8rem; min-height: 44px; padding: 10px 16px; font: inherit; font-weight: 600; cursor: pointer;
        color: inherit; background: transparent; border: 1px solid currentColor; border-radius: ${plain(look.borderRadius)}; }
      button:focus-visible { outline: 2px solid ${plain(look.colorPrimary)}; outline-offset: 2px; }
      button.first { color: ${plain(look.colorBackground)}; background: ${plain(look.colorText)}; border-color: transparent; }
    `;
  };

  const digits = (text) => text.replace(/\D/g, '');
  const luhn = (number) => {
    const sum = [...number].reverse().reduce((total, digit, place) => {
      const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    return sum % 10 === 0;
  };

  const FIELDS = {
    number: {
      hint: '1234 1234 1234 1234', autocomplete: 'cc-number', mode: 'numeric', max: 23,
      format: (text) => digits(text).slice(0, 19).replace(/(.{4})(?=.)/g, '$1 '),
      problem: (text) => {
        const number = digits(text);
        if (number.length < (/^3[47]/.test(number) ? 15 : 16)) return 'incomplete_number';
        return luhn(number) ? null : 'invalid_number';
      },
    },
    expiry: {
      hint: 'MM / YY', autocomplete: 'cc-exp', mode: 'numeric', max: 9,
      format: (text) => {
        let value = digits(text.replace(/^\s*(\d)\s*\//, '0$1'));
        if (/^[2-9]/.test(value)) value = `0${value}`;
        // "12 / 2034", as browsers fill it in, becomes "12 / 34".
        if (/^\d{2}20\d{2}$/.test(value)) value = value.slice(0, 2) + value.slice(4);
        const short = /^\d{2}20\d?$/.test(value) ? value : value.slice(0, 4);
        return short.length > 2 ? `${short.slice(0, 2)} / ${short.slice(2)}` : short;
      },
      problem: (text) => {
        const value = digits(text);
        if (value.length !== 4) return 'incomplete_expiry';
        const [month, year] = [Number(value.slice(0, 2)), 2000 + Number(value.slice(2))];
        if (month < 1 || month > 12) return 'invalid_expiry_month';
        const now = new Date();
        const past = year < now.getFullYear() || (year === now.getFullYear() && month <= now.getMonth());
        return past ? 'invalid_expiry_year_past' : null;
      },
    },
    cvc: {
      hint: 'CVC', autocomplete: 'cc-csc', mode: 'numeric', max: 4,
      format: (text) => digits(text).slice(0, 4),
      problem: (text) => (text.length < 3 ? 'incomplete_cvc' : null),
    },
    zip: {
      hint: '12345', autocomplete: 'postal-code', mode: 'text', max: 10,
      format: (text) => text.slice(0, 10),
      problem: (text) => (text.trim().length < 3 ? 'incomplete_zip' : null),
    },
  };

  class PaymentElement {
    constructor(elements, options) {
      this.elements = elements;
      this.options = options;
      this.listeners = {};
      this.inputs = {};
      this.errors = {};
    }

    on(event, handler) {
      (this.listeners[event] ||= []).push(handler);
      return this;
    }

    once(event, handler) {
      const wrapped = (detail) => {
        this.off(event, wrapped);
        handler(detail);
      };
      return this.on(event, wrapped);
    }

    off(event, handler) {
      this.listeners[event] = handler ? (this.listeners[event] || []).filter((one) => one !== handler) : [];
      return this;
    }

    emit(event, detail) {
      for (const handler of this.listeners[event] || []) handler({ elementType: 'payment', ...detail });
    }

    mount(target) {
      const place = typeof target === 'string' ? document.querySelector(target) : target;
      insist(place, `The selector you specified (${target}) applies to no DOM elements that are currently on the page.`);
      this.unmount();
      this.host = make('div', { 'data-stand-in': 'payment-element' });
      const root = this.host.attachShadow({ mode: 'open', delegatesFocus: true });
      const words = this.elements.words;
      const grid = make('div', { class: 'grid' }, Object.keys(FIELDS).map((name) => this.field(name, words)));
      root.append(make('fieldset', {}, [make('legend', {}, [words.legend]), grid]));
      this.restyle();
      place.replaceChildren(this.host);
      this.probe();
    }

    // Tells the page that the form is usable, or that the service behind it is not there.
    async probe() {
      try {
        await fetch(`${API}/endive/stripe.js`, { method: 'HEAD', cache: 'no-store' });
        this.emit('ready', {});
      } catch {
        this.emit('loaderror', { error: { type: 'api_connection_error', message: this.elements.words.offline } });
      }
    }

    field(name, words) {
      const { hint, autocomplete, mode, max, format } = FIELDS[name];
      const input = make('input', {
        id: name, name, autocomplete, inputmode: mode, placeholder: hint, maxlength: max,
        'aria-describedby': `${name}-error`, 'aria-required': 'true', spellcheck: 'false',
      });
      const error = make('p', { class: 'error', id: `${name}-error`, 'aria-live': 'polite' });
      input.addEventListener('input', () => {
        const tidy = format(input.value);
        if (tidy !== input.value) input.value = tidy;
        this.complain(name, null);
        this.changed();
      });
      input.addEventListener('blur', () => {
        if (input.value) this.complain(name, FIELDS[name].problem(input.value));
      });
      input.addEventListener('focus', () => this.emit('focus', {}));
      this.inputs[name] = input;
      this.errors[name] = error;
      return make('div', { class: name }, [make('label', { for: name }, [words[name]]), input, error]);
    }

    complain(name, problem) {
      this.errors[name].textContent = problem ? this.elements.words[problem] : '';
      this.inputs[name].setAttribute('aria-invalid', String(Boolean(problem)));
    }

    changed() {
      const inputs = Object.entries(this.inputs);
      this.emit('change', {
        complete: inputs.every(([name, input]) => !FIELDS[name].problem(input.value)),
        empty: inputs.every(([, input]) => input.value === ''),
        collapsed: false,
        value: { type: 'card' },
      });
    }

    validate() {
      let first = null;
      for (const [name, input] of Object.entries(this.inputs)) {
        const problem = FIELDS[name].problem(input.value);
        this.complain(name, problem);
        if (problem && !first) {
          first = { type: 'validation_error', code: problem, message: this.elements.words[problem] };
          input.focus();
        }
      }
      return first;
    }

    restyle() {
      if (this.host) this.host.shadowRoot.adoptedStyleSheets = [sheetOf(themed(this.elements.options.appearance))];
    }

    value(name) {
      return this.inputs[name].value;
    }

    update(options) {
      this.options = { ...this.options, ...options };
    }

    focus() {
      this.inputs.number?.focus();
    }

    blur() {
      this.host?.shadowRoot.activeElement?.blur();
    }

    clear() {
      for (const [name, input] of Object.entries(this.inputs)) {
        input.value = '';
        this.complain(name, null);
      }
    }

    collapse() {}

    unmount() {
      this.host?.remove();
      this.host = null;
    }

    destroy() {
      this.unmount();
      this.elements.element = null;
    }
  }

  const checkOptions = ({ mode, amount, currency, clientSecret, payment_method_types: types }) => {
    insist(!(mode && clientSecret), 'elements(): You cannot pass both `mode` and `clientSecret`.');
    insist(mode || clientSecret, 'elements(): You must pass either `mode` or `clientSecret`.');
    insist(!types, 'elements(): `payment_method_types` is no longer supported. Use `allowedPaymentMethodTypes`.');
    if (clientSecret) return;
    insist(['payment', 'subscription', 'setup'].includes(mode), `elements(): \`mode\` cannot be "${mode}".`);
    if (mode === 'setup') return;
    insist(amount !== undefined, 'elements(): When `mode` is payment, `amount` is required.');
    insist(Number.isInteger(amount) && amount > 0, 'elements(): `amount` must be a positive integer in the smallest unit.');
    insist(/^[a-z]{3}$/.test(currency || ''), 'elements(): `currency` must be a lower-case three-letter code.');
  };

  class Elements {
    constructor(options, words) {
      checkOptions(options);
      this.options = { ...options };
      this.words = words;
      this.element = null;
      this.submitted = false;
    }

    create(type, options = {}) {
      insist(type === 'payment', `elements.create(): this stand-in only knows 'payment', not '${type}'.`);
      insist(!this.element, 'Can only create one Element of type payment.');
      this.element = new PaymentElement(this, options);
      return this.element;
    }

    getElement(type) {
      return type === 'payment' ? this.element : null;
    }

    update(changes) {
      checkOptions({ ...this.options, ...changes });
      this.options = { ...this.options, ...changes };
      this.submitted = false;
      this.element?.restyle();
    }

    async fetchUpdates() {
      return {};
    }

    async submit() {
      insist(this.element?.host, 'elements.submit(): mount the Payment Element first.');
      const error = this.element.validate();
      this.submitted = !error;
      return error ? { error } : { selectedPaymentMethod: 'card' };
    }
  }

  const intentOf = (clientSecret) => {
    const match = /^(pi_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/.exec(clientSecret || '');
    insist(match, 'The client secret is not of the form ${id}_secret_${secret}.');
    return match[1];
  };

  // Waits for the person's answer to the bank's question; closing the dialog is a no.
  const challenge = (words, appearance) => new Promise((resolve) => {
    const host = make('div', { 'data-stand-in': 'three-d-secure' });
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheetOf(themed(appearance))];
    const title = make('h2', { id: 'title' }, [words.check]);
    const pass = make('button', { type: 'button', class: 'first' }, [words.pass]);
    const fail = make('button', { type: 'button' }, [words.fail]);
    const dialog = make('dialog', { 'aria-labelledby': 'title' }, [
      title, make('p', {}, [words.ask]), make('div', { class: 'actions' }, [pass, fail]),
    ]);
    pass.addEventListener('click', () => dialog.close('complete'));
    fail.addEventListener('click', () => dialog.close('fail'));
    dialog.addEventListener('close', () => {
      host.remove();
      resolve(dialog.returnValue === 'complete' ? 'complete' : 'fail');
    });
    root.append(dialog);
    document.body.append(host);
    dialog.showModal();
  });

  class StandIn {
    constructor(key, options) {
      this.key = key;
      this.account = options.stripeAccount;
      const wanted = (options.locale && options.locale !== 'auto' ? options.locale : navigator.language) || 'en';
      this.words = WORDS[wanted.slice(0, 2)] || WORDS.en;
    }

    elements(options = {}) {
      const wanted = options.locale && options.locale.slice(0, 2);
      return new Elements(options, WORDS[wanted] || this.words);
    }

    async call(method, path, params) {
      const headers = { authorization: `Bearer ${this.key}` };
      if (this.account) headers['stripe-account'] = this.account;
      const query = new URLSearchParams(params);
      const get = method === 'GET';
      try {
        const answer = await fetch(`${API}${path}${get ? `?${query}` : ''}`, { method, headers, body: get ? undefined : query });
        const body = await answer.json();
        return body.error ? { error: body.error } : { paymentIntent: body };
      } catch {
        return { error: { type: 'api_connection_error', message: this.words.offline } };
      }
    }

    async retrievePaymentIntent(clientSecret) {
      return this.call('GET', `/v1/payment_intents/${intentOf(clientSecret)}`, { client_secret: clientSecret });
    }

    async confirmPayment({ elements, clientSecret, confirmParams = {}, redirect = 'always' } = {}) {
      insist(elements instanceof Elements, 'confirmPayment(): pass the `elements` that hold the Payment Element.');
      const secret = elements.options.clientSecret || clientSecret;
      const deferred = Boolean(elements.options.mode);
      insist(secret, 'confirmPayment(): in deferred mode, pass the `clientSecret`.');
      insist(!deferred || elements.submitted, 'confirmPayment(): elements.submit() must be called before confirmPayment().');
      insist(redirect === 'if_required' || confirmParams.return_url, 'confirmPayment(): `confirmParams.return_url` is required.');
      if (!deferred) {
        const { error } = await elements.submit();
        if (error) return { error };
      }
      const id = intentOf(secret);
      if (deferred) {
        const mismatch = await this.mismatch(elements, secret);
        if (mismatch) return { error: mismatch };
      }
      const params = this.confirmation(elements.element, secret, confirmParams);
      const confirmed = await this.call('POST', `/v1/payment_intents/${id}/confirm`, params);
      elements.submitted = false;
      const done = await this.followUp(confirmed, id, secret, elements);
      if (redirect === 'always' && done.paymentIntent) this.leave(confirmParams.return_url, done.paymentIntent, secret);
      return done;
    }

    // The real one refuses to take another amount than the form was made for.
    async mismatch(elements, secret) {
      const { paymentIntent, error } = await this.retrievePaymentIntent(secret);
      if (error) return error;
      const { amount, currency } = elements.options;
      if (paymentIntent.amount === amount && paymentIntent.currency === currency) return null;
      return {
        type: 'invalid_request_error',
        code: 'payment_intent_invalid_parameter',
        message: `The amount and currency of the elements (${amount} ${currency}) are not those of the PaymentIntent.`,
      };
    }

    confirmation(element, secret, confirmParams) {
      const expiry = digits(element.value('expiry'));
      const params = {
        client_secret: secret,
        use_stripe_sdk: 'true',
        'payment_method_data[type]': 'card',
        'payment_method_data[card][number]': digits(element.value('number')),
        'payment_method_data[card][exp_month]': expiry.slice(0, 2),
        'payment_method_data[card][exp_year]': expiry.slice(2),
        'payment_method_data[card][cvc]': element.value('cvc'),
        'payment_method_data[billing_details][address][postal_code]': element.value('zip'),
      };
      const billing = confirmParams.payment_method_data?.billing_details || element.options.defaultValues?.billingDetails || {};
      for (const name of ['name', 'email']) {
        if (billing[name]) params[`payment_method_data[billing_details][${name}]`] = billing[name];
      }
      if (confirmParams.return_url) params.return_url = confirmParams.return_url;
      return params;
    }

    async followUp(confirmed, id, secret, elements) {
      if (confirmed.paymentIntent?.status !== 'requires_action') return confirmed;
      const outcome = await challenge(elements.words, elements.options.appearance);
      const params = { payment_intent: id, client_secret: secret, outcome };
      const checked = await this.call('POST', '/v1/3ds2/authenticate', params);
      const failure = checked.paymentIntent?.last_payment_error;
      return failure ? { error: { ...failure, payment_intent: checked.paymentIntent } } : checked;
    }

    leave(returnUrl, intent, secret) {
      const target = new URL(returnUrl);
      target.searchParams.set('payment_intent', intent.id);
      target.searchParams.set('payment_intent_client_secret', secret);
      target.searchParams.set('redirect_status', intent.status === 'requires_payment_method' ? 'failed' : 'succeeded');
      location.assign(target);
    }
  }

  window.Stripe = (key, options = {}) => {
    insist(/^pk_/.test(key || ''), 'Invalid value for Stripe(): apiKey should start with pk_.');
    return new StandIn(key, options);
  };
  window.Stripe.version = 'endive';
})();
