/** PostgreSQL: connection exceptions, too many connections, shutting down, starting up. */
const SQLSTATE = /^(?:08...|53300|57P0[1-3])$/;
const NETWORK =
  /^E(?:CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)$/;
/** What `pg` says itself, without a code. */
const OF_DRIVER = /^(?:Connection terminated|timeout exceeded when trying to connect)/;

/** Whether the query failed because the database could not be reached, so that it may work later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string')
    return SQLSTATE.test(error.code) || NETWORK.test(error.code);
  return 'message' in error && typeof error.message === 'string' && OF_DRIVER.test(error.message);
}
