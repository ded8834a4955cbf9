import type { Provider } from '@heliograph/core';
import type { findCredential, ProxySettings } from '@heliograph/db';
import type { Credential, ProxyCredential } from '@heliograph/providers';
import { unpackCertificateFile } from '@heliograph/providers/certificate';
import { unpackProxySecret } from '@heliograph/providers/proxy-secret';

/** A credential as it is stored. */
export type StoredCredential = NonNullable<Awaited<ReturnType<typeof findCredential>>>;

interface Identity {
  readonly id: string;
  readonly version: number;
}

/** Puts a stored credential and its key together for whoever sends with it; undefined where the key can't be one. */
export function openCredential(
  identity: Identity,
  provider: Provider,
  { settings, environment }: Pick<StoredCredential, 'settings' | 'environment'>,
  key: Buffer,
): Credential | undefined {
  if ('url' in settings) return openProxy(identity, provider, settings, key);
  if (!('bundle' in settings))
    return { ...identity, provider: 'fcm', route: 'direct', ...settings, serviceAccount: key };

  const { bundle, ratePerSecond } = settings;
  const app = {
    ...identity,
    provider: 'apns',
    route: 'direct',
    environment: environment ?? undefined,
    bundle,
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  } as const;
  if ('keyId' in settings) {
    const { keyId, teamId } = settings;
    return { ...app, auth: 'token', keyId, teamId, privateKey: key };
  }
  const certificateFile = unpackCertificateFile(key);
  return certificateFile && { ...app, auth: 'certificate', certificateFile };
}

function openProxy(
  identity: Identity,
  provider: Provider,
  settings: ProxySettings,
  key: Buffer,
): ProxyCredential | undefined {
  const secret = unpackProxySecret(key);
  return secret && { ...identity, provider, route: 'proxy', ...settings, ...secret };
}
