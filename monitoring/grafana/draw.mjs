// Draws the dashboards with the figures that `cargo xtask test monitoring` left: what Grafana would show, near enough to be
// judged by eye without a Grafana. `node draw.mjs figures.json folder`
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const [figuresFile, folder] = process.argv.slice(2);
if (!folder) throw new Error('node draw.mjs figures.json folder');
const figures = JSON.parse(readFileSync(figuresFile, 'utf8'));

const COLUMN = 60;
const CELL = 36;
const GAP = 8;
const PALETTE = ['#2f6fb0', '#c2571a', '#2a8a4a', '#8a4fb0', '#b8860b', '#c23b5a', '#3a8f94', '#6b6b6b', '#7a5a2f', '#4455aa'];
const STATE = { green: '#2a8a4a', yellow: '#b8860b', red: '#c62828', blue: '#2f6fb0' };

const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]);
const number = (value) => {
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString('en');
};
const bytes = (value) => {
  const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const place = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(value, 1)) / 10)));
  return `${number(value / 1024 ** place)} ${steps[place]}`;
};
const span = (value) => (value === 0 ? '0 s' : Math.abs(value) < 1 ? `${number(value * 1000)} ms` : Math.abs(value) < 120 ? `${number(value)} s` : `${number(value / 60)} min`);
const UNITS = {
  s: span,
  bytes,
  percentunit: (value) => `${number(value * 100)} %`,
  eps: (value) => `${number(value)} /s`,
  mps: (value) => `${number(value)} /s`,
  reqps: (value) => `${number(value)} /s`,
  dateTimeFromNow: (value) => (value < 1e12 ? 'never' : `${span(Math.max(0, Date.now() - value) / 1000)} ago`),
};
const show = (unit, value) => (UNITS[unit] ?? number)(value);

/** `{{kind}}` of a legend, from the labels of a row. */
const named = (legend, labels) => (legend ?? '').replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');

function rowsOf(uid, panel) {
  return figures[uid]
    .filter((figure) => figure.panel === panel.id)
    .flatMap((figure) => figure.rows.map((row) => ({ name: named(figure.legend, row.metric), ...row })));
}

function colour(panel, value) {
  const steps = panel.fieldConfig.defaults.thresholds.steps;
  return STATE[steps.filter((step) => step.value === null || value >= step.value).at(-1).color];
}

function stat(panel, rows) {
  const value = Number(rows[0]?.value?.[1] ?? NaN);
  const text = Number.isNaN(value) ? 'no data' : show(panel.fieldConfig.defaults.unit, value);
  return `<div class="number" style="color:${Number.isNaN(value) ? '#888' : colour(panel, value)}">${escape(text)}</div>`;
}

function bars(panel, rows) {
  const most = Math.max(1, ...rows.map((row) => Number(row.value[1])));
  const lines = rows.map((row) => {
    const value = Number(row.value[1]);
    const width = (100 * value) / most;
    return `<tr><td>${escape(row.name)}</td><td class="track"><div style="width:${width}%"></div></td><td>${show(panel.fieldConfig.defaults.unit, value)}</td></tr>`;
  });
  return `<table>${lines.join('')}</table>`;
}

function chart(panel, rows, width, height) {
  const unit = panel.fieldConfig.defaults.unit;
  const stacked = panel.fieldConfig.defaults.custom?.stacking?.mode === 'normal';
  const series = rows
    .map((row) => ({ name: row.name, points: row.values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => !Number.isNaN(value)) }))
    .filter((one) => one.points.length > 0)
    .map((one) => ({ ...one, peak: Math.max(...one.points.map(([, value]) => value)), last: one.points.at(-1)[1] }))
    .sort((a, b) => b.peak - a.peak);
  if (series.length === 0) return '<div class="number" style="color:#888">no data</div>';
  const drawn = series.slice(0, 10);
  const [left, right, top, bottom] = [64, 8, 6, 20];
  const columns = Math.max(1, Math.floor(width / 210));
  const legendHeight = 16 * Math.ceil(drawn.length / columns) + 4;
  const [w, h] = [width - left - right, height - top - bottom - legendHeight];
  const times = series.flatMap((one) => one.points.map(([at]) => at));
  const [from, to] = [Math.min(...times), Math.max(...times, Math.min(...times) + 1)];
  const sums = new Map();
  if (stacked) for (const one of drawn) for (const [at, value] of one.points) sums.set(at, (sums.get(at) ?? 0) + value);
  const peak = Math.max(...(stacked ? [...sums.values()] : drawn.map((one) => one.peak)), 1e-9);
  const ceiling = niceCeiling(peak);
  const x = (at) => left + ((at - from) / (to - from)) * w;
  const y = (value) => top + h - (value / ceiling) * h;
  const parts = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(`<line x1="${left}" x2="${left + w}" y1="${y(ceiling * share)}" y2="${y(ceiling * share)}" class="grid"/>`);
    parts.push(`<text x="${left - 6}" y="${y(ceiling * share) + 4}" text-anchor="end">${escape(show(unit, ceiling * share))}</text>`);
  }
  for (const share of [0, 0.5, 1]) {
    const seconds = Math.round((to - from) * share);
    parts.push(`<text x="${left + w * share}" y="${top + h + 15}" text-anchor="${share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}">${seconds} s</text>`);
  }
  const promise = panel.fieldConfig.defaults.custom?.thresholdsStyle ? panel.fieldConfig.defaults.thresholds.steps.at(-1).value : undefined;
  if (promise !== undefined && promise <= ceiling) {
    parts.push(`<line x1="${left}" x2="${left + w}" y1="${y(promise)}" y2="${y(promise)}" stroke="#c62828" stroke-dasharray="6 4"/>`);
  }
  const base = new Map();
  drawn.forEach((one, place) => {
    const tint = PALETTE[place % PALETTE.length];
    const at = one.points.map(([time, value]) => [time, (stacked ? (base.get(time) ?? 0) : 0) + value]);
    const line = at.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    if (stacked) {
      const under = at.map(([time]) => `${x(time).toFixed(1)},${y(base.get(time) ?? 0).toFixed(1)}`).reverse().join(' ');
      parts.push(`<polygon points="${line} ${under}" fill="${tint}" fill-opacity="0.3"/>`);
      for (const [time, value] of at) base.set(time, value);
    }
    parts.push(`<polyline points="${line}" fill="none" stroke="${tint}" stroke-width="2"/>`);
    const [column, row] = [place % columns, Math.floor(place / columns)];
    const [lx, ly] = [left + (column * w) / columns, height - legendHeight + 12 + row * 16];
    parts.push(`<rect x="${lx}" y="${ly - 7}" width="10" height="4" fill="${tint}"/>`);
    parts.push(`<text x="${lx + 14}" y="${ly}">${escape(`${one.name}  ${show(unit, one.last)}`)}</text>`);
  });
  return `<svg width="${width}" height="${height}">${parts.join('')}</svg>`;
}

function niceCeiling(peak) {
  const step = 10 ** Math.floor(Math.log10(peak));
  return [1, 2, 4, 5, 10].map((times) => times * step).find((ceiling) => ceiling >= peak * 1.001) ?? peak;
}

function page(board) {
  const bottom = Math.max(...board.panels.map((panel) => panel.gridPos.y + panel.gridPos.h));
  const cells = board.panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const place = `left:${x * COLUMN}px;top:${y * CELL}px;width:${w * COLUMN - GAP}px;height:${h * CELL - GAP}px`;
    if (panel.type === 'row') return `<h2 style="${place}">${escape(panel.title)}</h2>`;
    const rows = rowsOf(board.uid, panel);
    const inside = { stat, bargauge: bars, timeseries: chart }[panel.type](panel, rows, w * COLUMN - GAP - 20, h * CELL - GAP - 34);
    return `<section style="${place}"><h3>${escape(panel.title)}</h3>${inside}</section>`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 16px; font: 12px/1.3 "Liberation Sans", sans-serif; color: #222; background: #f3f3f3; width: ${24 * COLUMN}px }
    h1 { font-size: 18px; margin: 0 0 4px } p { margin: 0 0 10px; color: #555 }
    main { position: relative; height: ${bottom * CELL}px }
    h2 { position: absolute; margin: 0; font-size: 15px; line-height: ${CELL - GAP}px }
    section { position: absolute; box-sizing: border-box; background: #fff; border: 1px solid #ddd; border-radius: 3px; padding: 8px 10px }
    h3 { margin: 0 0 6px; font-size: 12px; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
    .number { font-size: 34px; font-weight: 600; padding-top: 18px; text-align: center }
    .grid { stroke: #e4e4e4 } text { font-size: 11px; fill: #444 }
    table { width: 100%; font-size: 12px } td { padding: 3px 6px; white-space: nowrap } td.track { width: 60%; background: #f0f0f0; padding: 0 }
    td.track div { height: 14px; background: #2f6fb0 }
  </style><h1>${escape(board.title)}</h1><p>${escape(board.description)}</p><main>${cells.join('')}</main>`;
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const file of readdirSync(path.join(here, 'dashboards')).sort()) {
  const board = JSON.parse(readFileSync(path.join(here, 'dashboards', file), 'utf8'));
  const html = path.join(folder, `${board.uid}.html`);
  writeFileSync(html, page(board));
  const tab = await browser.newPage({ viewport: { width: 24 * COLUMN + 32, height: 900 } });
  await tab.goto(pathToFileURL(html).href);
  await tab.screenshot({ path: path.join(folder, `${board.uid}.png`), fullPage: true });
  console.log(path.join(folder, `${board.uid}.png`));
}
await browser.close();
