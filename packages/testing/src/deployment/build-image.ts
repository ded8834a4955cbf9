import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { inCheckout } from '../checkout.ts';
import { lineageOf, type Instruction, type Stage } from './dockerfile.ts';

const run = promisify(execFile);

/** What a full installation would bring is in the checkout already. */
const FULL_INSTALL = 'npm ci --ignore-scripts';

/**
 * Carries out the steps of a stage, and of those that it needs, in folders below `root`, and answers the folder that stands for the
 * image's own root. Base images are taken for empty, with this machine's programs.
 */
export async function buildImage(
  stages: readonly Stage[],
  name: string,
  root: string,
): Promise<string> {
  const folder = path.join(root, name);
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  const parents = lineageOf(stages, name);
  let workdir = '/';
  for (const { instructions } of parents)
    for (const instruction of instructions) {
      if (instruction.name === 'WORKDIR') workdir = instruction.text;
      const at = path.join(folder, workdir);
      mkdirSync(at, { recursive: true });
      if (instruction.name === 'COPY') await copy(instruction, at);
      if (instruction.name === 'RUN') await runIn(at, instruction.text);
    }
  return folder;

  async function copy({ text }: Instruction, at: string): Promise<void> {
    const words = text.split(/\s+/);
    const [, from] = /^--from=(\S+)$/.exec(words[0] ?? '') ?? [];
    const paths = from === undefined ? words : words.slice(1);
    const source = from === undefined ? inCheckout('') : await buildImage(stages, from, root);
    const to = path.join(at, paths.at(-1) ?? '');
    for (const one of paths.slice(0, -1)) copyInto(path.join(source, one), to, paths.length > 2);
  }
}

/** As COPY does: of a folder its contents, of a file itself. */
function copyInto(source: string, to: string, intoFolder: boolean): void {
  const isFolder = statSync(source).isDirectory();
  const target =
    !isFolder && (intoFolder || existsSync(to)) ? path.join(to, path.basename(source)) : to;
  cpSync(source, target, { recursive: true, verbatimSymlinks: true, filter: isSent });
}

/** What .dockerignore lets through, of what is copied at all. */
function isSent(file: string): boolean {
  if (!file.startsWith(inCheckout(''))) return true;
  return !['node_modules', 'dist'].includes(path.basename(file));
}

async function runIn(folder: string, command: string): Promise<void> {
  if (command === FULL_INSTALL) {
    linkModules(path.join(folder, 'node_modules'));
    for (const own of listNestedModules()) symlinkSync(inCheckout(own), path.join(folder, own));
    return;
  }
  await run('/bin/sh', ['-ec', command], { cwd: folder, maxBuffer: 16 * 1024 * 1024 });
}

/** Packages by others from the checkout; our own are those of the stage, for which their links are relative. */
function linkModules(folder: string): void {
  mkdirSync(folder);
  for (const name of readdirSync(inCheckout('node_modules'))) {
    const from = path.join(inCheckout('node_modules'), name);
    const to = path.join(folder, name);
    if (name === '@heliograph') cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
}

/** What npm put beside one of our packages alone. */
function listNestedModules(): string[] {
  return ['packages', 'services']
    .flatMap((group) => readdirSync(inCheckout(group)).map((name) => path.join(group, name)))
    .map((place) => path.join(place, 'node_modules'))
    .filter((place) => existsSync(inCheckout(place)));
}
