// Programs from Debian's packages without installing them: downloaded with what they need that this machine lacks,
// and unpacked into our cache. It needs no root and changes nothing on the system.

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { cacheFolder, makeReadable, moveIfAbsent } from './folders.mjs';
import { run } from './run.mjs';

/** What we know to fetch: the packages that bring the program, and how to see that it runs. */
const PROGRAMS = {
  'redis-server': { packages: ['redis-server'], path: 'usr/bin/redis-server', check: '--version' },
  nginx: { packages: ['nginx'], path: 'usr/sbin/nginx', check: '-v' },
  // With the module that reads a request's body before it answers, for the bench. No such program is on anybody's PATH.
  'nginx-echo': {
    packages: ['nginx', 'libnginx-mod-http-echo'],
    path: 'usr/sbin/nginx',
    check: '-v',
  },
  nghttpd: { packages: ['nghttp2-server'], path: 'usr/sbin/nghttpd', check: '--version' },
  openssl: { packages: ['openssl'], path: 'usr/bin/openssl', check: 'version' },
  curl: { packages: ['curl'], path: 'usr/bin/curl', check: '--version' },
  // Both are in one package, and large: promtool is what we look for, and the server lies beside it.
  promtool: { packages: ['prometheus'], path: 'usr/bin/promtool', check: '--version' },
  chromium: {
    packages: ['chromium-headless-shell', 'fonts-dejavu-core'],
    path: 'usr/lib/chromium/chromium-headless-shell',
    check: '--version',
    // Below the folder where libraries are.
    libraries: ['pulseaudio'],
  },
  // For the pictures.
  pngquant: { packages: ['pngquant'], path: 'usr/bin/pngquant', check: '--version' },
  h2load: { packages: ['nghttp2-client'], path: 'usr/bin/h2load', check: '--version' },
};

/** Programs by other people that tests hold ours against. */
export const FOREIGN = ['nginx', 'nghttpd', 'openssl', 'curl', 'promtool', 'chromium'];

/** The program's path, from PATH or our cache; undefined where it would have to be fetched. */
export function findProgram(name) {
  const cached = launcherOf(name);
  return findOnPath(name) ?? (existsSync(cached) ? cached : undefined);
}

/** The program's path, fetched where it must be: `{ path }`, or `{ reason }` why it is not to be had. */
export async function ensureForeign(name) {
  try {
    return { path: findProgram(name) ?? (await fetchProgram(name)) };
  } catch (error) {
    return { reason: `${name} is not installed and could not be fetched: ${error.message}` };
  }
}

/** Fetches a program into our cache unless it is there; resolves with its path. */
export async function fetchProgram(name, signal) {
  const launcher = launcherOf(name);
  if (existsSync(launcher)) return launcher;
  if (!findOnPath('apt-get') || !findOnPath('dpkg-deb'))
    throw new Error('there is no apt-get here');

  const home = path.dirname(launcher);
  const unfinished = `${home}-${process.pid}`;
  try {
    await download(PROGRAMS[name].packages, unfinished, signal);
    await unpack(unfinished);
    await run(writeLauncher(unfinished, name), [PROGRAMS[name].check], { signal });
    makeReadable(unfinished);
    moveIfAbsent(unfinished, home);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return launcher;
}

/** The first executable of that name on PATH, and in the folders for administrators that a user's PATH lacks. */
export function findOnPath(name) {
  const folders = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`.split(':');
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

async function download(packages, folder, signal) {
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(path.join(folder, part), { recursive: true });
  }
  const options = {
    'Dir::State': path.join(folder, 'state'),
    'Dir::Cache': path.join(folder, 'cache'),
    // What this machine has need not come along.
    'Dir::State::status': '/var/lib/dpkg/status',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': '1',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '15',
  };
  const apt = [
    '-qq',
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
  ];
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

  // A stranger's source that fails to update is no harm as long as the package is found.
  const update = await run('apt-get', [...apt, 'update'], { env, signal }).catch((error) => error);
  const install = ['install', '--download-only', '--reinstall', '--no-install-recommends', '-y'];
  try {
    await run('apt-get', [...apt, ...install, ...packages], { env, signal });
  } catch (error) {
    throw new Error(
      [update, error]
        .map((e) => e.message)
        .filter(Boolean)
        .join('\n'),
      { cause: error },
    );
  }
}

async function unpack(folder) {
  const archives = path.join(folder, 'cache/archives');
  const root = path.join(folder, 'root');
  for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', path.join(archives, name), root]);
  }
  // The package lists are some twenty times the size of what we came for.
  for (const part of ['state', 'cache']) rmSync(path.join(folder, part), { recursive: true });
}

/** A script that runs the program with the libraries beside it, from wherever the folder is. */
function writeLauncher(folder, name) {
  const root = path.join(folder, 'root');
  const libraries = ['usr/lib', 'lib'].flatMap((lib) =>
    readdirOrEmpty(path.join(root, lib))
      .filter((each) => each.includes('-linux-'))
      .flatMap((triplet) =>
        ['', ...(PROGRAMS[name].libraries ?? [])].map((below) => path.join(lib, triplet, below)),
      )
      .map((place) => `$here/root/${place}`),
  );
  const lines = [
    '#!/bin/sh',
    'here=${0%/*}',
    `LD_LIBRARY_PATH="${libraries.join(':')}" exec "$here/root/${PROGRAMS[name].path}" "$@"`,
  ];
  const launcher = path.join(folder, name);
  writeFileSync(launcher, `${lines.join('\n')}\n`);
  chmodSync(launcher, 0o755);
  return launcher;
}

function launcherOf(name) {
  return path.join(cacheFolder(), name, name);
}

function readdirOrEmpty(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
