import { readFileSync } from 'node:fs';

import { runCli } from './cli.ts';
import { readSecret } from './read-secret.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  errIsTerminal: process.stderr.isTTY,
  env: process.env,
  readFile: (path) => readFileSync(path),
  now: () => new Date(),
  inIsTerminal: process.stdin.isTTY,
  readSecret: (question) => readSecret(question, process.stdin, process.stderr),
});
