/** What commands touch of the world. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws where there is no such file. */
  readonly readFile: (path: string) => Buffer;
  readonly now: () => Date;
}

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Everything that `--help` says. */
  readonly help: string;
  /** Throws a `UsageError` where it was called in the wrong way, and a `Failure` where it could not be done. */
  readonly run: (args: readonly string[], io: CommandIo) => void | Promise<void>;
}

/** What the caller is to do otherwise; it ends the process with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Why it could not be done; it ends the process with exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure';
}
