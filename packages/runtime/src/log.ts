import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One JSON object a line to standard output, written at once: nothing is lost when the process ends. */
export function createLogger(name: string, level: LogLevel = 'info'): Logger {
  return pino({ name, level });
}
