import { CommandFailed, UsageError, type Command, type CommandIo } from './command.ts';
import { IMPORT } from './commands/import.ts';
import { KEYS } from './commands/keys.ts';
import { SECRETS } from './commands/secrets.ts';
import { SIGN } from './commands/sign.ts';

/** A file each, in `commands/`. */
const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['import', IMPORT],
  ['keys', KEYS],
  ['secrets', SECRETS],
  ['sign', SIGN],
]);

const OK = 0;
const FAILED = 1;
const MISUSED = 2;

/**
 * Runs the command that the arguments name. Answers its exit code; 1 where it failed, 2 where the caller is to do something
 * otherwise.
 */
export async function runCli(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === 'help') {
    io.out(listCommands());
    return OK;
  }
  const command = name === undefined ? undefined : COMMANDS.get(name);
  if (command === undefined) {
    const mistake = name === undefined ? 'Name a command.' : `There is no command ${name}.`;
    io.err(`${mistake}\n\n${listCommands()}`);
    return MISUSED;
  }
  if (rest.includes('--help')) {
    io.out(command.help);
    return OK;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof CommandFailed) {
      io.err(`${error.message}\n`);
      return FAILED;
    }
    if (!(error instanceof UsageError)) throw error;
    io.err(`${error.message}\n\n${command.help}`);
    return MISUSED;
  }
}

function listCommands(): string {
  const lines = Array.from(COMMANDS, ([name, { summary }]) => `  ${name.padEnd(8)} ${summary}\n`);
  return `Usage: heliograph COMMAND …\n\n${lines.join('')}\nheliograph COMMAND --help says more.\n`;
}
