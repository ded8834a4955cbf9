import { createPasswords, PASSWORD_COST, PasswordsBusy } from './passwords.ts';

const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 };

describe('passwords', () => {
  test('are hashed by Argon2id at the cost of today, with another salt each time', async () => {
    const passwords = createPasswords();

    const [one, other] = [await passwords.hash('secret'), await passwords.hash('secret')];

    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(await passwords.verify(one, 'secret')).toBe(true);
    expect(await passwords.verify(one, 'Secret')).toBe(false);
  });

  test('are the same however a keyboard composes them', async () => {
    const passwords = createPasswords({ cost: CHEAP });

    const hash = await passwords.hash('caf\u00e9');

    expect(await passwords.verify(hash, 'cafe\u0301')).toBe(true);
  });

  test.each([undefined, '', 'x', '$argon2id$v=19$m=1'])(
    'fit no hash that is none: %j',
    async (hash) => {
      expect(await createPasswords({ cost: CHEAP }).verify(hash, 'x')).toBe(false);
    },
  );

  test.each([
    [PASSWORD_COST, false],
    [{ ...PASSWORD_COST, memoryKib: PASSWORD_COST.memoryKib / 2 }, true],
    [{ ...PASSWORD_COST, passes: 1 }, true],
    [{ ...PASSWORD_COST, passes: 3 }, false],
  ])('hashed with %j are weak: %s', async (cost, isWeak) => {
    const hash = await createPasswords({ cost }).hash('secret');

    expect(createPasswords().isWeak(hash)).toBe(isWeak);
  });

  test.each(['', '$argon2i$v=19$m=99999,t=9,p=9$x', '$2b$12$x'])('%j is weak', (hash) => {
    expect(createPasswords().isWeak(hash)).toBe(true);
  });

  test('are hashed away from the event loop', async () => {
    let turns = 0;
    let isOver = false;
    const hashing = createPasswords()
      .hash('secret')
      .then(() => (isOver = true));

    while (!isOver) {
      await new Promise(setImmediate);
      turns += 1;
    }

    // On it there would be one.
    await hashing;
    expect(turns).toBeGreaterThan(2);
  });

  test('are looked at in turns, and refused where too many wait', async () => {
    const passwords = createPasswords({ cost: CHEAP, maxWaiting: 2 });

    const started = [1, 2, 3].map(() => passwords.hash('x'));

    expect(passwords.isBusy()).toBe(true);
    await expect(started[2]).rejects.toThrow(PasswordsBusy);
    await Promise.all(started.slice(0, 2));
    expect(passwords.isBusy()).toBe(false);
    await expect(passwords.hash('x')).resolves.toEqual(expect.any(String));
  });
});
