import { createPublicKey, generateKeyPairSync, randomInt, type KeyObject } from 'node:crypto';
import { Buffer } from 'node:buffer';

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export type ApnsEnvironment = 'production' | 'development';

export interface ApnsKeyOptions {
  /** 10 characters; made up if absent. */
  readonly teamId?: string;
  readonly keyId?: string;
  /** The bundle ids that the team owns; absent: any. */
  readonly bundles?: readonly string[];
  /** Apple binds new keys to one environment; old ones are valid for both, and so is this by default. */
  readonly environment?: ApnsEnvironment | 'both';
}

/** A provider token key (`AuthKey_<key id>.p8`), as a customer uploads it. */
export interface ApnsKey {
  readonly teamId: string;
  readonly keyId: string;
  /** PKCS#8 PEM, EC P-256. */
  readonly p8: string;
  /** Base64 of the whole .p8 file. */
  readonly privateKeyBase64: string;
}

/** What the fake keeps of a key: Apple has the public half only. */
export interface RegisteredApnsKey {
  readonly teamId: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly bundles: readonly string[] | undefined;
  readonly environment: ApnsEnvironment | 'both';
}

export function createApnsKey({
  teamId = randomId(),
  keyId = randomId(),
}: ApnsKeyOptions): ApnsKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return toApnsKey(teamId, keyId, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

export function toApnsKey(teamId: string, keyId: string, p8: string): ApnsKey {
  return { teamId, keyId, p8, privateKeyBase64: Buffer.from(p8).toString('base64') };
}

export function toRegisteredApnsKey(key: ApnsKey, options: ApnsKeyOptions): RegisteredApnsKey {
  return {
    teamId: key.teamId,
    keyId: key.keyId,
    publicKey: createPublicKey(key.p8),
    bundles: options.bundles,
    environment: options.environment ?? 'both',
  };
}

function randomId(): string {
  return Array.from({ length: 10 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
}
