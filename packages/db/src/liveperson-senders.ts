import type { SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

/** A certificate that a sender may show. */
export interface SenderCertificate {
  /** SHA-256. */
  readonly fingerprint: Buffer;
  readonly commonName: string;
  readonly validTo: Date;
}

/** A sender has one place per app and brand. */
export interface SenderKey {
  readonly appRef: number;
  readonly brandId: string;
}

/** What changes about a sender; what is absent stays. */
export interface SenderChange extends SenderKey {
  readonly name?: string;
  /** Null: none is asked for any more. */
  readonly basic?: { readonly username: string; readonly sealedDigest: Buffer } | null;
  readonly certificate?: SenderCertificate;
}

/** Where the digest of a sender's Basic is sealed. */
export function toBasicPlace({ appRef, brandId }: SenderKey): SealedPlace {
  return { table: 'liveperson_senders', column: 'sealed_basic', row: `${appRef}/${brandId}` };
}

/** Makes the sender, or changes it. A certificate is added to those that it has. */
export async function saveSender(db: Db, change: SenderChange): Promise<void> {
  const { appRef, brandId, name, basic, certificate } = change;
  const values = {
    ...(name !== undefined && { name }),
    ...(basic !== undefined && {
      basicUsername: basic?.username ?? null,
      sealedBasic: basic?.sealedDigest ?? null,
    }),
  };
  await db.transaction().execute(async (tx) => {
    const { id } = await tx
      .insertInto('livepersonSenders')
      .values({ appRef, brandId, ...values })
      // The brand is set to what it is, so that there is something to set and a row to answer.
      .onConflict((conflict) =>
        conflict.columns(['appRef', 'brandId']).doUpdateSet({ brandId, ...values }),
      )
      .returning('id')
      .executeTakeFirstOrThrow();
    if (certificate === undefined) return;
    await tx
      .insertInto('livepersonCertificates')
      .values({ senderId: id, ...certificate })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
}

/** A sender as an operator sees it. */
export interface ListedSender extends SenderKey {
  readonly appId: string;
  readonly name: string | null;
  readonly basicUsername: string | null;
  readonly certificates: readonly SenderCertificate[];
}

/** Every sender, or those of one app, in the order in which they were made. */
export async function listSenders(
  db: Db,
  filter: { readonly appRef?: number; readonly brandId?: string } = {},
): Promise<readonly ListedSender[]> {
  let senders = db
    .selectFrom('livepersonSenders as s')
    .innerJoin('apps as a', 'a.id', 's.appRef')
    .select(['s.id', 's.appRef', 'a.appId', 's.brandId', 's.name', 's.basicUsername'])
    .orderBy('s.id');
  if (filter.appRef !== undefined) senders = senders.where('s.appRef', '=', filter.appRef);
  if (filter.brandId !== undefined) senders = senders.where('s.brandId', '=', filter.brandId);
  const found = await senders.execute();
  if (found.length === 0) return [];

  const certificates = await db
    .selectFrom('livepersonCertificates')
    .select(['senderId', 'fingerprint', 'commonName', 'validTo'])
    .where(
      'senderId',
      'in',
      found.map(({ id }) => id),
    )
    .orderBy('validTo')
    .orderBy('fingerprint')
    .execute();
  return found.map(({ id, ...sender }) => ({
    ...sender,
    certificates: certificates.filter(({ senderId }) => senderId === id),
  }));
}

/** A sender that may speak with a certificate. */
export interface KnownSender extends SenderKey {
  readonly basicUsername: string | null;
  readonly sealedBasic: Buffer | null;
}

/** Whom the certificate stands for, unless its time is over: a connection may outlive it. */
export async function findSenders(db: Db, fingerprint: Buffer): Promise<readonly KnownSender[]> {
  return db
    .selectFrom('livepersonCertificates as c')
    .innerJoin('livepersonSenders as s', 's.id', 'c.senderId')
    .select(['s.appRef', 's.brandId', 's.basicUsername', 's.sealedBasic'])
    .where('c.fingerprint', '=', fingerprint)
    .where('c.validTo', '>', sql<Date>`now()`)
    .execute();
}

/** With its certificates. Answers whether there was one. */
export async function removeSender(db: Db, { appRef, brandId }: SenderKey): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('livepersonSenders')
    .where('appRef', '=', appRef)
    .where('brandId', '=', brandId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** The certificate may go on standing for other senders. Answers whether it stood for this one. */
export async function removeSenderCertificate(
  db: Db,
  { appRef, brandId }: SenderKey,
  fingerprint: Buffer,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('livepersonCertificates as c')
    .using('livepersonSenders as s')
    .whereRef('s.id', '=', 'c.senderId')
    .where('s.appRef', '=', appRef)
    .where('s.brandId', '=', brandId)
    .where('c.fingerprint', '=', fingerprint)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
