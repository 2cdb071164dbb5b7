// Writes dashboards/*.json. `node build/generate.js [folder]`
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { overview } from './overview.js';
import { providers } from './providers.js';
import { work } from './work.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? path.join(here, '..', 'dashboards');
for (const dashboard of [overview(), work(), providers()]) {
  // Grafana would number them itself, and save them as changed.
  (dashboard.panels ?? []).forEach((panel, place) => (panel.id = place + 1));
  const name = `${String(dashboard.uid)}.json`;
  writeFileSync(path.join(folder, name), `${JSON.stringify(dashboard, null, 2)}\n`);
}
