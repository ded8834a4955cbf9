// Programs that run to their end.

import { spawn } from 'node:child_process';

/** Runs a program and resolves with its output; rejects with what it said when it fails. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let said = '';
    child.stdout.on('data', (text) => {
      output += text;
      said += text;
    });
    child.stderr.on('data', (text) => (said += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const end = said.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${program} ${args[0] ?? ''} failed (${signal ?? code}):\n${end}`));
    });
  });
}

/** Runs a program on our terminal and resolves with its exit code. */
export function runHere(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal === null ? code : 1));
  });
}
