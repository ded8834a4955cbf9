import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Environment } from '@heliograph/core';
import { findText, parseJson } from '../json.ts';
import { listErrorCodes } from '../transport-faults.ts';
import { listDerElements, type DerElement } from './der.ts';

/** A certificate with its private key, as a customer uploads it. */
export interface CertificateFile {
  /** PEM with certificate and key, or PKCS#12 (.p12). */
  readonly file: Buffer;
  /** Of the .p12 file, or of the key in PEM. */
  readonly password?: string;
}

/** What a certificate says of itself. */
export interface ApnsCertificate {
  readonly commonName: string;
  /** The main topic: the subject's UID. */
  readonly bundle: string | undefined;
  /** All topics, the main one first. */
  readonly topics: readonly string[];
  /** The one host that it is for; undefined: both, or it does not say. */
  readonly environment: Environment | undefined;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
}

export type CertificateFault =
  | 'unreadable'
  | 'wrong_password'
  /** RC2 or the like, which OpenSSL 3 takes no more. */
  | 'legacy_encryption'
  | 'key_does_not_fit'
  /** Apple's certificates for pushes name at least one topic. */
  | 'no_topics';

export type ReadCertificate =
  | { readonly kind: 'certificate'; readonly certificate: ApnsCertificate }
  | { readonly kind: 'fault'; readonly fault: CertificateFault };

/**
 * Apple's extensions, 1.2.840.113635.100.6.3.*, as they stand in DER: .1 development, .2 production, .4 and .6 topics.
 * https://www.apple.com/certificateauthority/pdf/Apple_WWDR_CPS_v1.31.pdf
 */
const APPLE_PUSH = '2a864886f763640603';
const DEVELOPMENT = `${APPLE_PUSH}01`;
const PRODUCTION = `${APPLE_PUSH}02`;
const TOPICS = [`${APPLE_PUSH}06`, `${APPLE_PUSH}04`];

const EXTENSIONS_TAG = 0xa3;
const UTF8_STRING_TAG = 0x0c;
const PEM_BEGIN = '-----BEGIN ';

/** For tls: what a client shows in the handshake. */
export function toTlsIdentity({ file, password }: CertificateFile): SecureContextOptions {
  const passphrase = password === undefined ? {} : { passphrase: password };
  if (isPem(file)) return { cert: file, key: file, ...passphrase };
  return { pfx: file, ...passphrase };
}

/** As it is sealed: the file with its password. */
export function packCertificateFile({ file, password }: CertificateFile): Buffer {
  return Buffer.from(JSON.stringify({ file: file.toString('base64'), password }));
}

/** Undefined for what `packCertificateFile` did not make. */
export function unpackCertificateFile(packed: Buffer): CertificateFile | undefined {
  const json = parseJson(packed.toString('utf8'));
  const base64 = findText(json, 'file');
  const password = findText(json, 'password');
  if (base64 === undefined) return undefined;
  return { file: Buffer.from(base64, 'base64'), ...(password !== undefined && { password }) };
}

/** Reads it as the sender will, so that what is wrong with it shows before the first push. Its time may be over. */
export function readApnsCertificate(file: CertificateFile): ReadCertificate {
  let certificate: ApnsCertificate;
  try {
    const leaf = readLeaf(file);
    if (!fits(leaf, file)) return { kind: 'fault', fault: 'key_does_not_fit' };
    certificate = toApnsCertificate(leaf);
  } catch (error) {
    return { kind: 'fault', fault: toFault(error) };
  }
  if (certificate.topics.length === 0) return { kind: 'fault', fault: 'no_topics' };
  return { kind: 'certificate', certificate };
}

/** Throws where the file can't be read, or the key does not fit. */
function readLeaf(file: CertificateFile): X509Certificate {
  const { context } = createSecureContext(toTlsIdentity(file));
  // Node parses PKCS#12 for this purpose only. The method is old and stable, though in no manual.
  const leaf: unknown = context.getCertificate();
  if (!Buffer.isBuffer(leaf)) throw new Error('the file holds no certificate');
  return new X509Certificate(leaf);
}

/** A key of another kind than the certificate's is no fault to OpenSSL. In PKCS#12 it looks for what fits by itself. */
function fits(leaf: X509Certificate, { file, password }: CertificateFile): boolean {
  if (!isPem(file)) return true;
  const passphrase = password === undefined ? {} : { passphrase: password };
  return leaf.checkPrivateKey(createPrivateKey({ key: file, ...passphrase }));
}

function toApnsCertificate(leaf: X509Certificate): ApnsCertificate {
  const subject = new Map(
    leaf.subject.split('\n').map((line) => {
      const [name = '', ...value] = line.split('=');
      return [name, value.join('=')];
    }),
  );
  const bundle = subject.get('UID');
  const extensions = listExtensions(leaf.raw);
  const topics = TOPICS.flatMap((id) => listTopics(extensions.get(id)));
  return {
    commonName: subject.get('CN') ?? '',
    bundle,
    topics: [...new Set(bundle === undefined ? topics : [bundle, ...topics])],
    environment: toEnvironment(extensions),
    validFrom: new Date(leaf.validFrom),
    validTo: new Date(leaf.validTo),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** The value of each extension by its id in hex. */
function listExtensions(certificate: Buffer): ReadonlyMap<string, Buffer> {
  const extensions = openFirst(openFirst(certificate)).find(({ tag }) => tag === EXTENSIONS_TAG);
  const list = extensions ? openFirst(extensions.content) : [];
  return new Map(
    list.map(({ content }) => {
      // Id, whether it is critical (may be left out), value.
      const parts = listDerElements(content);
      return [parts[0]?.content.toString('hex') ?? '', parts.at(-1)?.content ?? Buffer.alloc(0)];
    }),
  );
}

/** The elements inside of the first one. */
function openFirst(from: Buffer | readonly DerElement[]): readonly DerElement[] {
  const first = (Buffer.isBuffer(from) ? listDerElements(from) : from)[0];
  return first ? listDerElements(first.content) : [];
}

/** A sequence: a topic, then a sequence of what it is for, and so on. */
function listTopics(extension: Buffer | undefined): readonly string[] {
  if (!extension) return [];
  return openFirst(extension)
    .filter(({ tag }) => tag === UTF8_STRING_TAG)
    .map(({ content }) => content.toString('utf8'));
}

function toEnvironment(extensions: ReadonlyMap<string, Buffer>): Environment | undefined {
  const development = extensions.has(DEVELOPMENT);
  if (development === extensions.has(PRODUCTION)) return undefined;
  return development ? 'development' : 'production';
}

function isPem(file: Buffer): boolean {
  return file.includes(PEM_BEGIN);
}

/** OpenSSL's words: some of its errors come without a code. */
function toFault(error: unknown): CertificateFault {
  const [code] = listErrorCodes(error);
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'key_does_not_fit';
  if (code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION') return 'legacy_encryption';
  return /mac verify failure|bad decrypt|interrupted or cancelled/i.test(String(error))
    ? 'wrong_password'
    : 'unreadable';
}
