import type { SealedPlace } from '@heliograph/core';

import type { Schema } from './schema.ts';

/*
 * Every column that holds sealed secrets. Their names begin with `sealed`, in the schema as in the database, and nobody else's do: so a
 * column that is missing here does not compile.
 */

type SealedIn<Table> = Extract<keyof Table, `sealed${string}`>;
type SealedTable = {
  [T in keyof Schema]: [SealedIn<Schema[T]>] extends [never] ? never : T;
}[keyof Schema];

/** The columns that tell a row, in the order in which they stand in its place. */
type KeyOf<Table> = readonly [
  Exclude<keyof Table, SealedIn<Table>>,
  ...Exclude<keyof Table, SealedIn<Table>>[],
];

type Listed = {
  readonly [T in SealedTable]: {
    readonly [C in SealedIn<Schema[T]>]: {
      readonly key: KeyOf<Schema[T]>;
      /** Where its values are sealed. */
      readonly place: Omit<SealedPlace, 'row'>;
      /** Gone after a minute, whatever sealed it. */
      readonly isShortLived?: true;
    };
  };
};

const LISTED: Listed = {
  credentials: {
    sealedKey: {
      key: ['appRef', 'provider'],
      place: { table: 'credentials', column: 'sealed_key' },
    },
  },
  // Sealed where it is in use, for it comes back there as it is.
  standbyCredentials: {
    sealedKey: {
      key: ['appRef', 'provider'],
      place: { table: 'credentials', column: 'sealed_key' },
    },
  },
  developerSecrets: {
    sealedSecret: { key: ['id'], place: { table: 'developer_secrets', column: 'sealed_secret' } },
  },
  callbackSecrets: {
    sealedSecret: { key: ['id'], place: { table: 'callback_secrets', column: 'sealed_secret' } },
  },
  livepersonSenders: {
    sealedBasic: {
      key: ['appRef', 'brandId'],
      place: { table: 'liveperson_senders', column: 'sealed_basic' },
    },
  },
  credentialChecks: {
    sealedKey: {
      key: ['id'],
      place: { table: 'credential_checks', column: 'sealed_key' },
      isShortLived: true,
    },
  },
};

/** A column of sealed secrets. Names are those of the schema; a statement has them in its own spelling. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** In the database's spelling: table and column. */
  readonly name: string;
  readonly key: readonly string[];
  readonly place: Omit<SealedPlace, 'row'>;
  readonly isShortLived: boolean;
}

export const SEALED_COLUMNS: readonly SealedColumn[] = Object.entries(LISTED).flatMap(
  ([table, columns]) =>
    Object.entries(columns).map(([column, listed]) => ({
      table,
      column,
      name: `${toSnakeCase(table)}.${toSnakeCase(column)}`,
      isShortLived: false,
      ...listed,
    })),
);

/** Where the row's secret is sealed. `key` has the values of the column's key. */
export function toPlace({ place }: SealedColumn, key: readonly string[]): SealedPlace {
  return { ...place, row: key.join('/') };
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
