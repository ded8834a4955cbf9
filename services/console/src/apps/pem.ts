export type PemKind = 'certificate' | 'key' | 'encrypted-key' | 'other';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^]*?)-----END \1-----/g;
/** As OpenSSL has marked encrypted keys before PKCS#8. */
const ENCRYPTED_HEAD = /^\s*Proc-Type: *4,ENCRYPTED/;

/** What a file in PEM holds, block by block; nothing for what is no PEM. */
export function listPemKinds(text: string): readonly PemKind[] {
  return [...text.matchAll(BLOCK)].map(([, label = '', body = '']) => toKind(label, body));
}

function toKind(label: string, body: string): PemKind {
  if (label === 'CERTIFICATE') return 'certificate';
  if (label === 'ENCRYPTED PRIVATE KEY' || ENCRYPTED_HEAD.test(body)) return 'encrypted-key';
  return label.endsWith('PRIVATE KEY') ? 'key' : 'other';
}
