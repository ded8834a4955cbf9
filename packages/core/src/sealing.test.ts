import { randomBytes } from 'node:crypto';

import { createSecretBox, KeyNotAtHand, readKeyId, toKeyId } from './sealing.ts';

const PLACE = { table: 'credentials', column: 'sealed_key', row: '1/apns' };

describe('a sealed secret', () => {
  const key = randomBytes(32);
  const box = createSecretBox(key);
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
    const sealed = createSecretBox(other).seal(secret, PLACE);

    expect(() => box.open(sealed, PLACE)).toThrow(toKeyId(other));
    expect(() => box.open(sealed, PLACE)).toThrow(KeyNotAtHand);
  });

  test('opens with any key at hand, and is sealed with the first', () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const changing = createSecretBox(next, [key, old]);

    expect(changing.open(box.seal(secret, PLACE), PLACE)).toEqual(secret);
    expect(changing.open(createSecretBox(old).seal(secret, PLACE), PLACE)).toEqual(secret);
    expect(readKeyId(changing.seal(secret, PLACE))).toBe(toKeyId(next));
    expect(changing.sealingKeyId).toBe(toKeyId(next));
    expect([...changing.keyIds]).toEqual([next, key, old].map(toKeyId));
  });

  test('sealed with a key that only opens elsewhere, opens nowhere else', () => {
    const next = randomBytes(32);
    const sealed = createSecretBox(next, [key]).seal(secret, PLACE);

    expect(createSecretBox(key, [next]).open(sealed, PLACE)).toEqual(secret);
    expect(() => box.open(sealed, PLACE)).toThrow(KeyNotAtHand);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('sealed')],
    ['a key id alone', Buffer.from([1, 2, 65, 66])],
    ['an empty key id', Buffer.alloc(64, 1).fill(0, 1, 2)],
  ])('is not %s', (_, bytes) => {
    expect(readKeyId(bytes)).toBeUndefined();
    expect(() => box.open(bytes, PLACE)).toThrow('not a sealed secret');
  });

  test.each([0, 16, 31, 33])('needs a key of 32 bytes, not %d', (length) => {
    expect(() => createSecretBox(randomBytes(length))).toThrow('32 bytes');
    expect(() => createSecretBox(key, [randomBytes(length)])).toThrow('32 bytes');
  });
});
