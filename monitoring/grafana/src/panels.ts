// The few kinds of panel there are, so that each panel is its question, its unit and its queries.
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** Chosen in the dashboard, so that it works beside any Prometheus. */
export const DATASOURCE: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

export interface Question {
  title: string;
  /** What it shows and when to worry. */
  description: string;
  unit: string;
}

export interface Line {
  expr: string;
  legend: string;
}

/** Green up to `warn`, yellow up to `bad`, red from there; the other way round when `bad` is the smaller one. */
export interface Limits {
  warn: number;
  bad: number;
}

export interface OneNumber extends Question {
  expr: string;
  limits?: Limits;
  decimals?: number;
}

export interface Several extends Question {
  lines: Line[];
  stacked?: boolean;
  /** A line drawn across: what was promised. */
  promise?: number;
  span?: number;
}

function colours(limits: Limits | undefined): dashboard.ThresholdsConfigBuilder {
  const steps: dashboard.Threshold[] =
    limits === undefined
      ? [{ value: null, color: 'blue' }]
      : limits.bad >= limits.warn
        ? [
            { value: null, color: 'green' },
            { value: limits.warn, color: 'yellow' },
            { value: limits.bad, color: 'red' },
          ]
        : [
            { value: null, color: 'red' },
            { value: limits.bad, color: 'yellow' },
            { value: limits.warn, color: 'green' },
          ];
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps);
}

function last(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false);
}

/** One number of this moment. */
export function number(asked: OneNumber): Stat {
  return new Stat()
    .title(asked.title)
    .description(asked.description)
    .datasource(DATASOURCE)
    .unit(asked.unit)
    .decimals(asked.decimals ?? 0)
    .thresholds(colours(asked.limits))
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .reduceOptions(last())
    .withTarget(new DataqueryBuilder().expr(asked.expr).instant().refId('A'))
    .height(4)
    .span(4);
}

/** Several numbers of this moment, side by side. */
export function bars(asked: Several): BarGauge {
  const panel = new BarGauge()
    .title(asked.title)
    .description(asked.description)
    .datasource(DATASOURCE)
    .unit(asked.unit)
    .min(0)
    .thresholds(colours(undefined))
    .orientation(common.VizOrientation.Horizontal)
    .reduceOptions(last())
    .height(8)
    .span(asked.span ?? 8);
  asked.lines.forEach((line, place) => panel.withTarget(query(line, place).instant()));
  return panel;
}

/** How it went. */
export function lines(asked: Several): TimeSeries {
  const legend = new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);
  const panel = new TimeSeries()
    .title(asked.title)
    .description(asked.description)
    .datasource(DATASOURCE)
    .unit(asked.unit)
    .min(0)
    .legend(legend)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .fillOpacity(asked.stacked === true ? 30 : 8)
    .lineWidth(2)
    .showPoints(common.VisibilityMode.Never)
    .height(8)
    .span(asked.span ?? 8);
  if (asked.stacked === true) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (asked.promise !== undefined) {
    panel
      .thresholds(
        new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps([
          { value: null, color: 'green' },
          { value: asked.promise, color: 'red' },
        ]),
      )
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  }
  asked.lines.forEach((line, place) => panel.withTarget(query(line, place).range()));
  return panel;
}

function query(line: Line, place: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .expr(line.expr)
    .legendFormat(line.legend)
    .refId(String.fromCharCode('A'.charCodeAt(0) + place));
}

/** The line under which so many of a hundred lie, from a histogram. */
export function quantile(share: number, metric: string, by: string[] = [], where = '', window = '$__rate_interval'): string {
  const labels = ['le', ...by].join(', ');
  const selector = where === '' ? '' : `{${where}}`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket${selector}[${window}])))`;
}

/** What every dashboard of ours has: a datasource to choose, links to the others. */
export function board(uid: string, title: string, description: string): dashboard.DashboardBuilder {
  const others = new dashboard.DashboardLinkBuilder('Postcall')
    .type(dashboard.DashboardLinkType.Dashboards)
    .tags(['postcall'])
    .asDropdown(false)
    .includeVars(true)
    .keepTime(true);
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['postcall'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(others)
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
}

export function row(title: string): dashboard.RowBuilder {
  return new dashboard.RowBuilder(title);
}
