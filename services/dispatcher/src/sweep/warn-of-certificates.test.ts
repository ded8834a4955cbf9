import { randomBytes } from 'node:crypto';

import {
  openDatabase,
  removeCredential,
  saveCredential,
  saveProxy,
  saveSender,
  tellCertificateEnds,
  type Db,
} from '@heliograph/db';
import type { Lane } from '@heliograph/queue';
import { findAppId, makeApp, useTestDatabase } from '@heliograph/testing';
import { pino } from 'pino';

import { createPauses } from '../guard/pauses.ts';
import { startSweep } from './sweep.ts';

const DAY_MS = 24 * 3_600_000;
const WARN = 40;
const ERROR = 50;

const database = useTestDatabase();
const END = new Date(Date.now() + 60 * DAY_MS);

const daysBefore = (end: Date, days: number) => new Date(end.getTime() - days * DAY_MS);

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly fingerprint?: string;
}

/** The sweep of a dispatcher that has just started, and what it says. */
function openSweep(now: Date, db: Db = database.db) {
  const lines: Line[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  const lane: Lane = {
    announce: () => Promise.resolve(true),
    room: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
  const pauses = createPauses({ db, log, clockMs: () => 0 });
  const sweep = startSweep({ db, lane, pauses, log, now: () => now, everyMs: 3_600_000 });
  return { sweep, lines };
}

/** What a dispatcher that starts then says of the certificate in its first round. */
async function hear(now: Date, fingerprint: string): Promise<readonly Line[]> {
  const { sweep, lines } = openSweep(now);
  await sweep.run();
  await sweep.close();
  return lines.filter((line) => line.fingerprint === fingerprint);
}

interface Options {
  readonly appRef?: number;
  readonly fingerprint?: string;
  readonly validTo?: Date;
}

const newFingerprint = () => randomBytes(32).toString('hex');

async function saveApns({ appRef, fingerprint = newFingerprint(), validTo = END }: Options = {}) {
  const app = appRef ?? (await makeApp(database.db, []));
  await saveCredential(database.db, {
    appRef: app,
    provider: 'apns',
    environment: null,
    settings: {
      bundle: 'com.example',
      certificate: { commonName: 'Apple', topics: [], fingerprint, validTo: validTo.toISOString() },
    },
    sealedKey: Buffer.from('sealed'),
  });
  return { appRef: app, fingerprint };
}

async function saveProxied({
  appRef,
  fingerprint = newFingerprint(),
  validTo = END,
}: Options = {}) {
  const app = appRef ?? (await makeApp(database.db, []));
  await saveProxy(database.db, {
    appRef: app,
    provider: 'apns',
    settings: {
      url: 'https://push.example.com',
      schema: 'current',
      goneOn: [410],
      retry: 'documented',
      certificate: { commonName: 'Proxy', fingerprint, validTo: validTo.toISOString() },
    },
    sealedKey: Buffer.from('sealed'),
  });
  return { appRef: app, fingerprint };
}

async function saveLivePerson() {
  const [appRef, fingerprint] = [await makeApp(database.db, []), randomBytes(32)];
  const certificate = { fingerprint, commonName: 'Chat', validTo: END };
  await saveSender(database.db, { appRef, brandId: '89961346', certificate });
  return { appRef, fingerprint: fingerprint.toString('hex') };
}

async function saveStandby() {
  const saved = await saveApns();
  await saveProxied({ appRef: saved.appRef });
  return saved;
}

async function countRemembered(fingerprint: string): Promise<number> {
  const rows = await database.db
    .selectFrom('certificateWarnings')
    .select('thresholdDays')
    .where('fingerprint', '=', Buffer.from(fingerprint, 'hex'))
    .execute();
  return rows.length;
}

describe('a certificate that ends', () => {
  test('is told of once at 30, 7 and 1 days, and once it has ended, however often dispatchers start', async () => {
    const { fingerprint } = await saveApns();

    const told: [number, readonly Line[]][] = [];
    for (const days of [30.1, 30, 29.9, 7.1, 7, 6.9, 1.1, 1, 0.9, 0, -0.1, -30]) {
      const lines = await hear(daysBefore(END, days), fingerprint);
      if (lines.length > 0) told.push([days, lines]);
    }

    const soon = { level: WARN, msg: 'certificate ends soon' };
    expect(told).toEqual([
      [30, [expect.objectContaining({ ...soon, daysLeft: 30 })]],
      [7, [expect.objectContaining({ ...soon, daysLeft: 7 })]],
      [1, [expect.objectContaining({ ...soon, daysLeft: 1 })]],
      [0, [expect.objectContaining({ level: ERROR, msg: 'certificate has ended', daysLeft: 0 })]],
    ]);
  });

  test.each([
    ['of an app at APNs', saveApns, { kind: 'apns', provider: 'apns', commonName: 'Apple' }],
    ['that stands by', saveStandby, { kind: 'apns', provider: 'apns', commonName: 'Apple' }],
    ['for a proxy', saveProxied, { kind: 'proxy', provider: 'apns', commonName: 'Proxy' }],
    [
      'of a LivePerson sender',
      saveLivePerson,
      { kind: 'liveperson', provider: null, commonName: 'Chat', brandId: '89961346' },
    ],
  ])('is named with what an operator needs to find it: one %s', async (_, save, facts) => {
    const { appRef, fingerprint } = await save();

    const lines = await hear(daysBefore(END, 29.5), fingerprint);

    expect(lines).toEqual([
      {
        level: WARN,
        msg: 'certificate ends soon',
        appId: await findAppId(database.db, appRef),
        brandId: null,
        ...facts,
        fingerprint,
        validTo: END.toISOString(),
        daysLeft: 29,
        places: 1,
      },
    ]);
  });

  test('is told of by one of two dispatchers, whoever comes first', async () => {
    const { fingerprint } = await saveApns();
    const other = openDatabase(database.url, 3);
    const now = daysBefore(END, 7);
    const sweeps = [openSweep(now), openSweep(now, other)];

    await Promise.all(sweeps.map(({ sweep }) => sweep.run()));
    // Whom the lock kept from its round has it now.
    for (const { sweep } of sweeps) {
      await sweep.run();
      await sweep.close();
    }
    await other.destroy();

    const lines = sweeps.flatMap((each) => each.lines);
    expect(lines.filter((line) => line.fingerprint === fingerprint)).toHaveLength(1);
  });

  test('is told of once where it comes late, for the nearest of the days it has passed', async () => {
    const { fingerprint } = await saveApns();
    const now = daysBefore(END, 3);

    const lines = [...(await hear(now, fingerprint)), ...(await hear(now, fingerprint))];

    expect(lines).toMatchObject([{ level: WARN, daysLeft: 3 }]);
  });

  test('is told of once for all the apps that have it', async () => {
    const { appRef, fingerprint } = await saveApns();
    await saveApns({ fingerprint });
    await saveApns({ fingerprint });

    const lines = await hear(daysBefore(END, 7), fingerprint);

    expect(lines).toMatchObject([{ appId: await findAppId(database.db, appRef), places: 3 }]);
  });

  test('is forgotten when it is replaced, and the new one is told of when its own time comes', async () => {
    const { appRef, fingerprint } = await saveApns();
    await hear(daysBefore(END, 7), fingerprint);
    const remembered = await countRemembered(fingerprint);

    const nextEnd = daysBefore(END, -365);
    const next = await saveApns({ appRef, validTo: nextEnd });
    const early = await hear(daysBefore(END, 1), next.fingerprint);
    const late = await hear(daysBefore(nextEnd, 30), next.fingerprint);

    expect([remembered, await countRemembered(fingerprint)]).toEqual([1, 0]);
    expect(early).toEqual([]);
    expect(late).toMatchObject([{ level: WARN, daysLeft: 30 }]);
    // Or the tests after this one, whose clock stands before, would hear of it.
    await removeCredential(database.db, appRef, 'apns');
  });

  test('is told of again where its chain was renewed and that ends', async () => {
    const { appRef, fingerprint } = await saveProxied();
    await hear(daysBefore(END, 7), fingerprint);

    const nextEnd = daysBefore(END, -10);
    await saveProxied({ appRef, fingerprint, validTo: nextEnd });
    const lines = await hear(daysBefore(nextEnd, 7), fingerprint);

    expect(lines).toMatchObject([{ daysLeft: 7, validTo: nextEnd.toISOString() }]);
  });
});

describe('a telling that', () => {
  const now = daysBefore(END, 7);

  test('was cut off is made again', async () => {
    const { fingerprint } = await saveApns();
    const cut = tellCertificateEnds(database.db, { now, limit: 1000 }, () => {
      throw new Error('dies here');
    });
    await expect(cut).rejects.toThrow('dies here');

    expect(await hear(now, fingerprint)).toHaveLength(1);
  });

  test('meets another one at the same time is made by one of them, lock or no lock', async () => {
    const { fingerprint } = await saveApns();
    const told: string[] = [];

    await Promise.all(
      Array.from({ length: 4 }, () =>
        tellCertificateEnds(database.db, { now, limit: 1000 }, (warning) =>
          told.push(warning.fingerprint.toString('hex')),
        ),
      ),
    );

    expect(told.filter((each) => each === fingerprint)).toEqual([fingerprint]);
  });
});

describe('many certificates that end', () => {
  test('are told of a hundred a round, those that end first before the others', async () => {
    const sooner = daysBefore(END, 20);
    const apps = await Promise.all(Array.from({ length: 101 }, () => makeApp(database.db, [])));
    const fingerprints = apps.map(newFingerprint);
    for (const [index, appRef] of apps.entries()) {
      const validTo = new Date(sooner.getTime() + index);
      await saveApns({ appRef, fingerprint: fingerprints[index] ?? '', validTo });
    }
    const now = daysBefore(sooner, 6);
    const rounds = [openSweep(now), openSweep(now)];

    for (const { sweep } of rounds) {
      await sweep.run();
      await sweep.close();
    }

    const told = rounds.map(({ lines }) => lines.flatMap((line) => line.fingerprint ?? []));
    expect(told).toEqual([fingerprints.slice(0, 100), fingerprints.slice(100)]);
  });
});
