// The product as it ships: the built binary in a directory of its own, told to stop as an operator would.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './until.mjs';

export async function startProduct(binary) {
  const home = mkdtempSync(path.join(tmpdir(), 'postcall-e2e-'));
  const readyFile = path.join(home, 'ready.json');
  const logFile = path.join(home, 'log.txt');
  const log = openSync(logFile, 'w');
  const child = spawn(binary, ['demo', '--ready-file', readyFile], { cwd: home, stdio: ['ignore', log, log] });
  // A suite that dies must not leave a server behind.
  process.on('exit', () => child.kill('SIGKILL'));

  let ending;
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve((ending = error.message)));
    child.on('exit', (code, signal) => resolve((ending = code === 0 ? '' : `exit ${code ?? signal}`)));
  });
  const showLog = () => console.log(`---- the product's log ----\n${readFileSync(logFile, 'utf8').slice(-20_000)}`);

  const ready = await until('the product to be ready', 60_000, () => {
    if (ending !== undefined) throw new Error(`the product ended before it was ready: ${ending}`);
    return read(readyFile);
  }).catch((error) => {
    showLog();
    throw error;
  });
  return { ready, showLog, stop: () => stop(child, ended, home) };
}

/** Says how it ended; nothing when it drained and exited with 0. */
async function stop(child, ended, home) {
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const ending = await ended;
  clearTimeout(patience);
  process.on('exit', () => rmSync(home, { recursive: true, force: true }));
  return ending;
}

/** It may be looked at while it is being written: half a file is no file yet. */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
