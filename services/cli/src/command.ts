/** What commands touch of the world. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` writes to a terminal. */
  readonly errIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws where there is no such file. */
  readonly readFile: (path: string) => Buffer;
  readonly now: () => Date;
  /** Whether somebody sits before `readSecret`. */
  readonly inIsTerminal: boolean;
  /** Asks for a line on the terminal, and shows nothing of it; where there is no terminal, it is the next line of the input. */
  readonly readSecret: (question: string) => Promise<string>;
}

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Everything that `--help` says. */
  readonly help: string;
  /** Answers the exit code. Throws a `UsageError` where it was called in the wrong way. */
  readonly run: (args: readonly string[], io: CommandIo) => number | Promise<number>;
}

/** What the caller is to do otherwise; it ends the process with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Why the command could not do its work; said without a stack, it ends the process with exit code 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}
