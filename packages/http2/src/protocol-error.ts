import type { ErrorName } from './error-codes.ts';

/** The peer did what HTTP/2 forbids: the connection ends with that code. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorName;

  constructor(code: ErrorName, message: string) {
    super(message);
    this.code = code;
  }
}
