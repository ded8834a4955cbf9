import type { Db } from '@heliograph/db';

import type { Finding } from './report.ts';

/** Rows of the source that are taken together. */
export interface Page {
  readonly rows: number;
  /** From where to go on; null behind the last page of the step. */
  readonly next: string | null;
  /** Takes the rows. May be called again where its transaction failed. */
  take(tx: Db, importRef: number): Promise<readonly Finding[]>;
  /** What `take` would find, as far as that is known without writing. `importRef` is 0 where nothing was ever taken. */
  compare(db: Db, importRef: number): Promise<readonly Finding[]>;
}

/** A part of an import, gone through page by page. */
export interface Step {
  readonly name: string;
  /** Rows that it will read, about. */
  count(): Promise<number>;
  /** Before the first page that this process takes. */
  begin?(db: Db): Promise<void>;
  /** The page behind that cursor; the first for null. */
  read(
    cursor: string | null,
    target: { readonly db: Db; readonly importRef: number },
  ): Promise<Page>;
}
