import { createPrivateKey } from 'node:crypto';

/** What signs the provider tokens of one team. */
export interface SigningKey {
  readonly keyId: string;
  readonly teamId: string;
  /** PKCS#8 PEM, EC P-256. */
  readonly pem: string;
}

interface KeySource {
  readonly keyId: string;
  readonly teamId: string;
  readonly privateKey: Buffer;
}

/** The key of an uploaded .p8 file; undefined where nothing can be signed with it. */
export function findSigningKey({ keyId, teamId, privateKey }: KeySource): SigningKey | undefined {
  if (!keyId || !teamId) return undefined;
  try {
    const key = createPrivateKey(privateKey);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
    return { keyId, teamId, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  } catch {
    return undefined;
  }
}
