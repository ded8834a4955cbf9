import { parseArgs } from 'node:util';

export interface Options {
  readonly scenarios: readonly string[];
  readonly json: boolean;
  /** How long a measured part takes; each scenario has a default of its own. */
  readonly seconds: number | undefined;
  /** The folder for CPU profiles of the services. */
  readonly profileFolder: string | undefined;
}

/** Throws with a message for the caller of `npm run bench`. No scenario named means all of them. */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no scenario ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  return {
    scenarios: positionals.length > 0 ? positionals : known,
    json: values.json,
    seconds: parseSeconds(values.seconds),
    profileFolder: values.profile,
  };
}

function parseSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds;
  throw new Error(`--seconds ${text} is not a number of seconds from 1 to 600.`);
}
