// Where things lie. Everything is below the checkout, except when root runs us: PostgreSQL refuses root, Redis
// should not have it, and the user they run as instead often cannot reach the checkout (below /root, say).

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess, identify, isAlive, readRecord } from './pids.mjs';

/** The checkout. */
export const ROOT = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

/** The file in a server's folder that names its process. */
export const SERVER_RECORD = 'server.json';

const NOBODY = 65534;

/** What to add to spawn's options, so that a server never runs as root. */
export const demoted = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Makes a folder that the user of the demoted servers may pass through, whatever the umask is. */
export function makeOpenFolder(folder) {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
}

/** Makes a folder that only the user of the demoted servers gets into. */
export function makeServerFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  giveToServer(folder);
}

/** Hands a file or folder of ours to the user that the servers run as. */
export function giveToServer(file) {
  if (demoted.uid !== undefined) chownSync(file, demoted.uid, demoted.gid);
}

/** Writes files, by their names, that only the user of the demoted servers may read. */
export function writeServerFiles(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    giveToServer(file);
  }
}

/** Lets everybody read a folder, programs and all, whatever the umask was. */
export function makeReadable(folder) {
  execFileSync('chmod', ['-R', 'a+rX', folder]);
}

/** Puts a finished folder in its place, where another launcher may have been faster. */
export function moveIfAbsent(finished, place) {
  try {
    renameSync(finished, place);
  } catch (error) {
    rmSync(finished, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
}

/** Programs that we fetched or copied; costs time to make again, nothing else. */
export function cacheFolder() {
  const folder = path.join(ownFolder('.cache'), 'programs');
  makeOpenFolder(folder);
  return folder;
}

/** What `npm start` keeps: `.data`, which for root is a link to a folder that the servers can reach. */
export function dataFolder() {
  const inCheckout = path.join(ROOT, '.data');
  if (process.getuid() !== 0) {
    mkdirSync(inCheckout, { recursive: true, mode: 0o700 });
    return inCheckout;
  }

  // A random name, so that a new clone in the place of an old one doesn't find the old one's database.
  const link = readLinkOrUndefined(inCheckout);
  const folder = link ?? path.join(ownFolder('.data'), `data-${randomBytes(4).toString('hex')}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  assertOurs(folder);
  if (link === undefined) symlinkSync(folder, inCheckout);
  return folder;
}

/**
 * Makes a folder for servers that live no longer than this process. Its name says whose it is; what launchers
 * left behind that were killed is ended and removed first.
 */
export async function throwawayFolder(purpose) {
  const all = path.join(ownFolder('.cache'), 'tmp');
  makeOpenFolder(all);
  await sweep(all);

  const { pid, startedAt } = identify(process.pid);
  const folder = mkdtempSync(path.join(all, `${purpose}-${pid}-${startedAt}-`));
  chmodSync(folder, 0o755);
  return folder;
}

async function sweep(all) {
  for (const name of readdirSync(all)) {
    const [, pid, startedAt] = name.split('-');
    if (isAlive({ pid: Number(pid), startedAt })) continue;
    const folder = path.join(all, name);
    await endProcess(readRecord(path.join(folder, SERVER_RECORD)), [['SIGKILL', 5_000]]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For root a folder outside the checkout, whose name follows from the checkout's path. */
function ownFolder(nameInCheckout) {
  if (process.getuid() !== 0) {
    const folder = path.join(ROOT, nameInCheckout);
    mkdirSync(folder, { recursive: true });
    return folder;
  }
  const hash = createHash('sha256').update(ROOT).digest('hex').slice(0, 12);
  const folder = `/var/tmp/heliograph-${hash}`;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  assertOurs(folder);
  return folder;
}

/** The name can be guessed and /var/tmp is everybody's: a folder that someone else made or may write to is a trap. */
function assertOurs(folder) {
  const { uid, mode } = lstatSync(folder);
  const isFolder = (mode & 0o170000) === 0o040000;
  if (!isFolder || uid !== process.getuid() || (mode & 0o022) !== 0) {
    throw new Error(
      `${folder} should be a folder of ours that nobody else may write to; remove it.`,
    );
  }
  chmodSync(folder, 0o755);
}

function readLinkOrUndefined(file) {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
