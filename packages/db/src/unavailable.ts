/** PostgreSQL: connection exceptions, a standby, out of resources, shutting down, starting up, trouble with its own files. */
const SQLSTATE = /^(?:08...|25006|53...|57P0[1-5]|58...)$/;
const NETWORK =
  /^E(?:CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)$/;
/** What `pg` says itself, without a code. */
const OF_DRIVER =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** PostgreSQL: data exceptions, integrity constraints, limits of a row. */
const SQLSTATE_OF_CONTENT = /^(?:22|23|54)...$/;

/** Whether the query failed because the database could not be reached, so that it may work later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string')
    return SQLSTATE.test(error.code) || NETWORK.test(error.code);
  return 'message' in error && typeof error.message === 'string' && OF_DRIVER.test(error.message);
}

/** Whether the query failed for what was to be written, so that it will never work. */
export function isContentRefused(error: unknown): boolean {
  // Values that can't even be sent, such as a date that is none.
  if (error instanceof RangeError || error instanceof TypeError) return true;
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return typeof error.code === 'string' && SQLSTATE_OF_CONTENT.test(error.code);
}
