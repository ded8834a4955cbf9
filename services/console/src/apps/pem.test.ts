import { listPemKinds } from './pem.ts';

const block = (label: string, body = 'TUlJ\nQUFB') =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

describe('listPemKinds', () => {
  test.each([
    ['a certificate', block('CERTIFICATE'), ['certificate']],
    ['a chain', block('CERTIFICATE') + block('CERTIFICATE'), ['certificate', 'certificate']],
    ['a key of PKCS#8', block('PRIVATE KEY'), ['key']],
    ['a key of RSA', block('RSA PRIVATE KEY'), ['key']],
    ['a key of an elliptic curve', block('EC PRIVATE KEY'), ['key']],
    ['a key with a password', block('ENCRYPTED PRIVATE KEY'), ['encrypted-key']],
    [
      'a key with a password, as it was marked before',
      block('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK: AES,00\n\nTUlJ'),
      ['encrypted-key'],
    ],
    ['both in one file', block('CERTIFICATE') + block('PRIVATE KEY'), ['certificate', 'key']],
    ['something else', block('CERTIFICATE REQUEST'), ['other']],
    [
      'words before and line ends of Windows',
      `Bag\r\n${block('CERTIFICATE').replaceAll('\n', '\r\n')}`,
      ['certificate'],
    ],
    ['bytes', '\u0030\u0082\u0000', []],
    ['a block that is cut off', '-----BEGIN CERTIFICATE-----\nTUlJ', []],
  ])('knows %s', (_, text, kinds) => {
    expect(listPemKinds(text)).toEqual(kinds);
  });
});
