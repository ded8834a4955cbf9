/** PostgreSQL: a deadlock was resolved at our cost. */
const DEADLOCK = '40P01';
const MAX_TRIES = 5;

/** Runs a transaction again where others, who lock rows in another order, made it fail. */
export async function tryAgain<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1)
    try {
      return await transaction();
    } catch (error) {
      const isDeadlock = error instanceof Error && 'code' in error && error.code === DEADLOCK;
      if (!isDeadlock || tries === MAX_TRIES) throw error;
    }
}
