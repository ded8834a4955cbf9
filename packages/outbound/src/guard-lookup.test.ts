import type { LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

import { guardLookup } from './guard-lookup.ts';
import { answerInTurn } from './test-lookup.ts';

/** What node would connect to, or the code of the error. */
function ask(lookup: LookupFunction, options: LookupOptions): Promise<unknown> {
  return new Promise((resolve) => {
    lookup('push.example.com', options, (error, address, family) => {
      if (error) return resolve(error.code);
      resolve(typeof address === 'string' ? `${address} ${family}` : address);
    });
  });
}

describe('a guarded lookup', () => {
  test('answers with the public addresses alone, in their order', async () => {
    const { lookup } = answerInTurn(['10.0.0.1', '2606:4700::1', '::1', '1.1.1.1', '127.0.0.1']);

    expect(await ask(guardLookup(lookup), { all: true })).toEqual([
      { address: '2606:4700::1', family: 6 },
      { address: '1.1.1.1', family: 4 },
    ]);
    expect(await ask(guardLookup(lookup), {})).toBe('2606:4700::1 6');
  });

  test.each([{ all: true }, {}])('refuses where none is left, asked with %j', async (options) => {
    const { lookup } = answerInTurn(['10.0.0.1', 'fe80::1%eth0', '::ffff:169.254.169.254']);

    expect(await ask(guardLookup(lookup), options)).toBe('ERR_ADDRESS_REFUSED');
  });

  test('catches a name that was public when it was checked, and is loopback when we connect', async () => {
    const { lookup } = answerInTurn(['1.1.1.1'], ['127.0.0.1']);
    const guarded = guardLookup(lookup);

    const answers = [await ask(guarded, { all: true }), await ask(guarded, { all: true })];

    expect(answers).toEqual([[{ address: '1.1.1.1', family: 4 }], 'ERR_ADDRESS_REFUSED']);
  });

  test('looks at the address of a lookup that knows only one', async () => {
    const answerOne =
      (address: string): LookupFunction =>
      (_, __, callback) =>
        callback(null, address, 4);

    expect(await ask(guardLookup(answerOne('127.0.0.1')), { all: true })).toBe(
      'ERR_ADDRESS_REFUSED',
    );
    expect(await ask(guardLookup(answerOne('1.1.1.1')), {})).toBe('1.1.1.1 4');
  });

  test('passes on why nothing was found', async () => {
    const failing: LookupFunction = (_, __, callback) =>
      callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);

    expect(await ask(guardLookup(failing), { all: true })).toBe('ENOTFOUND');
  });
});
