import { makeApp, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  findCredential,
  listCredentialSettings,
  removeCredential,
  removeProxy,
  saveCredential,
  saveProxy,
} from './credentials.ts';
import { listPauses, openPause } from './pauses.ts';
import type { ApnsKeySettings, ProxySettings } from './schema.ts';

const database = useTestDatabase();

const PROXY: ProxySettings = {
  url: 'https://proxy.example/push',
  schema: 'current',
  goneOn: [410],
  retry: 'documented',
};
const toKey = (keyId: string): ApnsKeySettings => ({ bundle: 'com.example', keyId, teamId: 'T' });

async function saveKey(appRef: number, keyId: string): Promise<void> {
  const sealedKey = Buffer.from(`sealed ${keyId}`);
  const settings = toKey(keyId);
  const credential = { appRef, provider: 'apns', environment: 'production', settings } as const;
  await saveCredential(database.db, { ...credential, sealedKey });
}

async function useProxy(appRef: number, url = PROXY.url): Promise<void> {
  const sealedKey = Buffer.from(`sealed ${url}`);
  const settings = { ...PROXY, url };
  await saveProxy(database.db, { appRef, provider: 'apns', settings, sealedKey });
}

/** The credential in use with its route, as a sender sees it. */
async function inUse(appRef: number) {
  const found = await findCredential(database.db, appRef, 'apns');
  if (found === undefined) return undefined;
  const { sealedKey, ...rest } = found;
  return { ...rest, sealedKey: sealedKey.toString() };
}

async function versionOf(appRef: number): Promise<number> {
  return (await inUse(appRef))?.version ?? 0;
}

describe('a proxy of an app', () => {
  test('puts the direct credential aside, and gives it back as it was, under a version of its own', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');
    const before = await versionOf(appRef);

    await useProxy(appRef);
    const proxied = await inUse(appRef);
    await removeProxy(database.db, appRef, 'apns');
    const after = await inUse(appRef);

    expect(proxied).toMatchObject({
      route: 'proxy',
      settings: PROXY,
      environment: null,
      sealedKey: `sealed ${PROXY.url}`,
    });
    expect(proxied?.version).toBeGreaterThan(before);
    expect(after).toMatchObject({
      route: 'direct',
      settings: toKey('A'),
      environment: 'production',
      sealedKey: 'sealed A',
    });
    expect(after?.version).toBeGreaterThan(proxied?.version ?? Infinity);
    expect(await listCredentialSettings(database.db, appRef)).toHaveLength(1);
  });

  test('stays in use when a direct credential is saved, which then stands by', async () => {
    const appRef = await makeApp(database.db, []);
    await useProxy(appRef);
    const before = await versionOf(appRef);

    await saveKey(appRef, 'A');
    await saveKey(appRef, 'B');

    expect(await versionOf(appRef)).toBe(before);
    expect(await listCredentialSettings(database.db, appRef)).toEqual([
      { provider: 'apns', environment: null, settings: PROXY },
      { provider: 'apns', environment: 'production', settings: toKey('B') },
    ]);
    await removeProxy(database.db, appRef, 'apns');
    expect(await inUse(appRef)).toMatchObject({ settings: toKey('B'), sealedKey: 'sealed B' });
  });

  test('stays in use when the direct credential is removed, and nothing comes back after it', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');
    await useProxy(appRef);

    await removeCredential(database.db, appRef, 'apns');
    const proxied = await inUse(appRef);
    await removeProxy(database.db, appRef, 'apns');

    expect(proxied).toMatchObject({ route: 'proxy' });
    expect(await inUse(appRef)).toBeUndefined();
  });

  test('replaces another proxy, and the direct credential goes on standing by', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');
    await useProxy(appRef);
    const before = await versionOf(appRef);

    await useProxy(appRef, 'https://other.example/');

    expect(await inUse(appRef)).toMatchObject({ settings: { url: 'https://other.example/' } });
    expect(await versionOf(appRef)).toBeGreaterThan(before);
    await removeProxy(database.db, appRef, 'apns');
    expect(await inUse(appRef)).toMatchObject({ settings: toKey('A') });
  });

  test('is not removed where there is none', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');
    const before = await inUse(appRef);

    await removeProxy(database.db, appRef, 'apns');

    expect(await inUse(appRef)).toEqual(before);
  });

  test('lets what was paused go when it comes and when it goes, not when what stands by changes', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');
    const pause = async () => {
      const scope = { appRef, provider: 'apns', environment: '' } as const;
      const credentialVersion = await versionOf(appRef);
      await openPause(database.db, { ...scope, credentialVersion }, 'credential', 'any');
    };
    const countPauses = async () => (await listPauses(database.db)).length;

    await pause();
    await useProxy(appRef);
    const whenItCame = await countPauses();
    await pause();
    await saveKey(appRef, 'B');
    const whenAnotherChanged = await countPauses();
    await removeProxy(database.db, appRef, 'apns');
    const whenItWent = await countPauses();

    expect([whenItCame, whenAnotherChanged, whenItWent]).toEqual([0, 1, 0]);
  });

  test('of many operators at once, one has the last word and no key is lost', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(appRef, 'A');

    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 3 === 0
          ? useProxy(appRef, `https://${n}.example/`)
          : n % 3 === 1
            ? saveKey(appRef, `K${n}`)
            : removeProxy(database.db, appRef, 'apns'),
      ),
    );

    const rows = await listCredentialSettings(database.db, appRef);
    const used = await inUse(appRef);
    expect(rows.filter(({ settings }) => 'keyId' in settings)).toHaveLength(1);
    // Whichever stands by does so for a proxy.
    expect(rows).toHaveLength(used?.route === 'proxy' ? 2 : 1);
  });

  test('is not overwritten by a process that knows no routes', async () => {
    const appRef = await makeApp(database.db, []);
    await useProxy(appRef);

    const asBefore = sql`
      UPDATE credentials SET settings = '{"bundle":"b","keyId":"k","teamId":"t"}' WHERE app_ref = ${appRef}`;

    await expect(asBefore.execute(database.db)).rejects.toThrow(/credentials_settings_of_route/);
  });
});
