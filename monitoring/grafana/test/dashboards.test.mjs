// The dashboards as committed: what the code makes, and what Grafana needs to show them beside any Prometheus.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const here = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const committed = path.join(here, 'dashboards');
const files = readdirSync(committed).sort();
const dashboards = files.map((file) => JSON.parse(readFileSync(path.join(committed, file), 'utf8')));
const panels = dashboards.flatMap((board) =>
  board.panels.filter((panel) => panel.type !== 'row').map((panel) => ({ board, panel, name: `${board.title}: ${panel.title}` })),
);

test('making them again gives the same bytes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postcall-dashboards-'));
  try {
    execFileSync(process.execPath, [path.join(here, 'build', 'generate.js'), folder]);
    assert.deepEqual(readdirSync(folder).sort(), files);
    for (const file of files) {
      const [made, kept] = [folder, committed].map((place) => readFileSync(path.join(place, file), 'utf8'));
      assert.ok(made === kept, `${file} is not what the code makes: npm run generate`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the first page asks the five questions in their order', () => {
  const overview = dashboards.find((board) => board.uid === 'postcall-overview');
  assert.deepEqual(
    overview.panels.filter((panel) => panel.type === 'row').map((row) => row.title),
    [
      '1. Are texts going out?',
      '2. How fast?',
      '3. What is stuck?',
      '4. Is money matching?',
      '5. Who is opted out or on hold?',
    ],
  );
});

test('every dashboard lets its reader choose the Prometheus, and names none', () => {
  for (const board of dashboards) {
    assert.deepEqual(board.templating.list.map((variable) => [variable.type, variable.name]), [['datasource', 'datasource']]);
    assert.equal(board.editable, false);
    assert.ok(board.description.length > 20 && board.tags.includes('postcall'));
  }
  for (const { panel, name } of panels) {
    assert.deepEqual(panel.datasource, { type: 'prometheus', uid: '${datasource}' }, name);
    for (const target of panel.targets) assert.equal(target.datasource, undefined, name);
  }
});

test('every panel has a title, a description and a unit, and its id and place are its own', () => {
  for (const { board, panel, name } of panels) {
    assert.ok(panel.title.length > 3 && panel.description.endsWith('.'), name);
    assert.ok(panel.fieldConfig.defaults.unit?.length > 0, `${name} has no unit`);
    const { x, y, w, h } = panel.gridPos;
    assert.ok(x + w <= 24, name);
    for (const other of board.panels.filter((one) => one !== panel)) {
      const apart = other.gridPos;
      const overlaps = x < apart.x + apart.w && apart.x < x + w && y < apart.y + apart.h && apart.y < y + h;
      assert.ok(!overlaps, `${name} lies over ${other.title}`);
      assert.notEqual(other.id, panel.id, name);
    }
  }
});

test('a rate over time has the window that fits the picture, and a number of this moment says its window in its title', () => {
  for (const { panel, name } of panels) {
    for (const { expr, instant } of panel.targets) {
      const windows = [...expr.matchAll(/(?:rate|increase|delta)\([^[]*\[([^\]]+)\]/g)].map((match) => match[1]);
      for (const window of windows) {
        if (instant) assert.match(panel.title, /minutes|hour|days/, `${name}: over ${window}`);
        else assert.equal(window, '$__rate_interval', `${name}: ${expr}`);
      }
    }
  }
});

test('what counts up is never shown as it is', () => {
  for (const { panel, name } of panels) {
    for (const { expr } of panel.targets) {
      for (const counter of expr.matchAll(/\b\w+(?:_total|_count|_sum|_bucket)\b(?:\{[^}]*\})?(\[?)/g)) {
        assert.equal(counter[1], '[', `${name}: ${expr}`);
      }
    }
  }
});

test('Grafana is told where both are, at the interval of the scrapes', () => {
  const yaml = (...parts) => parse(readFileSync(path.join(here, ...parts), 'utf8'));
  const [source] = yaml('provisioning', 'datasources', 'prometheus.yml').datasources;
  assert.equal(source.type, 'prometheus');
  assert.equal(source.jsonData.timeInterval, yaml('..', 'prometheus.yml').global.scrape_interval);
  const [provider] = yaml('provisioning', 'dashboards', 'postcall.yml').providers;
  assert.equal(provider.options.path, '/var/lib/grafana/dashboards');
});
