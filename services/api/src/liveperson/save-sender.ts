import { randomBytes } from 'node:crypto';

import { Refusal, type SecretBox } from '@heliograph/core';
import {
  listSenders,
  saveSender as storeSender,
  toBasicPlace,
  type Db,
  type ListedSender,
  type SenderKey,
} from '@heliograph/db';

import { getApp, type AppName } from '../apps/get-app.ts';
import { toBasicDigest } from './basic.ts';
import { readClientCertificate } from './client-certificate.ts';

const PASSWORD_BYTES = 32;

export interface SenderInput extends AppName {
  readonly brandId: string;
  readonly name?: string;
  /** Added to the certificates that the sender has. */
  readonly certificatePem?: string;
  readonly basic?: {
    readonly username: string;
    /** One is made where none is given. */
    readonly password?: string;
  };
  readonly removeBasic?: boolean;
}

export interface SavedSender {
  readonly sender: ListedSender;
  /** The password that was made; it is shown this once. */
  readonly password: string | undefined;
}

/** Makes a sender, or changes what the input names of it. Refuses one that would have no certificate, and a certificate that can't serve. */
export async function saveSender(
  deps: { readonly db: Db; readonly secrets: SecretBox; readonly now: () => Date },
  input: SenderInput,
): Promise<SavedSender> {
  const { brandId, name, certificatePem, basic } = input;
  if (basic !== undefined && input.removeBasic === true)
    throw new Refusal('invalid_request', 'Give either basic or removeBasic.');
  const app = await getApp(deps.db, input);
  const key = { appRef: app.id, brandId };
  const certificate =
    certificatePem === undefined ? undefined : readClientCertificate(certificatePem, deps.now());
  if (certificate === undefined) await getSender(deps.db, key, 'certificatePem is missing.');

  const password =
    basic === undefined
      ? undefined
      : (basic.password ?? randomBytes(PASSWORD_BYTES).toString('base64url'));
  await storeSender(deps.db, {
    ...key,
    ...(name !== undefined && { name }),
    ...(certificate !== undefined && { certificate }),
    ...(input.removeBasic === true && { basic: null }),
    ...(basic !== undefined &&
      password !== undefined && {
        basic: {
          username: basic.username,
          sealedDigest: deps.secrets.seal(
            toBasicDigest(basic.username, password),
            toBasicPlace(key),
          ),
        },
      }),
  });
  return {
    sender: await getSender(deps.db, key, 'The sender was removed meanwhile.'),
    password: basic?.password === undefined ? password : undefined,
  };
}

/** Refuses with these words where there is none. */
async function getSender(db: Db, key: SenderKey, words: string): Promise<ListedSender> {
  const [sender] = await listSenders(db, key);
  if (sender === undefined) throw new Refusal('invalid_request', words);
  return sender;
}
