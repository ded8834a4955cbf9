import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * One JSON object a line to standard output, written at once: nothing is lost when the process ends. Of an error there is what went wrong
 * and where, and not what it happened with.
 */
export function createLogger(
  name: string,
  level: LogLevel = 'info',
  destination?: pino.DestinationStream,
): Logger {
  const options = { name, level, serializers: { err: toShown } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** PostgreSQL quotes rows in `detail` and `where`, and others carry the body of a request: what is not listed here is left out. */
const SHOWN = [
  'type',
  'message',
  'stack',
  'code',
  'errno',
  'syscall',
  'status',
  'severity',
  'table',
  'column',
  'constraint',
  'routine',
  'aggregateErrors',
] as const;

function toShown(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? undefined : error;
  const whole: Readonly<Record<string, unknown>> = pino.stdSerializers.err(error);
  const shown: Record<string, unknown> = {};
  for (const name of SHOWN) {
    const value = whole[name];
    if (Array.isArray(value))
      shown[name] = error instanceof AggregateError ? error.errors.map(toShown) : [];
    else if (value !== undefined) shown[name] = value;
  }
  return shown;
}
