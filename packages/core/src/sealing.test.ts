import { randomBytes } from 'node:crypto';

import { createSecretBox, toKeyId } from './sealing.ts';

const PLACE = { table: 'credentials', column: 'sealed_key', row: '1/apns' };

describe('a sealed secret', () => {
  const key = randomBytes(32);
  const box = createSecretBox(key, toKeyId(key));
  const secret = Buffer.from('-----BEGIN PRIVATE KEY-----');

  test('opens in its place, and is sealed differently every time', () => {
    const sealed = box.seal(secret, PLACE);

    expect(box.open(sealed, PLACE)).toEqual(secret);
    expect(sealed.includes(secret)).toBe(false);
    expect(box.seal(secret, PLACE)).not.toEqual(sealed);
  });

  test.each([
    { ...PLACE, row: '2/apns' },
    { ...PLACE, column: 'other' },
    { ...PLACE, table: 'other' },
  ])('does not open in another place: %j', (place) => {
    const sealed = box.seal(secret, PLACE);

    expect(() => box.open(sealed, place)).toThrow();
  });

  test('does not open when any byte of it was changed, or when it is cut', () => {
    const sealed = box.seal(secret, PLACE);

    for (let i = 0; i < sealed.length; i += 1) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => box.open(changed, PLACE)).toThrow();
      expect(() => box.open(sealed.subarray(0, i), PLACE)).toThrow();
    }
  });

  test('names the key that is missing', () => {
    const other = randomBytes(32);
    const sealed = createSecretBox(other, toKeyId(other)).seal(secret, PLACE);

    expect(() => box.open(sealed, PLACE)).toThrow(toKeyId(other));
  });

  test.each([0, 16, 31, 33])('needs a key of 32 bytes, not %d', (length) => {
    expect(() => createSecretBox(randomBytes(length), 'id')).toThrow('32 bytes');
  });
});
