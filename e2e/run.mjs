// Starts the real product with the outside world faked around it, lets a real browser live the stories one after
// another, and stops it again. `node run.mjs [part of a story's name]`; SCREENSHOTS=1 keeps a picture of each state.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProduct } from './support/product.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
// The clock only moves forward, and no other story would survive eight days.
const LAST = 'a_link_expires.test.mjs';

/** Two runs of node's runner, which sorts the files it is given. */
function stories(filter) {
  const files = readdirSync(path.join(here, 'stories')).filter((file) => file.endsWith('.test.mjs'));
  const told = files.filter((file) => file.includes(filter));
  const runs = [told.filter((file) => file !== LAST), told.filter((file) => file === LAST)];
  return runs.filter((run) => run.length > 0).map((run) => run.map((file) => path.join(here, 'stories', file)));
}

function tell(files, ready) {
  const options = ['--test', '--test-concurrency=1', '--test-reporter=spec', '--test-reporter-destination=stdout'];
  const runner = spawn(process.execPath, [...options, ...files], {
    stdio: 'inherit',
    env: { ...process.env, POSTCALL_E2E_READY: JSON.stringify(ready) },
  });
  return new Promise((resolve) => runner.on('close', (code) => resolve(code ?? 1)));
}

const runs = stories(process.argv[2] ?? '');
if (runs.length === 0) throw new Error(`no story is called ${process.argv[2]}`);
const product = await startProduct(process.env.POSTCALL_BINARY ?? path.join(here, '..', 'target', 'debug', 'postcall'));
let failed = false;
for (const files of runs) failed = (await tell(files, product.ready)) !== 0 || failed;
const ending = await product.stop();
if (failed || ending) product.showLog();
if (ending) console.log(`the product did not end well: ${ending}`);
process.exitCode = failed || ending ? 1 : 0;
