import { isDatabaseUnavailable } from '@heliograph/db';

const SQLSTATE = /^[\dA-Z]{5}$/;

/** What the database, or the way to it, says no to: such as a wrong password, or a permission that is missing. Undefined for any other error. */
export function findDatabaseFailure(error: unknown): string | undefined {
  if (!isDatabaseUnavailable(error) && !isOfServer(error)) return undefined;
  return error instanceof Error ? error.message : String(error);
}

function isOfServer(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && SQLSTATE.test(error.code);
}
