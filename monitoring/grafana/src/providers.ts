// The outside world: who is slow, who refuses, who is silent.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { EventsPerSecond, MessagesPerSecond, PercentUnit, RequestsPerSecond, Seconds } from './units.js';
import { board, lines, quantile, row } from './panels.js';

export function providers(): Dashboard {
  return board('postcall-providers', 'Postcall: the outside world', 'SMS carrier, mail relay, Stripe and dialers: what we ask of them and what they tell us.')
    .withRow(row('What we ask'))
    .withPanel(
      lines({
        title: 'Calls that fail',
        description: 'Not reached, too slow or unreadable, as a share of all. More than half for five minutes is alert ProviderFails.',
        unit: PercentUnit,
        promise: 0.5,
        lines: [{ expr: 'postcall:provider_failures:ratio_rate5m', legend: '{{provider}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Time to answer, p95',
        description: 'By provider and operation.',
        unit: Seconds,
        lines: [
          {
            expr: quantile(0.95, 'postcall_provider_request_duration_seconds', ['provider', 'op']),
            legend: '{{provider}} {{op}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Calls',
        description: 'By provider, operation and what the answer was worth.',
        unit: RequestsPerSecond,
        lines: [
          {
            expr: 'sum by (provider, op, outcome) (rate(postcall_provider_request_duration_seconds_count[$__rate_interval])) > 0',
            legend: '{{provider}} {{op}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Refusals by meaning',
        description: '`auth`, `region` and `sender_…` would meet every message of the sender: alert SenderRefused.',
        unit: MessagesPerSecond,
        lines: [
          { expr: 'sum by (class) (rate(postcall_attempts_rejected_total[$__rate_interval]))', legend: '{{class}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Texts that did not arrive, by meaning',
        description: 'What the carrier reported after it had taken the text.',
        unit: MessagesPerSecond,
        lines: [
          {
            expr: 'sum by (class) (rate(postcall_delivery_total{status=~"undelivered|failed|canceled"}[$__rate_interval]))',
            legend: '{{class}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Kept back by a rule',
        description: 'Messages that were not sent because somebody opted out, paid, asked a question, or a cap was reached.',
        unit: MessagesPerSecond,
        lines: [{ expr: 'sum by (reason) (rate(postcall_suppressed_total[$__rate_interval]))', legend: '{{reason}}' }],
      }),
    )
    .withRow(row('What we are told'))
    .withPanel(
      lines({
        title: 'Webhooks',
        description: 'By source and what became of them.',
        unit: EventsPerSecond,
        lines: [
          {
            expr: 'sum by (source, result) (rate(postcall_webhook_in_total[$__rate_interval]))',
            legend: '{{source}} {{result}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Wrong signatures, per minute',
        description: 'Webhooks and events. More than ten a minute is an alert: a secret was rotated on one side, or somebody tries.',
        unit: 'short',
        promise: 10,
        lines: [
          { expr: 'postcall:forged_webhooks:per_minute', legend: '{{source}}' },
          { expr: 'postcall:forged_events:per_minute', legend: 'events' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Stripe\'s events under way, p90',
        description: 'From Stripe\'s clock to ours, in whole seconds.',
        unit: Seconds,
        lines: [{ expr: quantile(0.9, 'postcall_webhook_in_lag_seconds', ['source']), legend: '{{source}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Pauses: from the wish to the dialer\'s word',
        description: 'Time until a dialer acknowledged that calls stop.',
        unit: Seconds,
        promise: 2,
        span: 12,
        lines: [
          { expr: quantile(0.5, 'postcall_pause_propagation_seconds'), legend: 'p50' },
          { expr: quantile(0.99, 'postcall_pause_propagation_seconds'), legend: 'p99' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Events refused, by reason',
        description: 'Posted events that were not taken. `signature_…` and `credentials_…` are the sender\'s keys.',
        unit: EventsPerSecond,
        span: 12,
        lines: [{ expr: 'sum by (reason) (rate(postcall_events_rejected_total[$__rate_interval]))', legend: '{{reason}}' }],
      }),
    )
    .build();
}
