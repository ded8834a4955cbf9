// The API key that `npm start` and the demo call with.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './folders.mjs';
import { run } from './run.mjs';

/** Answers `{ baseUrl, key }`: with the key that is kept in the file, or a new one where that is of another database. */
export async function ensureApiKey(baseUrl, file, databaseUrl) {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  if (kept !== undefined && (await isTaken(baseUrl, kept))) return { baseUrl, key: kept };

  const cli = path.join(ROOT, 'services/cli/dist/main.js');
  const made = await run(
    process.execPath,
    [cli, 'keys', 'create', '--name', 'npm start', '--scopes', 'admin'],
    { env: { ...process.env, DATABASE_URL: databaseUrl } },
  );
  // The mode counts for a file that is new.
  writeFileSync(file, made, { mode: 0o600 });
  return { baseUrl, key: made.trim() };
}

async function isTaken(baseUrl, key) {
  const answer = await fetch(`${baseUrl}/admin/app/list`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(15_000),
  });
  await answer.body?.cancel();
  return answer.status !== 401;
}
