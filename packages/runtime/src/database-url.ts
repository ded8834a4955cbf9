import type { EnvReader } from './env.ts';

/** `DATABASE_URL`, with the password from `DATABASE_PASSWORD` or the file that `DATABASE_PASSWORD_FILE` names, where one is given. */
export function readDatabaseUrl(read: EnvReader): string {
  const url = read.url('DATABASE_URL');
  const password = read.secret('DATABASE_PASSWORD');
  if (password === undefined || !URL.canParse(url)) return url;
  const complete = new URL(url);
  complete.password = encodeURIComponent(password);
  return complete.href;
}
