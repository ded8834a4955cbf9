import { removeSender as deleteSender, removeSenderCertificate, type Db } from '@heliograph/db';

import { getApp, type AppName } from '../apps/get-app.ts';

export interface SenderName extends AppName {
  readonly brandId: string;
}

/** With its certificates; what it handed over is delivered. Removing what is not there is fine. */
export async function removeSender(
  { db }: { readonly db: Db },
  { brandId, ...name }: SenderName,
): Promise<void> {
  const app = await getApp(db, name);
  await deleteSender(db, { appRef: app.id, brandId });
}

/** The sender stays, and is not heard until it has another certificate. Removing what is not there is fine. */
export async function removeCertificate(
  { db }: { readonly db: Db },
  { brandId, ...name }: SenderName,
  fingerprint: Buffer,
): Promise<void> {
  const app = await getApp(db, name);
  await removeSenderCertificate(db, { appRef: app.id, brandId }, fingerprint);
}
