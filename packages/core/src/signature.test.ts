import { createHash } from 'node:crypto';

import {
  isSignedWith,
  matchesSignature,
  signRequest,
  toAuthorization,
  toContentMd5,
  toSignature,
  toStringToSign,
} from './signature.ts';

/** From M800's own test of its client. */
const VECTOR = {
  elements: {
    method: 'POST',
    uri: '/api/1.0/debug/echo',
    contentMd5: '2aa2f9b90fea8843a78e434dff26f6b6',
    contentType: 'application/json',
    date: 'Thu, 12 Sep 2013 18:49:58 GMT',
    nonce: '123456789',
  },
  secret: 'a-demo-secret',
  signature: 'd11ede54e2ffa83d58a42d90c3a39132f928a46b729c4b0621ad1c854dff618f',
};

describe('the signature of a request', () => {
  test("is that of M800's own test vector", () => {
    const stringToSign = toStringToSign(VECTOR.elements);

    const signature = toSignature(VECTOR.secret, stringToSign);

    expect(signature).toBe(VECTOR.signature);
  });

  test('is made over the bytes of the body, by their MD5 in hex', () => {
    const body = Buffer.from('{"appMessage":{"content":"Grüße"}}');
    const { contentMd5: _, ...elements } = VECTOR.elements;

    const signature = signRequest({ ...elements, body, secret: 'sécret' });

    const contentMd5 = createHash('md5').update(body).digest('hex');
    expect(signature).toBe(
      toSignature('sécret', toStringToSign({ ...VECTOR.elements, contentMd5 })),
    );
  });

  test('has empty lines where there is no body, whatever content type was named', () => {
    const { contentMd5: _, ...elements } = VECTOR.elements;

    const signature = signRequest({
      ...elements,
      method: 'GET',
      body: Buffer.alloc(0),
      secret: VECTOR.secret,
    });

    const signed = 'GET\n/api/1.0/debug/echo\n\n\nThu, 12 Sep 2013 18:49:58 GMT\n123456789';
    expect(toContentMd5(Buffer.alloc(0))).toBe('');
    expect(signature).toBe(toSignature(VECTOR.secret, signed));
  });

  test.each([
    ['method', 'PUT'],
    ['uri', '/api/1.0/debug/echo?'],
    ['contentMd5', ''],
    ['contentType', 'application/json; charset=utf-8'],
    ['date', 'Thu, 12 Sep 2013 18:49:59 GMT'],
    ['nonce', '12345678'],
  ])('is another one when the %s is', (element, value) => {
    const stringToSign = toStringToSign({ ...VECTOR.elements, [element]: value });

    const signature = toSignature(VECTOR.secret, stringToSign);

    expect(signature).not.toBe(VECTOR.signature);
  });
});

describe('isSignedWith', () => {
  const { elements, secret, signature } = VECTOR;
  const sign = (changes: object) =>
    toSignature(secret, toStringToSign({ ...elements, ...changes }));

  test('takes the signature of any of the secrets, and of no other', () => {
    const request = { ...elements, signature };

    expect(isSignedWith([secret], request)).toBe(true);
    expect(isSignedWith([secret, 'other'], request)).toBe(true);
    expect(isSignedWith(['other', secret], request)).toBe(true);
    expect(isSignedWith(['other'], request)).toBe(false);
    expect(isSignedWith([], request)).toBe(false);
  });

  test('takes a body without content type as JSON, signed with the type or without it', () => {
    const untyped = { ...elements, contentType: '' };

    expect(isSignedWith([secret], { ...untyped, signature })).toBe(true);
    expect(isSignedWith([secret], { ...untyped, signature: sign({ contentType: '' }) })).toBe(true);
    expect(
      isSignedWith([secret], { ...untyped, signature: sign({ contentType: 'text/plain' }) }),
    ).toBe(false);
  });

  test('takes no content type for another one that was sent, nor where there is no body', () => {
    const json = sign({ contentType: '' });
    const empty = { ...elements, contentMd5: '', contentType: '' };

    expect(isSignedWith([secret], { ...elements, signature: json })).toBe(false);
    expect(isSignedWith([secret], { ...empty, signature: sign({ contentMd5: '' }) })).toBe(false);
  });
});

describe('matchesSignature', () => {
  test('takes the same signature, and nothing that is longer, shorter or of other letters', () => {
    const { signature } = VECTOR;

    expect(matchesSignature(signature, signature)).toBe(true);
    expect(matchesSignature('', signature)).toBe(false);
    expect(matchesSignature(signature.slice(1), signature)).toBe(false);
    expect(matchesSignature(`${signature}0`, signature)).toBe(false);
    expect(matchesSignature(signature.toUpperCase(), signature)).toBe(false);
    expect(matchesSignature(`e${signature.slice(1)}`, signature)).toBe(false);
    expect(matchesSignature('é'.repeat(64), signature)).toBe(false);
  });
});

describe('toAuthorization', () => {
  test('writes the header as M800 documents it', () => {
    const header = toAuthorization({ key: 'K', nonce: 'N', signature: 'S' });

    expect(header).toBe('MAAIISDK10 key="K", nonce="N", signature="S"');
  });
});
