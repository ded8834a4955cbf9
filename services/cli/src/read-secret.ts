import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

import { CommandFailed } from './command.ts';

/** What a line is read from; `process.stdin` is one. */
export interface SecretInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

const lines = new WeakMap<SecretInput, AsyncIterator<string>>();

/** Asks for a line on the terminal, and shows nothing of it; where there is no terminal, it is the next line of the input. */
export async function readSecret(
  question: string,
  input: SecretInput,
  terminal: NodeJS.WritableStream,
): Promise<string> {
  const line = await (input.isTTY === true ? ask(question, input, terminal) : readLine(input));
  if (line === undefined) throw new CommandFailed('There is no password to read.');
  return line;
}

/** Readline echoes what is typed to its output: there it is lost. */
function ask(
  question: string,
  input: SecretInput,
  terminal: NodeJS.WritableStream,
): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line: Interface = createInterface({ input, output: nowhere, terminal: true });
  terminal.write(question);
  return new Promise((resolve) => {
    line.once('line', (text) => {
      resolve(text);
      line.close();
    });
    line.once('SIGINT', () => line.close());
    line.once('close', () => {
      terminal.write('\n');
      resolve(undefined);
    });
  });
}

/** The same reader each time: it has taken more from the input than one line. */
async function readLine(input: SecretInput): Promise<string | undefined> {
  const known = lines.get(input) ?? createInterface({ input })[Symbol.asyncIterator]();
  lines.set(input, known);
  const { value, done } = await known.next();
  return done === true ? undefined : value;
}
