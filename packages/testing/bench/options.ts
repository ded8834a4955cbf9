import { parseArgs } from 'node:util';

export interface Options {
  readonly scenarios: readonly string[];
  readonly json: boolean;
  /** How long a measured part takes; each scenario has a default of its own. */
  readonly seconds: number | undefined;
  /** How many devices `campaign` is about. */
  readonly devices: number | undefined;
  /** How many users `audience` is about. */
  readonly users: number | undefined;
  /** How many pushes the memory of `transport` is looked at for, and how many `soak` sends. */
  readonly pushes: number | undefined;
  /** How many old deliveries `retention` purges. */
  readonly deliveries: number | undefined;
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
      devices: { type: 'string' },
      users: { type: 'string' },
      pushes: { type: 'string' },
      deliveries: { type: 'string' },
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
    devices: parseCount('--devices', values.devices),
    users: parseCount('--users', values.users),
    pushes: parseCount('--pushes', values.pushes),
    deliveries: parseCount('--deliveries', values.deliveries),
    profileFolder: values.profile,
  };
}

function parseSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds;
  throw new Error(`--seconds ${text} is not a number of seconds from 1 to 600.`);
}

/** Enough for what is measured to last a moment, and no more than a machine of one developer holds. */
const COUNTS = { least: 20_000, most: 10_000_000 };

function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= COUNTS.least && count <= COUNTS.most) return count;
  throw new Error(`${option} ${text} is not a number from ${COUNTS.least} to ${COUNTS.most}.`);
}
