import { ConfigError, EnvReader } from '@heliograph/runtime';

import { CommandFailed, type CommandIo } from './command.ts';

/** What `pick` takes from the environment. Everything that is wrong there is said at once. */
export function readSettings<T>({ env }: CommandIo, pick: (read: EnvReader) => T): T {
  const read = new EnvReader(env);
  try {
    return read.finish(pick(read));
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailed(error.message);
    throw error;
  }
}
