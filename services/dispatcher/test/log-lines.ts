import { Writable } from 'node:stream';

import { pino, type Logger } from 'pino';

export interface LogLines {
  readonly log: Logger;
  /** The fields of every line with this message. */
  readonly of: (message: string) => readonly Readonly<Record<string, unknown>>[];
}

/** A logger whose lines are kept. */
export function keepLogLines(): LogLines {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  return {
    log: pino({ level: 'trace' }, stream),
    of: (message) => lines.filter(({ msg }) => msg === message),
  };
}
