// The rules, their tests, the routing and the runbook, held against each other and against the real tools.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const monitoring = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (...parts) => readFileSync(path.join(monitoring, ...parts), 'utf8');
const rules = (file) => parse(read('rules', file)).groups.flatMap((group) => group.rules);
const alerts = rules('alerts.yml');
const recordings = rules('recording.yml');
const tests = readdirSync(path.join(monitoring, 'tests')).filter((file) => file.endsWith('.yml'));
const stories = tests.flatMap((file) => parse(read('tests', file)).tests);

function run(program, ...args) {
  const ran = spawnSync(program, args, { cwd: monitoring, encoding: 'utf8' });
  assert.equal(ran.error, undefined, `${program} is not installed`);
  assert.equal(ran.status, 0, `${program} ${args.join(' ')}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout.trim();
}

test('Prometheus and Alertmanager take the files as they are', () => {
  run('promtool', 'check', 'config', 'prometheus.yml');
  run('amtool', 'check-config', 'alertmanager.yml');
});

for (const file of tests) {
  test(`what tests/${file} expects comes to pass`, () => {
    run('promtool', 'test', 'rules', path.join('tests', file));
  });
}

test('every alert is seen firing and seen silent', () => {
  const seen = (name, fires) =>
    stories.some((story) =>
      (story.alert_rule_test ?? []).some((one) => one.alertname === name && one.exp_alerts.length > 0 === fires),
    );
  for (const { alert } of alerts) {
    assert.ok(seen(alert, true), `${alert} is never seen firing`);
    // The watchdog is the one that may never be silent.
    assert.ok(alert === 'Watchdog' || seen(alert, false), `${alert} is never seen silent`);
  }
});

test('every recording rule is held against figures', () => {
  const asked = stories.flatMap((story) => story.promql_expr_test ?? []).map((one) => one.expr);
  for (const { record } of recordings) {
    assert.ok(asked.some((expr) => expr.includes(`(${record},`)), `${record} is not tested`);
  }
});

test('every alert says how bad it is, in one sentence what it is, and where to read on', () => {
  assert.equal(new Set(alerts.map((rule) => rule.alert)).size, alerts.length, 'a name is there twice');
  for (const { alert, labels, annotations } of alerts) {
    assert.ok(['page', 'ticket', 'none'].includes(labels.severity), alert);
    assert.ok(labels.slo === undefined || /^[1-7]$/.test(labels.slo), alert);
    assert.match(annotations.summary, /^[A-Z][^\n]+\.$/, alert);
    assert.equal(annotations.runbook_url, `docs/runbook.md#${alert.toLowerCase()}`);
  }
});

test('every alert has an entry in the runbook that says what it means, where to look and what to do, and every entry an alert', () => {
  const runbook = readFileSync(path.join(monitoring, '..', 'docs', 'runbook.md'), 'utf8');
  const entries = runbook.split(/^## /m).slice(1).map((entry) => entry.split(/\n(?=# )/)[0]);
  const names = entries.map((entry) => entry.split('\n')[0]);
  assert.deepEqual(names, alerts.map((rule) => rule.alert), 'in the order of the alerts');
  for (const entry of entries) {
    for (const part of ['**Means.** ', '**Look at.** ', '**Do.** ']) {
      const text = entry.split(part)[1]?.split('**')[0]?.trim() ?? '';
      assert.ok(text.length > 5, `${entry.split('\n')[0]} does not say ${part}`);
    }
  }
});

test('what the runbook tells to type exists', () => {
  const runbook = readFileSync(path.join(monitoring, '..', 'docs', 'runbook.md'), 'utf8');
  const source = (...parts) => readFileSync(path.join(monitoring, '..', ...parts), 'utf8');
  const main = source('src', 'main.rs').toLowerCase();
  const commands = ['commands.rs', 'commands/keys.rs', 'commands/merchants.rs'].map((file) => source('src', file).toLowerCase()).join('\n');
  for (const [, command, sub] of runbook.matchAll(/`?postcall (jobs|key|merchant|doctor|workers) ?([a-z]*)/g)) {
    assert.match(main, new RegExp(`\\b${command}\\b`), command);
    if (['jobs', 'key', 'merchant'].includes(command)) assert.match(commands, new RegExp(`\\b${sub} \\{|\\b${sub}\\(`), `${command} ${sub}`);
  }
  const api = readdirSync(path.join(monitoring, '..', 'api', 'src'), { recursive: true })
    .filter((file) => file.endsWith('.rs'))
    .map((file) => source('api', 'src', file))
    .join('\n');
  for (const [, route] of runbook.matchAll(/(?:GET|POST) (\/v1\/[a-z/{}_-]+)/g)) {
    assert.ok(api.includes(`"${route}"`), `${route} is no route`);
  }
});

for (const [labels, receiver] of [
  ['alertname=OldestDue severity=page slo=1 kind=send_link', 'pager'],
  ['alertname=PaymentConflict severity=page', 'pager'],
  ['alertname=Backlog severity=ticket', 'tickets'],
  ['alertname=Watchdog severity=none', 'heartbeat'],
  ['alertname=SomethingNew', 'tickets'],
]) {
  test(`${labels} goes to ${receiver}`, () => {
    const routed = run('amtool', 'config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels.split(' '));
    assert.equal(routed, receiver);
  });
}

test('every alert reaches the receiver of its severity', () => {
  const receivers = { page: 'pager', ticket: 'tickets', none: 'heartbeat' };
  for (const { alert, labels } of alerts) {
    const given = Object.entries({ alertname: alert, ...labels }).map(([name, value]) => `${name}=${value}`);
    const routed = run('amtool', 'config', 'routes', 'test', '--config.file=alertmanager.yml', ...given);
    assert.equal(routed, receivers[labels.severity], alert);
  }
});
