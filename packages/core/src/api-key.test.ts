import { createApiKey, hashApiSecret, parseApiKey } from './api-key.ts';

const ID = '0123456789abcdef';
const SECRET = 'S3cr_t-'.padEnd(43, 'x');

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

describe('createApiKey', () => {
  test('makes a key whose secret has the hash that is kept', () => {
    const { id, text, secretHash } = createApiKey();

    const parts = parseApiKey(`Bearer ${text}`);

    expect(parts?.id).toBe(id);
    expect(hashApiSecret(parts?.secret ?? '')).toEqual(secretHash);
    expect(text).toMatch(/^hg_[0-9a-f]{16}_[\w-]{43}$/);
  });

  test('makes another one each time', () => {
    expect(createApiKey().text).not.toBe(createApiKey().text);
  });
});

describe('parseApiKey', () => {
  test.each([
    ['a bearer', `Bearer hg_${ID}_${SECRET}`],
    ['a bearer in small letters', `bearer   hg_${ID}_${SECRET}`],
    ['Basic with the id', basic(ID, SECRET)],
    ['Basic with what is shown of the key', basic(`hg_${ID}`, SECRET)],
    ['Basic with the whole key as password', basic(ID, `hg_${ID}_${SECRET}`)],
  ])('reads %s', (_, header) => {
    expect(parseApiKey(header)).toEqual({ id: ID, secret: SECRET });
  });

  test.each([
    ['nothing', ''],
    ['a scheme alone', 'Bearer'],
    ['another scheme', `Token hg_${ID}_${SECRET}`],
    ['a key without its scheme', `hg_${ID}_${SECRET}`],
    ['a secret that is too short', `Bearer hg_${ID}_${SECRET.slice(1)}`],
    ['a secret that is too long', `Bearer hg_${ID}_${SECRET}x`],
    ['an id of other letters', `Bearer hg_${'g'.repeat(16)}_${SECRET}`],
    ['something behind the key', `Bearer hg_${ID}_${SECRET} x`],
    ['two keys', `Bearer hg_${ID}_${SECRET}, Bearer hg_${ID}_${SECRET}`],
    ['Basic without a colon', `Basic ${Buffer.from(ID).toString('base64')}`],
    ['Basic without a password', basic(ID, '')],
    ['Basic with a user of other letters', basic('admin', SECRET)],
    ['Basic that is no Base64', 'Basic ????'],
    ['Basic of a megabyte', `Basic ${'A'.repeat(1024 * 1024)}`],
  ])('does not read %s', (_, header) => {
    expect(parseApiKey(header)).toBeUndefined();
  });
});
