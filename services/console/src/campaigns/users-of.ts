import type { CsvRow } from './read-csv.ts';

/** What was found so far. */
export interface Tally {
  readonly users: number;
  /** Had come before. */
  readonly duplicates: number;
  /** Lines without a user, or with one that no server takes. */
  readonly unusable: number;
}

export interface UserColumn {
  /** From 0. */
  readonly column: number;
  /** The first line says what is in the column. */
  readonly hasHeading: boolean;
}

export const NOTHING: Tally = { users: 0, duplicates: 0, unusable: 0 };

const MAX_USER_LENGTH = 255;

/** So many users are compared, for the sake of memory; what comes behind them is handed on as it is, and the server takes each once anyway. */
const MAX_REMEMBERED = 2_000_000;

/** The users in a column, each once. Reports after each lot of lines. */
export async function* usersOf(
  lots: AsyncIterable<readonly CsvRow[]> | Iterable<readonly CsvRow[]>,
  { column, hasHeading }: UserColumn,
  report: (tally: Tally) => void,
): AsyncGenerator<string> {
  const seen = new Set<string>();
  let isHeading = hasHeading;
  let { users, duplicates, unusable } = NOTHING;
  for await (const rows of lots) {
    for (const row of rows) {
      if (isHeading) {
        isHeading = false;
        continue;
      }
      const user = (row[column] ?? '').trim();
      if (user === '' || user.length > MAX_USER_LENGTH) {
        unusable += 1;
        continue;
      }
      if (seen.has(user)) {
        duplicates += 1;
        continue;
      }
      if (seen.size < MAX_REMEMBERED) seen.add(user);
      users += 1;
      yield user;
    }
    report({ users, duplicates, unusable });
  }
}

const HEADING =
  /^(user|users|user[ _-]?(id|name)|id|uid|customer[ _-]?(id|number)?|benutzer.*|kunden?.*)$/i;

/** Which column the users are in, by its heading; the first one where there is none. */
export function guessColumn(firstRow: CsvRow | undefined): UserColumn {
  const found = (firstRow ?? []).findIndex((cell) => HEADING.test(cell.trim()));
  return { column: Math.max(0, found), hasHeading: found !== -1 };
}

/** Users that somebody pasted, as lines of one cell. */
export function toRows(pasted: string): readonly CsvRow[] {
  return pasted
    .split(/[\r\n,;\t]+/)
    .filter((user) => user.trim() !== '')
    .map((user) => [user]);
}
