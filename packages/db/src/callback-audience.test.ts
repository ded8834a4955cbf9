import { eventually, makeApp, makeCallback, useTestDatabase } from '@heliograph/testing';

import { createCallbackAudience } from './callback-audience.ts';
import { deleteCallbackEndpoint } from './callback-endpoints.ts';
import { openDatabase } from './database.ts';

const database = useTestDatabase();

function open(db = database.db) {
  const errors: unknown[] = [];
  const clock = { ms: 1_000_000 };
  const audience = createCallbackAudience({
    db,
    onError: (error) => errors.push(error),
    clockMs: () => clock.ms,
  });
  return { audience, clock, errors };
}

describe('who listens', () => {
  test('is everybody as long as nobody knows, and then those with an endpoint', async () => {
    const { db } = database;
    const { audience } = open();
    const [silent, heard] = [await makeApp(db), await makeApp(db)];
    await makeCallback(db, heard);

    const atFirst = [audience.listensTo(silent), audience.listensTo(heard)];

    expect(atFirst).toEqual([true, true]);
    await eventually(() => expect(audience.listensTo(silent)).toBe(false));
    expect(audience.listensTo(heard)).toBe(true);
  });

  test('is asked anew after a second', async () => {
    const { db } = database;
    const { audience, clock } = open();
    const appRef = await makeApp(db);
    audience.listensTo(appRef);
    await eventually(() => expect(audience.listensTo(appRef)).toBe(false));
    const id = await makeCallback(db, appRef);

    expect(audience.listensTo(appRef)).toBe(false);
    clock.ms += 1_000;
    await eventually(() => expect(audience.listensTo(appRef)).toBe(true));
    await deleteCallbackEndpoint(db, id);
    clock.ms += 1_000;
    await eventually(() => expect(audience.listensTo(appRef)).toBe(false));
  });

  test('is everybody again where the database stays away', async () => {
    const nobody = openDatabase('postgres://nobody@127.0.0.1:1/nothing', 1);
    const { audience, errors } = open(nobody);

    expect(audience.listensTo(1)).toBe(true);
    await eventually(() => expect(errors).toHaveLength(1));
    expect(audience.listensTo(1)).toBe(true);
    await nobody.destroy();
  });
});
