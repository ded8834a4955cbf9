import { findKeyId } from './key-id.ts';

describe('findKeyId', () => {
  test.each([
    ['AuthKey_ABC123DEFG.p8', 'ABC123DEFG'],
    ['AuthKey_ABC123DEFG (1).p8', 'ABC123DEFG'],
    ['AuthKey_ABC123DEFG(2).p8', 'ABC123DEFG'],
    ['AuthKey_ABC123DEF.p8', undefined],
    ['AuthKey_ABC123DEFG.pem', undefined],
    ['our-key.p8', undefined],
  ])('of %s', (fileName, keyId) => {
    expect(findKeyId(fileName)).toBe(keyId);
  });
});
