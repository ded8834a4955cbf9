// Processes by pid and start time. A pid alone may have been given to a stranger since it was written down.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** What to write down about a live process; undefined for one that is dead or a zombie. */
export function identify(pid) {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;

  // The program's name stands in brackets and may hold anything, so count from the last of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields[0], fields[19]];
  // A zombie still answers kill(pid, 0), so only its state tells.
  return state === 'Z' || state === 'X' ? undefined : { pid, startedAt };
}

/** Whether the very process of this record still runs. */
export function isAlive(record) {
  return record !== undefined && identify(record.pid)?.startedAt === record.startedAt;
}

/** Writes a process and facts about it to a file that `readRecord` understands. */
export function writeRecord(file, pid, facts = {}) {
  writeFileSync(file, JSON.stringify({ ...identify(pid), ...facts }), { mode: 0o600 });
}

/** The record in a file; undefined where there is none or it is torn. */
export function readRecord(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Sends one signal after the other, each with its patience, until the process of the record is gone. */
export async function endProcess(record, signals) {
  for (const [signal, patienceMs] of signals) {
    if (!isAlive(record)) return;
    sendSignal(record.pid, signal);
    await until(() => !isAlive(record), patienceMs);
  }
}

/** Resolves with the exit code once a child is gone and reaped, or could not be started at all. */
export function exitOf(child) {
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('exit', (code) => resolve(code));
  });
}

/** Polls until the condition holds; false when the time is over first. */
export async function until(condition, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Signals a process that may be gone. */
export function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function readOrUndefined(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
