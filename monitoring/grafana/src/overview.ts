// The five questions of an operator, in their order, on one page.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { DateTimeFromNow, EventsPerSecond, MessagesPerSecond, PercentUnit, Seconds, Short } from './units.js';
import { bars, board, lines, number, quantile, row } from './panels.js';

const LINK_WISHES = 'intent=~"send_link|pay_online",disposition="accepted"';

export function overview(): Dashboard {
  return board('postcall-overview', 'Postcall', 'Are texts going out, how fast, what is stuck, is money matching, who is opted out or on hold?')
    .withRow(row('1. Are texts going out?'))
    .withPanel(
      number({
        title: 'Wishes for a link, 10 minutes',
        description: 'Calls that ended with a wish for a link, accepted in the last ten minutes.',
        unit: Short,
        expr: `sum(increase(postcall_events_total{${LINK_WISHES}}[10m]))`,
      }),
    )
    .withPanel(
      number({
        title: 'Messages taken, 10 minutes',
        description: 'Texts and emails that a provider took in the last ten minutes. Zero beside wishes is alert TextsDoNotGoOut.',
        unit: Short,
        expr: 'sum(increase(postcall_attempts_total{outcome="accepted"}[10m]))',
      }),
    )
    .withPanel(
      number({
        title: 'Texts delivered, 1 hour',
        description: 'Texts that the carrier reported delivered, as a share of those it reported an end of.',
        unit: PercentUnit,
        decimals: 1,
        expr: `sum(increase(postcall_delivery_total{status=~"delivered|read"}[1h]))
/ clamp_min(sum(increase(postcall_delivery_total{status=~"delivered|read|undelivered|failed|canceled"}[1h])), 1)`,
        limits: { warn: 0.95, bad: 0.8 },
      }),
    )
    .withPanel(
      number({
        title: 'Refused or unknown, 5 minutes',
        description: 'Attempts that a provider refused or whose outcome nobody saw. Above 5 % is alert ProviderRefuses.',
        unit: PercentUnit,
        decimals: 1,
        expr: 'max(postcall:attempts_refused_or_unknown:ratio_rate5m)',
        limits: { warn: 0.02, bad: 0.05 },
      }),
    )
    .withPanel(
      number({
        title: 'Two texts for one wish, 30 days',
        description: 'Wishes for which a customer may have got two texts. Must be zero.',
        unit: Short,
        expr: 'sum(increase(postcall_duplicate_risk_total[30d]))',
        limits: { warn: 1, bad: 1 },
      }),
    )
    .withPanel(
      number({
        title: 'Wait for their hour or next try',
        description: 'Messages whose time has not come: the morning at the customer, or the next attempt.',
        unit: Short,
        expr: 'sum(postcall:jobs:max{kind=~"send_.+",standing="scheduled"})',
      }),
    )
    .withPanel(
      lines({
        title: 'Attempts by outcome',
        description: 'What providers said, per channel. `not_sent` is tried again, `unknown` is looked up and never repeated blindly.',
        unit: MessagesPerSecond,
        lines: [
          {
            expr: 'sum by (channel, outcome) (rate(postcall_attempts_total[$__rate_interval]))',
            legend: '{{channel}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Events by what became of them',
        description: 'Post-call events answered 2xx. `unmatched` names no invoice we know; `suppressed` asks for what the invoice forbids.',
        unit: EventsPerSecond,
        lines: [
          { expr: 'sum by (disposition) (rate(postcall_events_total[$__rate_interval]))', legend: '{{disposition}}' },
          { expr: 'sum(rate(postcall_events_rejected_total[$__rate_interval]))', legend: 'rejected' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'What the carrier reports',
        description: 'Delivery reports by status. `undelivered` and `failed` fall back to email with the same link.',
        unit: MessagesPerSecond,
        lines: [
          {
            expr: 'sum by (status) (rate(postcall_delivery_total{status=~"sent|delivered|undelivered|failed"}[$__rate_interval]))',
            legend: '{{status}}',
          },
        ],
      }),
    )
    .withRow(row('2. How fast?'))
    .withPanel(
      number({
        title: 'Accepted to the wire, p99, 1 hour',
        description: 'From accepting a wish to the first byte at the provider; not counting those that had to wait for the morning.',
        unit: Seconds,
        decimals: 2,
        expr: quantile(0.99, 'postcall_dispatch_latency_seconds', [], '', '1h'),
        limits: { warn: 1, bad: 5 },
      }),
    )
    .withPanel(
      number({
        title: 'On the wire within 5 s, 6 hours',
        description: 'Promise 1: at least 99 %.',
        unit: PercentUnit,
        decimals: 2,
        expr: '1 - postcall:dispatch_over_5s:ratio_rate6h',
        limits: { warn: 0.99, bad: 0.98 },
      }),
    )
    .withPanel(
      number({
        title: 'Events without 5xx, 6 hours',
        description: 'Promise 5: at least 99.9 %.',
        unit: PercentUnit,
        decimals: 2,
        expr: '1 - postcall:accept_errors:ratio_rate6h',
        limits: { warn: 0.999, bad: 0.99 },
      }),
    )
    .withPanel(
      number({
        title: 'Webhooks in 2 s, 30 minutes',
        description: 'Promise 4: at least 99 %; a carrier gives up after two seconds.',
        unit: PercentUnit,
        decimals: 2,
        expr: '1 - postcall:webhook_over_2s:ratio_rate30m',
        limits: { warn: 0.99, bad: 0.95 },
      }),
    )
    .withPanel(
      number({
        title: 'Pauses in 2 s, 1 hour',
        description: 'Promise 6: a question stops the calls about its invoice, at least 99 % within two seconds.',
        unit: PercentUnit,
        decimals: 2,
        expr: '1 - postcall:pause_over_2s:ratio_rate1h',
        limits: { warn: 0.99, bad: 0.95 },
      }),
    )
    .withPanel(
      number({
        title: 'Burn rate of promise 1',
        description: 'How many times faster than allowed slow sends use up the month: 1 uses it up exactly, 14.4 in two days.',
        unit: Short,
        decimals: 1,
        expr: 'postcall:dispatch_over_5s:ratio_rate1h / 0.01',
        limits: { warn: 1, bad: 14.4 },
      }),
    )
    .withPanel(
      lines({
        title: 'Accepted to the wire',
        description: 'Quantiles over all processes. The dashed line is promise 1.',
        unit: Seconds,
        span: 12,
        promise: 5,
        lines: [
          { expr: quantile(0.5, 'postcall_dispatch_latency_seconds'), legend: 'p50' },
          { expr: quantile(0.9, 'postcall_dispatch_latency_seconds'), legend: 'p90' },
          { expr: quantile(0.99, 'postcall_dispatch_latency_seconds'), legend: 'p99' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Time to answer an event and a webhook, p99',
        description: 'From the head of the request to the head of the answer: the event or the report is durable by then.',
        unit: Seconds,
        span: 12,
        lines: [
          {
            expr: quantile(0.99, 'postcall_http_request_duration_seconds', ['route'], 'route=~"/v1/events|/v1/call-permission|/webhooks/.+"'),
            legend: '{{route}}',
          },
        ],
      }),
    )
    .withRow(row('3. What is stuck?'))
    .withPanel(
      number({
        title: 'Oldest due work',
        description: 'How long the oldest job that nobody has begun has been due. Above 30 s is alert OldestDue.',
        unit: Seconds,
        expr: 'max(postcall:oldest_due:age_seconds)',
        limits: { warn: 5, bad: 30 },
      }),
    )
    .withPanel(
      number({
        title: 'Workers last heard of',
        description: 'How long ago any worker last asked for work. Above 30 s is alert NoWorkerHeartbeat.',
        unit: Seconds,
        expr: 'postcall:worker_heartbeat:age_seconds',
        limits: { warn: 15, bad: 30 },
      }),
    )
    .withPanel(
      number({
        title: 'Sends with unknown outcome',
        description: 'Being looked up at the provider right now. Older than five minutes is alert UnknownSends.',
        unit: Short,
        expr: 'max(postcall_sends_unknown)',
        limits: { warn: 1, bad: 20 },
      }),
    )
    .withPanel(
      number({
        title: 'Dead jobs',
        description: 'Jobs that used up their attempts: `postcall jobs dead` says why, `postcall jobs redrive` puts one back to work.',
        unit: Short,
        expr: 'sum(postcall:jobs:max{standing="dead"})',
        limits: { warn: 1, bad: 10 },
      }),
    )
    .withPanel(
      number({
        title: 'Abandoned messages',
        description: 'Messages that wait although the job that sends them is dead; the sweep gives each a new one. Must be zero.',
        unit: Short,
        expr: 'max(postcall_messages_abandoned)',
        limits: { warn: 1, bad: 1 },
      }),
    )
    .withPanel(
      number({
        title: 'Wait for a person',
        description: 'Open items on the merchants\' attention lists.',
        unit: Short,
        expr: 'sum(postcall:attention_items:max)',
      }),
    )
    .withPanel(
      lines({
        title: 'Due jobs by kind',
        description: 'Work that may run now and that nobody has begun. It grows while workers are too few, dead or held up.',
        unit: Short,
        stacked: true,
        lines: [{ expr: 'postcall:jobs:max{standing="due"}', legend: '{{kind}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Other open jobs by standing',
        description: '`orphaned` lost their worker and are taken over within 15 s; `scheduled` wait for their time.',
        unit: Short,
        lines: [{ expr: 'sum by (standing) (postcall:jobs:max{standing!="due"})', legend: '{{standing}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'What waits for a person, by kind',
        description: 'Open attention items. `unknown_send` and `payment_conflict` are yours; the others are the merchants\'.',
        unit: Short,
        lines: [{ expr: 'postcall:attention_items:max', legend: '{{kind}}' }],
      }),
    )
    .withRow(row('4. Is money matching?'))
    .withPanel(
      number({
        title: 'Payment conflicts',
        description: 'Payments where Stripe and our books disagree: paid twice, another amount, after the invoice was closed. A new one is alert PaymentConflict.',
        unit: Short,
        expr: 'max(postcall:attention_items:max{kind="payment_conflict"})',
        limits: { warn: 1, bad: 1 },
      }),
    )
    .withPanel(
      number({
        title: 'Last complete look at Stripe',
        description: 'How long ago the sweep last asked Stripe about every open payment; it does every five minutes.',
        unit: Seconds,
        expr: 'postcall:reconcile:age_seconds',
        limits: { warn: 600, bad: 1200 },
      }),
    )
    .withPanel(
      number({
        title: 'Payments whose end is not known',
        description: 'Begun on a pay page, or processing at a bank for days. The sweep keeps asking about them.',
        unit: Short,
        expr: 'sum(max by (status) (postcall_payables))',
      }),
    )
    .withPanel(
      number({
        title: 'Never asked about for',
        description: 'The payable that has gone longest without a look at Stripe.',
        unit: Seconds,
        expr: `max(
  (time() - postcall_payable_oldest_check_timestamp_seconds)
  * (postcall_payable_oldest_check_timestamp_seconds > bool 0)
)`,
        limits: { warn: 1800, bad: 3600 },
      }),
    )
    .withPanel(
      number({
        title: 'Found by the sweep, 24 hours',
        description: 'Payments that moved and that neither webhook nor browser had told about.',
        unit: Short,
        expr: 'sum(increase(postcall_reconcile_payables_total{result=~"processing|succeeded|failed_back"}[24h]))',
        limits: { warn: 1, bad: 10 },
      }),
    )
    .withPanel(
      number({
        title: 'Stripe last heard of',
        description: 'When the last authentic webhook of Stripe came in.',
        unit: DateTimeFromNow,
        expr: '1000 * max(postcall_webhook_in_last_timestamp_seconds{source="stripe"})',
      }),
    )
    .withPanel(
      lines({
        title: 'Payments',
        description: 'Payments begun at a bank, succeeded and failed, per second.',
        unit: EventsPerSecond,
        lines: [
          {
            expr: 'sum by (kind) (rate(postcall_timeline_total{kind=~"payment_.+"}[$__rate_interval]))',
            legend: '{{kind}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'What asking Stripe again led to',
        description: 'Per sweep: `unchanged` is as it should be, `unanswered` means Stripe did not say, the others are news.',
        unit: EventsPerSecond,
        lines: [{ expr: 'sum by (result) (rate(postcall_reconcile_payables_total[$__rate_interval]))', legend: '{{result}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Stripe\'s webhooks',
        description: 'By what became of them.',
        unit: EventsPerSecond,
        lines: [
          {
            expr: 'sum by (result) (rate(postcall_webhook_in_total{source="stripe"}[$__rate_interval]))',
            legend: '{{result}}',
          },
        ],
      }),
    )
    .withRow(row('5. Who is opted out or on hold?'))
    .withPanel(
      number({
        title: 'Opted out',
        description: 'Standing opt-outs of all merchants: numbers and addresses that get nothing.',
        unit: Short,
        expr: 'sum(max by (channel) (postcall_opt_outs))',
      }),
    )
    .withPanel(
      number({
        title: 'More opt-outs in the last hour',
        description: 'More than 10, and more than one in twenty texts, is alert OptOutSpike.',
        unit: Short,
        expr: 'postcall:opt_outs:increase1h',
        limits: { warn: 10, bad: 50 },
      }),
    )
    .withPanel(
      number({
        title: 'Open holds',
        description: 'Questions, disputes and chargebacks that a merchant has not answered. A hold nobody ends stays.',
        unit: Short,
        expr: 'sum(max by (reason) (postcall_holds_open))',
      }),
    )
    .withPanel(
      number({
        title: 'Invoices not called about',
        description: 'Enrolments that are paused: on hold, promised, or being paid.',
        unit: Short,
        expr: 'max(postcall_enrolments_paused)',
      }),
    )
    .withPanel(
      number({
        title: 'Pauses a dialer has not heard',
        description: 'Pauses that were told and not acknowledged. Longer than five minutes is alert DialerDeaf.',
        unit: Short,
        expr: 'sum(postcall:jobs:max{kind="pause_calls",standing=~"due|scheduled"})',
        limits: { warn: 1, bad: 5 },
      }),
    )
    .withPanel(
      number({
        title: 'Live links',
        description: 'Links with which an invoice can be paid right now.',
        unit: Short,
        expr: 'sum(max by (status) (postcall_links))',
      }),
    )
    .withPanel(
      bars({
        title: 'Opt-outs and holds',
        description: 'Opt-outs by channel, open holds by reason.',
        unit: Short,
        lines: [
          { expr: 'max by (channel) (postcall_opt_outs)', legend: 'opted out: {{channel}}' },
          { expr: 'max by (reason) (postcall_holds_open)', legend: 'hold: {{reason}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Opt-outs, holds and pauses',
        description: 'How many stand.',
        unit: Short,
        lines: [
          { expr: 'sum(max by (channel) (postcall_opt_outs))', legend: 'opted out' },
          { expr: 'sum(max by (reason) (postcall_holds_open))', legend: 'on hold' },
          { expr: 'max(postcall_enrolments_paused)', legend: 'calls paused' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Links by what happens to them',
        description: 'Issued, opened by a person, used to pay, expired after seven days, superseded by a newer one, revoked.',
        unit: EventsPerSecond,
        lines: [
          {
            expr: 'sum by (kind) (rate(postcall_timeline_total{kind=~"link_.+"}[$__rate_interval]))',
            legend: '{{kind}}',
          },
        ],
      }),
    )
    .build();
}
