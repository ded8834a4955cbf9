import { randomBytes } from 'node:crypto';

import { createSecretBox, toKeyId, type SecretBox } from '@heliograph/core';
import { resealColumn, SEALED_COLUMNS } from '@heliograph/db';
import { eventually } from '@heliograph/testing';

import { openCallbackRig } from './callback-rig.ts';
import { makeCampaign, makeDevices, runIn, startRun } from './campaign-rig.ts';
import { keepLogLines } from './log-lines.ts';
import { openReceiver } from './receiver.ts';
import { openRig, type Rig } from './rig.ts';

const NEXT = randomBytes(32);

let rig: Rig;
let nextBox: SecretBox;
beforeEach(async () => {
  rig = await openRig();
  nextBox = createSecretBox(NEXT, [rig.secretsKey]);
});
afterEach(() => rig.close());

async function reseal(): Promise<number> {
  let resealed = 0;
  for (const column of SEALED_COLUMNS)
    resealed += (await resealColumn(rig.db, nextBox, column)).resealed;
  return resealed;
}

const readCredentials = () =>
  rig.db
    .selectFrom('credentials')
    .select(['appRef', 'provider', 'version', 'updatedAt'])
    .orderBy('provider')
    .execute();

const countPauses = async () => (await rig.db.selectFrom('pauses').select('id').execute()).length;

describe('credentials that are sealed anew', () => {
  test('are the same ones to a running dispatcher: the same version over the same connections', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app);
    await rig.device(app, { userId: phone.userId, provider: 'fcm' });
    const { log, of } = keepLogLines();
    // It has the old key alone, as before the first step of a change.
    rig.start({ log });
    await rig.finished(await rig.post(app, phone.userId));
    const before = {
      credentials: await readCredentials(),
      opened: of('connection opened').length,
      minted: of('provider token made').length,
    };

    const resealed = await reseal();
    const deliveries = await rig.finished(await rig.post(app, phone.userId));

    expect(resealed).toBe(2);
    expect(deliveries).toMatchObject([
      { state: 'sent', attempts: 1 },
      { state: 'sent', attempts: 1 },
    ]);
    expect(await readCredentials()).toEqual(before.credentials);
    expect(of('connection opened')).toHaveLength(before.opened);
    expect(of('credential replaced')).toEqual([]);
    expect(of('provider token made')).toHaveLength(before.minted);
  });

  test('keep their pauses, and what the guard knows of them', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app);
    rig.sandbox.script('apns', phone.pushToken, [
      { kind: 'refuse', reason: 'InvalidProviderToken', times: 'always' },
    ]);
    rig.start();
    const messageId = await rig.post(app, phone.userId);
    await eventually(async () => expect(await countPauses()).toBe(1));
    const pauses = () => rig.db.selectFrom('pauses').selectAll().execute();
    const counts = () => rig.db.selectFrom('answerCounts').selectAll().execute();
    await eventually(async () =>
      expect(await rig.deliveries(messageId)).toMatchObject([{ reason: 'InvalidProviderToken' }]),
    );
    const before = [await pauses(), await counts()];

    await reseal();

    expect([await pauses(), await counts()]).toEqual(before);
  });
});

describe('a dispatcher that lacks the key of a credential', () => {
  test('sends nothing with it, pauses nothing and burns no attempt, and says which key is missing', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app);
    await reseal();
    const { log, of } = keepLogLines();
    const behind = rig.start({ log });

    const messageId = await rig.post(app, phone.userId);
    const [held] = await eventually(async () => {
      const rows = await rig.deliveries(messageId);
      expect(rows).toMatchObject([{ reason: 'secrets_key_missing' }]);
      return rows;
    });
    await behind.close();

    expect(held).toMatchObject({ state: 'pending', attempts: 0, pauseId: null });
    expect(await countPauses()).toBe(0);
    expect(of('secrets key missing: a credential cannot be opened')).toMatchObject([
      { appRef: app, provider: 'apns', secretsKeyId: toKeyId(NEXT), level: 50 },
    ]);

    rig.start({ secrets: nextBox });
    await rig.makeDue(messageId);
    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', attempts: 1 }]);
  });

  test('leaves the chunks of campaigns to those that have it', async () => {
    const app = await rig.makeSendingApp();
    const users = await makeDevices(rig.db, app, 20);
    await reseal();
    const { log, of } = keepLogLines();
    const behind = rig.start({ log });
    const campaignId = await makeCampaign(rig.db, app, users);

    const runId = await startRun(rig.db, campaignId);
    await eventually(() =>
      expect(of('secrets key missing: a credential cannot be opened').length).toBeGreaterThan(1),
    );
    await behind.close();
    const chunks = await rig.db.selectFrom('campaignChunks').selectAll().execute();

    expect(await countPauses()).toBe(0);
    expect(chunks.some(({ leased }) => leased)).toBe(false);
    await rig.db.updateTable('campaignChunks').set({ dueAt: new Date() }).execute();
    rig.start({ secrets: nextBox });
    await runIn(rig.db, runId, 'completed');
    expect(rig.sandbox.received({ accepted: true })).toHaveLength(20);
  });
});

describe('a callback whose secret is sealed with a key that is not at hand', () => {
  test('is left alone for a while, and has not failed', async () => {
    const callbackRig = await openCallbackRig();
    const receiver = await openReceiver(['a callback secret']);
    const { id, appRef } = await callbackRig.makeCallback(receiver.url);
    const { log, of } = keepLogLines();
    const ids = await callbackRig.tell(appRef, 3);
    const behind = callbackRig.start({ log, secrets: createSecretBox(NEXT) });

    await eventually(() => expect(of('secret not opened')).not.toHaveLength(0));
    await behind.close();

    expect(await callbackRig.endpoint(id)).toMatchObject({ failures: 0, lastResult: null });
    await callbackRig.makeDue(id);
    callbackRig.start();
    await eventually(() => expect(receiver.taken()).toHaveLength(ids.length));
    await callbackRig.close();
    await receiver.close();
  });
});
