// The ledger and the machines under it: where to look once the first page says that something is stuck.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { BytesIEC, EventsPerSecond, PercentUnit, RequestsPerSecond, Seconds, Short } from './units.js';
import { board, lines, quantile, row } from './panels.js';

export function work(): Dashboard {
  return board('postcall-work', 'Postcall: work and machines', 'Jobs by kind, requests by route, and what the processes live on.')
    .withRow(row('Jobs'))
    .withPanel(
      lines({
        title: 'Answers of handlers',
        description: 'Jobs done, tried again, put off, dead, and lost to another worker, per second.',
        unit: EventsPerSecond,
        lines: [{ expr: 'sum by (outcome) (rate(postcall_jobs_total[$__rate_interval]))', legend: '{{outcome}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Jobs done by kind',
        description: 'What the workers get through.',
        unit: EventsPerSecond,
        lines: [
          { expr: 'sum by (kind) (rate(postcall_jobs_total{outcome="done"}[$__rate_interval]))', legend: '{{kind}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Oldest due work by kind',
        description: 'How long the oldest job of a kind has been due.',
        unit: Seconds,
        promise: 30,
        lines: [{ expr: 'postcall:oldest_due:age_seconds', legend: '{{kind}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Rows per batch',
        description: 'Mean size of a claimed batch: one when idle, more under load. It forms by itself.',
        unit: Short,
        lines: [
          {
            expr: `sum by (kind) (rate(postcall_job_batch_rows_sum[$__rate_interval]))
/ clamp_min(sum by (kind) (rate(postcall_job_batch_rows_count[$__rate_interval])), 1e-9)`,
            legend: '{{kind}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Time a batch takes, p95',
        description: 'By kind. Sends take as long as their provider; the others as long as the database.',
        unit: Seconds,
        lines: [{ expr: quantile(0.95, 'postcall_job_batch_duration_seconds', ['kind']), legend: '{{kind}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Workers',
        description: 'Restarts of workers, and how long ago each process asked for work (0 in those that run none).',
        unit: Short,
        lines: [
          { expr: 'sum by (kind) (increase(postcall_worker_restarts_total[$__rate_interval]))', legend: 'restarts {{kind}}' },
          {
            expr: `(time() - postcall_worker_heartbeat_timestamp_seconds)
* (postcall_worker_heartbeat_timestamp_seconds > bool 0)`,
            legend: 'seconds since {{instance}}',
          },
        ],
      }),
    )
    .withRow(row('Requests'))
    .withPanel(
      lines({
        title: 'Requests by class',
        description: '5xx are ours; 4xx are the caller\'s.',
        unit: RequestsPerSecond,
        lines: [
          {
            expr: 'sum by (status) (rate(postcall_http_request_duration_seconds_count[$__rate_interval]))',
            legend: '{{status}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Busiest routes',
        description: 'The ten routes with the most requests.',
        unit: RequestsPerSecond,
        lines: [
          {
            expr: 'topk(10, sum by (method, route) (rate(postcall_http_request_duration_seconds_count[$__rate_interval])))',
            legend: '{{method}} {{route}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Time to answer',
        description: 'Over all routes.',
        unit: Seconds,
        lines: [
          { expr: quantile(0.5, 'postcall_http_request_duration_seconds'), legend: 'p50' },
          { expr: quantile(0.99, 'postcall_http_request_duration_seconds'), legend: 'p99' },
        ],
      }),
    )
    .withRow(row('What the processes live on'))
    .withPanel(
      lines({
        title: 'Connections to the database',
        description: 'Used, as a share of the pool\'s limit.',
        unit: PercentUnit,
        promise: 1,
        lines: [
          {
            expr: `postcall_db_pool_connections{state="used"}
/ ignoring (state) postcall_db_pool_connections{state="max"}`,
            legend: '{{instance}} {{pool}}',
          },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Last answer of the database',
        description: 'How long ago it answered the questions behind the gauges; above a minute is alert StoreUnreachable.',
        unit: Seconds,
        promise: 60,
        lines: [{ expr: 'time() - postcall_census_timestamp_seconds', legend: '{{instance}} {{part}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Redis, and clocks',
        description: 'Redis: 1 while this process hears the others through it. Clocks: how far the database\'s is from the machine\'s.',
        unit: Short,
        lines: [
          { expr: 'postcall_redis_connected', legend: 'Redis {{instance}}' },
          { expr: 'postcall_clock_skew_seconds', legend: 'seconds apart {{instance}}' },
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Memory',
        description: 'Resident memory per process.',
        unit: BytesIEC,
        lines: [{ expr: 'process_resident_memory_bytes{job="postcall"}', legend: '{{instance}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Processor',
        description: 'Cores in use per process.',
        unit: Short,
        lines: [{ expr: 'rate(process_cpu_seconds_total{job="postcall"}[$__rate_interval])', legend: '{{instance}}' }],
      }),
    )
    .withPanel(
      lines({
        title: 'Disk of the embedded database',
        description: 'Free share of the disk that holds it. Nothing here on PostgreSQL: watch that server\'s own disk.',
        unit: PercentUnit,
        lines: [{ expr: 'postcall_disk_available_bytes / postcall_disk_size_bytes', legend: '{{instance}}' }],
      }),
    )
    .build();
}
