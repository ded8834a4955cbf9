/** What a look for things that are too old came to. */
export interface Purged {
  /** Partitions that were dropped, by their names. */
  readonly dropped: readonly string[];
  /** Partitions that are old enough, but in which something is not over yet. */
  readonly owing: readonly string[];
  /** Partitions that could not be locked. */
  readonly busy: readonly string[];
  /** Rows that were deleted one by one. */
  readonly rows: number;
  /** There are more such rows. */
  readonly more: boolean;
}

export const NOTHING_PURGED: Purged = { dropped: [], owing: [], busy: [], rows: 0, more: false };
