import { insertMessages } from '@heliograph/db';
import {
  makeApp,
  makeDevice,
  openTestDatabase,
  toMessage,
  type TestDatabase,
} from '@heliograph/testing';

import { createClaimer } from './claimer.ts';
import { createLeaseBook, LEASE_MS, type LeaseBook } from './lease-book.ts';

let database: TestDatabase;
let leases: LeaseBook;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());
beforeEach(() => {
  leases = createLeaseBook({
    renew: () => Promise.resolve([]),
    clockMs: () => 0,
    leaseMs: LEASE_MS,
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(() => leases.close());

const openClaimer = () =>
  createClaimer({ db: database.db, leases, clockMs: () => 0, leaseMs: LEASE_MS });

async function owe(count: number): Promise<string[]> {
  const app = await makeApp(database.db);
  const { userId } = await makeDevice(database.db, app);
  const messages = Array.from({ length: count }, () => toMessage(app, userId));
  return (await insertMessages(database.db, messages)).map((delivery) => delivery.id);
}

describe('claiming for many jobs at once', () => {
  test('gives each job its own deliveries, and holds their leases', async () => {
    const ids = await owe(30);
    const claim = openClaimer();

    const claims = await Promise.all(ids.map((id) => claim([id])));

    expect(claims.map((claimed) => claimed.map((delivery) => delivery.id))).toEqual(
      ids.map((id) => [id]),
    );
    expect(leases.size).toBe(30);
  });

  test('gives a delivery that several jobs announce to one of them', async () => {
    const ids = await owe(5);
    const claim = openClaimer();

    const claims = await Promise.all(Array.from({ length: 10 }, () => claim(ids)));

    expect(
      claims
        .flat()
        .map((delivery) => delivery.id)
        .toSorted(),
    ).toEqual(ids.toSorted());
  });

  test('fails them all when the database does, and none after that', async () => {
    const ids = await owe(1);
    const claim = openClaimer();

    const failed = await Promise.allSettled([claim(ids), claim(['no id']), claim(['no id'])]);

    expect(failed.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await claim(await owe(1))).toHaveLength(1);
  });
});
