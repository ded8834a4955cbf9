import { createLogger } from './log.ts';

/** Runs a process's start. What it rejects with is logged, and the process ends with exit code 1. */
export function runMain(name: string, start: () => Promise<void>): void {
  start().catch((error: unknown) => {
    createLogger(name).fatal({ err: error }, 'start failed');
    // Whatever was opened until now would keep the process alive.
    process.exit(1);
  });
}
