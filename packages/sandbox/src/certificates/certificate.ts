import { Buffer } from 'node:buffer';
import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  element,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const VERSION_3 = element(0xa0, integer(Buffer.from([2])));
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

const NULL = element(0x05);

const DAY_MS = 86_400_000;

export interface CertificateRequest {
  readonly commonName: string;
  /** The key that the certificate is about. */
  readonly publicKey: KeyObject;
  readonly issuer: { readonly commonName: string; readonly publicKey: KeyObject };
  /** The issuer's EC P-256 private key. */
  readonly issuerKey: KeyObject;
  readonly days: number;
  readonly now: Date;
  readonly use: 'authority' | 'client' | ServerUse | ApnsClientUse;
}

/** A server at these names (`localhost`) and IPv4 addresses. */
export interface ServerUse {
  readonly names: readonly string[];
  readonly ips: readonly string[];
}

/** A sender of pushes, as Apple makes such certificates. */
export interface ApnsClientUse {
  /** The subject's UID. */
  readonly bundle: string;
  readonly topics: readonly string[];
  readonly environments: readonly ('development' | 'production')[];
}

/** Apple's marks of a certificate for APNs. */
const APNS_ENVIRONMENT_MARKS = {
  development: '1.2.840.113635.100.6.3.1',
  production: '1.2.840.113635.100.6.3.2',
} as const;
const APNS_TOPICS = '1.2.840.113635.100.6.3.6';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const USER_ID = '0.9.2342.19200300.100.1.1';

/** An X.509 certificate as PEM, signed with ECDSA and SHA-256. Written out here because Node makes none. */
export function createCertificate(request: CertificateRequest): string {
  // Expired where `days` is negative; begun before, in any case.
  const notBefore = new Date(request.now.getTime() + (Math.min(request.days, 0) - 1) * DAY_MS);
  const notAfter = new Date(request.now.getTime() + request.days * DAY_MS);
  const body = sequence(
    VERSION_3,
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    name(request.issuer.commonName),
    sequence(time(notBefore), time(notAfter)),
    name(request.commonName, findBundle(request)),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions(request))),
  );
  const signature = sign('sha256', body, request.issuerKey);
  return toPem(sequence(body, ECDSA_WITH_SHA256, bitString(signature)));
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  // Positive, and never starting with a zero byte, which DER forbids.
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes;
}

function name(commonName: string, userId?: string): Buffer {
  const common = attribute('2.5.4.3', commonName);
  return userId === undefined ? sequence(common) : sequence(attribute(USER_ID, userId), common);
}

function attribute(id: string, value: string): Buffer {
  return set(sequence(objectId(id), utf8String(value)));
}

function findBundle({ use }: CertificateRequest): string | undefined {
  return typeof use === 'object' && 'bundle' in use ? use.bundle : undefined;
}

function extensions({ use, publicKey, issuer }: CertificateRequest): Buffer[] {
  const keyIds = [
    extension('2.5.29.14', octetString(keyIdOf(publicKey))),
    extension('2.5.29.35', sequence(element(0x80, keyIdOf(issuer.publicKey)))),
  ];
  if (use === 'authority') {
    const certAndCrlSign = bitString(Buffer.from([0b0000_0110]), 1);
    return [
      ...keyIds,
      criticalExtension('2.5.29.19', sequence(boolean(true))),
      criticalExtension('2.5.29.15', certAndCrlSign),
    ];
  }

  const digitalSignature = bitString(Buffer.from([0b1000_0000]), 7);
  const client = [
    ...keyIds,
    criticalExtension('2.5.29.15', digitalSignature),
    extension('2.5.29.37', sequence(objectId(CLIENT_AUTH))),
  ];
  if (use === 'client') return client;
  if ('bundle' in use) {
    return [
      ...client,
      ...use.environments.map((environment) =>
        extension(APNS_ENVIRONMENT_MARKS[environment], NULL),
      ),
      extension(APNS_TOPICS, sequence(...use.topics.flatMap(toTopic))),
    ];
  }

  const names = use.names.map((dns) => element(0x82, Buffer.from(dns)));
  const ips = use.ips.map((ip) => element(0x87, Buffer.from(ip.split('.').map(Number))));
  return [
    ...keyIds,
    criticalExtension('2.5.29.15', digitalSignature),
    // Server and client: tests of mutual TLS show it from either end.
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId(CLIENT_AUTH))),
    extension('2.5.29.17', sequence(...names, ...ips)),
  ];
}

/** A topic, then what it is for. */
function toTopic(topic: string): Buffer[] {
  return [utf8String(topic), sequence(utf8String(topic.endsWith('.voip') ? 'voip' : 'app'))];
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), octetString(value));
}

function criticalExtension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), boolean(true), octetString(value));
}

function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
