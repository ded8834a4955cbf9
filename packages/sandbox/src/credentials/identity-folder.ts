import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, type Authority } from '../certificates/server-certificate.ts';
import { isObject } from '../json.ts';
import { createClientCertificate, type ClientCertificate } from './client-certificate.ts';
import { createIdentity, restoreIdentity, toCredentials, type Identity } from './credentials.ts';

/**
 * The identity kept in a folder, made and written there if it has none: ca.pem, ca-key.pem, server.pem, server-key.pem,
 * client.pem, client-key.pem, AuthKey_<key id>.p8, service-account.json and credentials.json; new each time
 * expired-client.pem and foreign-client.pem, of clients that are to be refused. What holds a private key is 0600.
 */
export async function openIdentityFolder(
  dir: string,
  bundle: string,
  projectId: string,
): Promise<Identity> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const identity = (await readIdentity(dir)) ?? (await createIdentity(bundle, projectId));
  await writeIdentity(dir, identity);
  return identity;
}

async function readIdentity(dir: string): Promise<Identity | undefined> {
  const [caPem, caKeyPem, credentialsJson] = await Promise.all(
    ['ca.pem', 'ca-key.pem', 'credentials.json'].map((file) => readIfPresent(join(dir, file))),
  );
  if (!caPem || !caKeyPem || !credentialsJson) return undefined;
  return restoreIdentity({ caPem, caKeyPem }, credentialsJson);
}

async function writeIdentity(dir: string, identity: Identity): Promise<void> {
  const { authority, server, apnsKey, proxyClient, serviceAccount } = identity;
  await replaceFile(join(dir, 'ca.pem'), authority.caPem, 0o644);
  await replaceFile(join(dir, 'ca-key.pem'), authority.caKeyPem, 0o600);
  await replaceFile(join(dir, 'server.pem'), server.certPem, 0o644);
  await replaceFile(join(dir, 'server-key.pem'), server.keyPem, 0o600);
  await replaceFile(join(dir, 'client.pem'), proxyClient.certPem, 0o644);
  await replaceFile(join(dir, 'client-key.pem'), proxyClient.keyPem, 0o600);
  await replaceFile(join(dir, 'expired-client.pem'), toOneFile(createExpired(authority)), 0o600);
  await replaceFile(join(dir, 'foreign-client.pem'), toOneFile(createForeign()), 0o600);
  await replaceFile(join(dir, `AuthKey_${apnsKey.keyId}.p8`), apnsKey.p8, 0o600);
  await replaceFile(join(dir, 'service-account.json'), serviceAccount.json, 0o600);
  // Last: a folder with this file is complete, and whoever waits for it finds the rest.
  const credentials = `${JSON.stringify(toCredentials(identity), null, 2)}\n`;
  await replaceFile(join(dir, 'credentials.json'), credentials, 0o600);
}

function createExpired(authority: Authority): ClientCertificate {
  return createClientCertificate(authority, { days: -1 });
}

function createForeign(): ClientCertificate {
  return createClientCertificate(createAuthority(new Date()), {});
}

function toOneFile({ certPem, keyPem }: ClientCertificate): string {
  return certPem + keyPem;
}

/** By rename, so that a reader never sees half a file. */
async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, content, { mode });
  await rename(draft, path);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return undefined;
    throw error;
  }
}
