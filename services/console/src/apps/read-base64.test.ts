import { randomBytes } from 'node:crypto';

import { readBase64 } from './read-base64.ts';

describe('readBase64', () => {
  test.each([0, 1, 2, 3, 0x80_00, 0x80_01, 200_000])(
    'reads %d bytes as they are',
    async (length) => {
      const bytes = randomBytes(length);

      const text = await readBase64(new Blob([bytes]));

      expect(text).toBe(bytes.toString('base64'));
    },
  );
});
