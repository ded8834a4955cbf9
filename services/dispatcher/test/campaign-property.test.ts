import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  controlStoredRun,
  deleteDevices,
  findRun,
  hashPushToken,
  inRegistration,
  saveDevice,
} from '@heliograph/db';
import { eventually, findAppId } from '@heliograph/testing';
import * as fc from 'fast-check';

import { expectBalanced, makeCampaign, readLedger, startRun } from './campaign-rig.ts';
import { openRig, type Rig } from './rig.ts';

jest.setTimeout(180_000);

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  rig.start();
  rig.start();
});
afterAll(() => rig.close());

interface Registration {
  readonly activation: number;
  readonly user: number;
  readonly token: number;
}

/** A registration: of one of some activations, for one of some users, with one of some tokens. */
const registration: fc.Arbitrary<Registration> = fc.record({
  activation: fc.nat({ max: 14 }),
  user: fc.nat({ max: 7 }),
  token: fc.nat({ max: 11 }),
});
/** Something that happens while the run is under way, so long after what happened before. */
const event = fc.record({
  afterMs: fc.nat({ max: 60 }),
  what: fc.oneof(
    { weight: 6, arbitrary: registration },
    { weight: 2, arbitrary: fc.record({ removedToken: fc.nat({ max: 11 }) }) },
    { weight: 3, arbitrary: fc.constantFrom('pause', 'resume') },
    { weight: 1, arbitrary: fc.constant('cancel' as const) },
  ),
});
const history = fc.record({
  before: fc.array(registration, { minLength: 1, maxLength: 25 }),
  /** Users of the campaign. */
  users: fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1, maxLength: 7 }),
  during: fc.array(event, { maxLength: 12 }),
  ratePerSecond: fc.constantFrom(20, 60, undefined),
  canaryPercent: fc.constantFrom(undefined, undefined, 30),
});

describe('a run in the middle of registrations, removals and controls', () => {
  test('gives every device of its audience one outcome, and no push token two pushes', async () => {
    const property = fc.asyncProperty(history, async (case_) => {
      // given
      const name = randomUUID().slice(0, 8);
      const app = await rig.makeSendingApp();
      const nameOfToken = (n: number) => `${name}-token-${n}`;
      const register = ({ activation, user, token }: Registration) => {
        const activationId = `${name}-activation-${activation}`;
        const pushToken = nameOfToken(token);
        return inRegistration(rig.db, { pushToken, activationIds: [activationId] }, (tx) =>
          saveDevice(
            tx,
            {
              appRef: app,
              activationId,
              userId: `${name}-user-${user}`,
              provider: 'fcm',
              environment: null,
              pushToken,
              activationActive: true,
            },
            { kind: 'replace', written: new Set() },
          ),
        );
      };
      const createdAt = new Map<number, Date>();
      const noteRows = async () => {
        const rows = await rig.db
          .selectFrom('devices')
          .select(['id', 'createdAt'])
          .where('appRef', '=', app)
          .execute();
        for (const row of rows) createdAt.set(row.id, row.createdAt);
      };
      for (const one of case_.before) await register(one);
      const users = case_.users.map((user) => `${name}-user-${user}`);
      const campaign = await makeCampaign(rig.db, app, users);
      const rowsBefore = await rig.db
        .selectFrom('devices')
        .select(['id', 'pushToken', 'userId', 'lastRegisteredAt'])
        .where('appRef', '=', app)
        .execute();
      const audience = rowsBefore.filter(({ userId }) => users.includes(userId ?? ''));

      // when
      const runId = await startRun(rig.db, campaign, {
        ratePerSecond: case_.ratePerSecond,
        canaryPercent: case_.canaryPercent,
      });
      for (const { afterMs, what } of case_.during) {
        await sleep(afterMs);
        if (typeof what === 'string')
          // What makes no sense at that moment is refused.
          await controlStoredRun(rig.db, runId, what).catch(() => undefined);
        else if ('removedToken' in what)
          await deleteDevices(rig.db, await nameOfApp(app), nameOfToken(what.removedToken));
        else await register(what).then(noteRows);
      }
      await eventually(async () => {
        const run = await findRun(rig.db, runId);
        if (run?.state === 'paused')
          await controlStoredRun(
            rig.db,
            runId,
            run.reason === 'canary' ? 'approve' : 'resume',
          ).catch(() => undefined);
        expect(run?.finishedAt).toBeInstanceOf(Date);
      });

      // then
      const run = await findRun(rig.db, runId);
      const { pending, sent, failed, expired } = await expectBalanced(rig.db, runId);
      expect({ pending, failed, expired }).toEqual({ pending: 0, failed: 0, expired: 0 });
      const arrived = rig.sandbox
        .received()
        .filter((push) => push.token.startsWith(name))
        .map((push) => push.token);
      expect(arrived).toHaveLength(sent);
      expect(new Set(arrived).size).toBe(sent);
      const ledger = await readLedger(rig.db, runId);
      const inAudience = new Set(ledger.map((one) => one.deviceId));
      // Registered before it started, for whomever: a device may be handed to a user of the campaign before its page is frozen.
      const startedAt = run?.startedAt ?? new Date(0);
      expect([...inAudience].filter((id) => (createdAt.get(id) ?? startedAt) > startedAt)).toEqual(
        [],
      );

      // Who did nothing in the meantime, and shares a token with nobody, got it.
      if (run?.state !== 'completed') return;
      const after = await rig.db
        .selectFrom('devices')
        .select(['id', 'pushToken', 'lastRegisteredAt'])
        .where('appRef', '=', app)
        .execute();
      const released = await rig.db
        .selectFrom('tokenReleases')
        .select('pushTokenHash')
        .where('appRef', '=', app)
        .execute();
      const moved = new Set(released.map((one) => one.pushTokenHash.toString('hex')));
      for (const device of audience) {
        const now = after.find((one) => one.id === device.id);
        const isUntouched =
          now?.lastRegisteredAt.getTime() === device.lastRegisteredAt.getTime() &&
          !moved.has(hashPushToken(device.pushToken).toString('hex')) &&
          after.filter((one) => one.pushToken === device.pushToken).length === 1;
        if (isUntouched) expect(arrived).toContain(device.pushToken);
      }
    });

    await fc.assert(property, { numRuns: 25, endOnFailure: true });
  });
});

async function nameOfApp(app: number): Promise<string> {
  const appId = await findAppId(rig.db, app);
  return appId;
}
