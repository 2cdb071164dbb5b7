// Shows the journals of the stand-ins as the people behind them would see them. Asks once a second.
(() => {
  'use strict';

  const $ = (id) => document.getElementById(id);
  const state = { texts: [], emails: [], dialer: { commands: [], calls: [] }, phone: null, mail: null, part: 'html' };

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const time = (ms) => new Date(ms).toLocaleTimeString();
  const owner = (text) => (text.direction === 'inbound' ? text.from : text.to);

  // Words with their links made clickable; everything else stays text.
  const linked = (words) => words.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;)!?])/).map((part, index) => (
    index % 2 ? make('a', { href: part, target: '_blank', rel: 'noopener' }, part) : part));

  const ask = async (path) => (await fetch(path, { cache: 'no-store' })).json();
  const tell = async (path, body) => {
    const answer = await fetch(path, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `The answer was ${answer.status}.`);
  };

  const row = (current, title, detail, choose) => {
    const button = make('button', { type: 'button', 'aria-current': String(current) },
      make('strong', {}, title), make('span', {}, detail));
    button.addEventListener('click', choose);
    return make('li', {}, button);
  };

  // Redraws a list without taking the keyboard away from whoever is in it.
  const refill = (list, rows) => {
    const place = [...list.children].findIndex((child) => child.contains(document.activeElement));
    list.replaceChildren(...rows);
    if (place >= 0) list.children[Math.min(place, rows.length - 1)]?.querySelector('button').focus();
  };

  const drawPhones = () => {
    const phones = new Map();
    for (const text of state.texts) phones.set(owner(text), text);
    const newest = [...phones].reverse();
    state.phone ??= newest[0]?.[0] ?? null;
    refill($('phone-list'), newest.map(([phone, last]) => row(phone === state.phone, phone, last.body, () => {
      state.phone = phone;
      draw();
    })));
    const thread = state.texts.filter((text) => owner(text) === state.phone);
    $('peer').textContent = state.phone ?? 'No texts yet';
    $('quick').hidden = $('compose').hidden = !state.phone;
    const atEnd = $('thread').scrollHeight - $('thread').scrollTop - $('thread').clientHeight < 40;
    $('thread').replaceChildren(...thread.flatMap(bubble));
    if (atEnd) $('thread').scrollTop = $('thread').scrollHeight;
  };

  const bubble = (text) => {
    const mine = text.direction === 'inbound' ? ' mine' : '';
    const bad = ['failed', 'undelivered'].includes(text.status) ? ' bad' : '';
    const fate = text.error_code ? `${text.status} (${text.error_code})` : text.status;
    return [
      make('li', { class: `bubble${mine}` }, ...linked(text.body)),
      make('li', { class: `stamp${mine}${bad}` }, `${time(text.received_at_ms)} · ${fate}`),
    ];
  };

  const drawMail = () => {
    const newest = [...state.emails].reverse();
    state.mail ??= newest[0]?.number ?? null;
    refill($('mail-list'), newest.map((email) => row(email.number === state.mail, email.subject || '(no subject)',
      `${email.shown_from} → ${email.to.join(', ')}`, () => {
        state.mail = email.number;
        draw();
      })));
    const email = state.emails.find((one) => one.number === state.mail);
    $('letter').hidden = !email;
    if (email) drawLetter(email);
  };

  const drawLetter = (email) => {
    const shown = `${email.number} ${state.part}`;
    if ($('letter').dataset.shown === shown) return;
    $('letter').dataset.shown = shown;
    $('subject').textContent = email.subject || '(no subject)';
    const lines = [['From', `${email.shown_from} <${email.from}>`], ['To', email.to.join(', ')], ['At', time(email.received_at_ms)]];
    $('envelope').replaceChildren(...lines.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
    const letter = state.part === 'html' && email.html;
    $('html').hidden = !letter;
    $('plain').hidden = Boolean(letter);
    // Links leave the frame, as in a mail program. The frame itself may run nothing.
    if (letter) $('html').srcdoc = `<base target="_blank">${email.html}`;
    else $('plain').replaceChildren(...(state.part === 'raw' ? [email.raw] : linked(email.text)));
  };

  const cells = (...contents) => make('tr', {}, ...contents.map((content) => make('td', {}, content)));
  const verdict = (good, words) => make('span', { class: good ? 'good' : 'bad' }, words);

  const drawDialer = () => {
    const words = ({ kind, reasons, why }) => ({
      placed: 'placed', denied: `denied: ${(reasons || []).join(', ')}`, paused: 'paused here', unanswered: `not placed: ${why}`,
    }[kind]);
    $('calls').replaceChildren(...[...state.dialer.calls].reverse().map((call) => cells(
      time(call.at_ms), call.invoice_id, call.phone, verdict(call.outcome.kind === 'placed', words(call.outcome)))));
    $('commands').replaceChildren(...[...state.dialer.commands].reverse().map((entry) => cells(
      time(entry.at_ms), entry.command?.type ?? 'unreadable', entry.command?.invoice_id ?? '',
      entry.command?.reason ?? entry.refused ?? '',
      verdict(entry.status === 200, `${entry.status ?? 'none'}${entry.repeated ? ', known already' : ''}`))));
  };

  const draw = () => {
    $('texts-count').textContent = state.texts.filter((text) => text.direction !== 'inbound').length;
    $('emails-count').textContent = state.emails.length;
    $('dialer-count').textContent = state.dialer.calls.length + state.dialer.commands.length;
    drawPhones();
    drawMail();
    drawDialer();
  };

  let drawn = '';
  const refresh = async () => {
    try {
      const [texts, emails, dialer, clock] = await Promise.all(
        ['/_sim/texts', '/_sim/emails', '/_sim/dialer', '/_sim/clock'].map(ask));
      Object.assign(state, { texts, emails, dialer });
      $('now').textContent = new Date(clock.now_ms).toLocaleString();
      const seen = JSON.stringify([texts, emails.length, dialer]);
      if (seen !== drawn) draw();
      drawn = seen;
      document.title = 'What the customers received';
    } catch {
      document.title = 'The world has stopped';
    }
    setTimeout(refresh, 1000);
  };

  const reply = async (body) => {
    $('notice').textContent = '';
    try {
      await tell('/_sim/carrier/inbound', { from: state.phone, body });
    } catch (error) {
      $('notice').textContent = error.message;
    }
  };

  const press = (buttons, pressed) => buttons.forEach((one) => one.setAttribute('aria-pressed', String(one === pressed)));
  const views = [...document.querySelectorAll('[data-view]')];
  for (const button of views) {
    button.addEventListener('click', () => {
      press(views, button);
      for (const view of document.querySelectorAll('.view')) view.hidden = view.id !== button.dataset.view;
    });
  }
  const parts = [...document.querySelectorAll('[data-part]')];
  for (const button of parts) {
    button.addEventListener('click', () => {
      press(parts, button);
      state.part = button.dataset.part;
      drawMail();
    });
  }
  for (const button of document.querySelectorAll('[data-reply]')) {
    button.addEventListener('click', () => reply(button.dataset.reply));
  }
  $('compose').addEventListener('submit', (event) => {
    event.preventDefault();
    const words = $('words').value.trim();
    if (words) reply(words);
    $('words').value = '';
  });
  refresh();
})();
