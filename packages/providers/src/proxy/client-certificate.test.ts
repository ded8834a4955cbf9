import { createPrivateKey, X509Certificate } from 'node:crypto';

import { readClientCertificate, type ClientIdentity } from './client-certificate.ts';
import {
  CLIENT,
  ENCRYPTED_LEAF_KEY,
  INTERMEDIATE,
  LEAF_KEY,
  OTHER_KEY,
  PLAIN,
  ROOT,
  SERVER,
  WEAK,
  WEAK_KEY,
} from './test-client-certificates.ts';

const read = (changes: Partial<ClientIdentity>) =>
  readClientCertificate({ certificate: CLIENT, privateKey: LEAF_KEY, ...changes });

describe('a client certificate', () => {
  test('is read with what leads to its authority, and says who it is and until when', () => {
    const answer = read({ certificate: `${CLIENT}${INTERMEDIATE}${ROOT}` });

    const validTo = [CLIENT, INTERMEDIATE, ROOT]
      .map((pem) => new Date(new X509Certificate(pem).validTo))
      .toSorted((a, b) => a.getTime() - b.getTime())[0];
    expect(answer).toEqual({
      kind: 'certificate',
      certificate: {
        commonName: 'push.example.com',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        validFrom: expect.any(Date),
        validTo,
        certificatePem: `${CLIENT}${INTERMEDIATE}${ROOT}`,
        privateKeyPem: LEAF_KEY,
      },
    });
  });

  test('may say nothing of its use, have words around it, and other line ends', () => {
    const certificate = `Bag Attributes: none\n${PLAIN}\nthe end`.replaceAll('\n', '\r\n');

    expect(read({ certificate })).toMatchObject({ kind: 'certificate' });
  });

  test('may come with a key that is encrypted, and is used decrypted', () => {
    const answer = read({ privateKey: ENCRYPTED_LEAF_KEY, password: 'secret' });

    expect(answer).toMatchObject({ kind: 'certificate', certificate: { privateKeyPem: LEAF_KEY } });
  });

  test('may come with a key in its older form', () => {
    const privateKey = createPrivateKey(LEAF_KEY).export({ type: 'sec1', format: 'pem' });

    expect(read({ privateKey: privateKey.toString() })).toMatchObject({ kind: 'certificate' });
  });

  test.each<[string, string, Partial<ClientIdentity>]>([
    ['that is no PEM', 'unreadable_certificate', { certificate: 'nothing' }],
    ['that is cut off', 'unreadable_certificate', { certificate: CLIENT.slice(0, 200) }],
    ['with another one that is damaged', 'unreadable_certificate', { certificate: damage(CLIENT) }],
    ['with a key that is none', 'unreadable_key', { privateKey: CLIENT }],
    ['with an encrypted key and no password', 'wrong_password', { privateKey: ENCRYPTED_LEAF_KEY }],
    [
      'with an encrypted key and another password',
      'wrong_password',
      { privateKey: ENCRYPTED_LEAF_KEY, password: 'other' },
    ],
    ["with another one's key", 'key_does_not_fit', { privateKey: OTHER_KEY }],
    ['with a key of another kind', 'key_does_not_fit', { privateKey: WEAK_KEY }],
    ['for servers only', 'not_for_clients', { certificate: SERVER }],
    ['after its authority', 'key_does_not_fit', { certificate: `${INTERMEDIATE}${CLIENT}` }],
    ['without the one between', 'out_of_order', { certificate: `${CLIENT}${ROOT}${INTERMEDIATE}` }],
    ['with too short a key', 'refused_by_tls', { certificate: WEAK, privateKey: WEAK_KEY }],
  ])('%s is refused: %s', (_, fault, changes) => {
    expect(read(changes)).toEqual({ kind: 'fault', fault });
  });
});

function damage(pem: string): string {
  return `${pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
}
