// One start per data folder.

import { linkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, readRecord, writeRecord } from './pids.mjs';

const TRIES = 50;
const RETRY_MS = 20;

/** Takes the folder for this process, or throws while another one lives that has it. Resolves with the release. */
export async function lockFolder(folder) {
  const lock = path.join(folder, 'lock');
  const mine = `${lock}-${process.pid}`;
  writeRecord(mine, process.pid);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      if (tryLink(mine, lock)) return () => rmSync(lock, { force: true });
      const holder = readRecord(lock);
      if (isAlive(holder)) {
        throw new Error(
          `Heliograph already runs from this checkout (process ${holder.pid}). Stop that one first.`,
        );
      }
      breakLock(lock, mine, holder);
      await sleep(RETRY_MS);
    }
    throw new Error(`${lock} could not be taken; remove it if nothing runs from this checkout.`);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Only one at a time may break a dead one's lock, or the slower would break the lock that the faster just took. */
function breakLock(lock, mine, holder) {
  const breaking = `${lock}-breaking`;
  if (!tryLink(mine, breaking)) {
    if (!isAlive(readRecord(breaking))) rmSync(breaking, { force: true });
    return;
  }
  try {
    if (readRecord(lock)?.startedAt === holder?.startedAt) rmSync(lock, { force: true });
  } finally {
    rmSync(breaking, { force: true });
  }
}

/** A link is made whole or not at all, unlike a file that is created and then written. */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}
