import { createMessageId, createRunId } from '@heliograph/core';
import {
  claimChunk,
  createPartitions,
  finishRun,
  freezePage,
  insertMessages,
  purgeMessages,
  purgeRunDevices,
  purgeRuns,
  recordCheckpoints,
} from '@heliograph/db';
import { findAppId, makeApp, makeDevice, makeRun, toMessage } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const DAY_MS = 24 * 3_600_000;
/** A day long ago that has partitions. */
const DAY = Date.parse('2024-03-05T00:00:00Z');

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  await createPartitions(api.db, new Date(DAY));
});
afterAll(() => api.close());

/** A run of that instant to three devices, all of which got it. */
async function sendRun(at: number) {
  const appRef = await makeApp(api.db);
  const devices = [
    await makeDevice(api.db, appRef),
    await makeDevice(api.db, appRef),
    await makeDevice(api.db, appRef, { provider: 'fcm' }),
  ];
  const appId = await findAppId(api.db, appRef);
  const created = await api.post('/push/campaign/create', { appId, message: { title: 'x' } });
  const { id: campaignId } = created.body.responseObject;
  await api.call('PUT', `/push/campaign/${campaignId}/user/add`, {
    requestObject: devices.map(({ userId }) => userId),
  });
  const runId = await makeRun(api.db, { appRef, campaignId }, { id: createRunId(at) });
  while (await freezePage(api.db, runId));
  return { campaignId, runId, path: `/push/campaign/${campaignId}/run` };
}

async function finish(runId: string, at: Date): Promise<void> {
  for (;;) {
    const chunk = await claimChunk(api.db, runId, 60_000);
    if (chunk === undefined) break;
    const { length } = chunk.outcomes;
    await recordCheckpoints(
      api.db,
      [
        {
          ...chunk,
          outcomes: Buffer.alloc(length, 1),
          changes: new Map([[1, length]]),
          exceptions: [],
          release: { kind: 'done' },
        },
      ],
      0,
    );
  }
  await api.db
    .updateTable('campaignRuns')
    .set({ usersCountedAt: at })
    .where('id', '=', runId)
    .execute();
  await finishRun(api.db, runId);
  await api.db
    .updateTable('campaignRuns')
    .set({ finishedAt: at })
    .where('id', '=', runId)
    .execute();
}

describe('a run whose devices are not kept any more', () => {
  test('tells its sums as before, refuses to list its devices, and is unknown once it is forgotten itself', async () => {
    const { runId, path } = await sendRun(DAY + 1000);
    await finish(runId, new Date(DAY + 3_600_000));
    const before = await api.get(path);
    const devicesBefore = await api.get(`${path}/devices?state=sent`);

    const purged = await purgeRunDevices(api.db, new Date(DAY + DAY_MS), 1000);

    const after = await api.get(path);
    const devicesAfter = await api.get(`${path}/devices?state=sent`);
    const forgotten = await purgeRuns(api.db, new Date(DAY + DAY_MS));
    const unknown = await api.get(path);
    expect(purged.dropped).toEqual([
      'campaign_exceptions_p20240304',
      'campaign_chunks_p20240304',
      'campaign_exceptions_p20240305',
      'campaign_chunks_p20240305',
    ]);
    expect(after.body).toEqual(before.body);
    expect(after.body.responseObject).toMatchObject({
      counts: { total: { targeted: 3, sent: 3, failed: 0, expired: 0, skipped: 0, pending: 0 } },
    });
    expect([devicesBefore.status, devicesAfter.status]).toEqual([200, 404]);
    expect(forgotten.rows).toBe(1);
    expect(unknown.status).toBe(404);
  });

  test('keeps all of its day while another run of that day is not over, or ended lately', async () => {
    const day = DAY + 2 * DAY_MS;
    const [open, over] = [await sendRun(day + 1000), await sendRun(day + 2000)];
    await finish(over.runId, new Date(day + 3_600_000));
    const before = new Date(day + 2 * DAY_MS);

    const whileOpen = await purgeRunDevices(api.db, before, 1000);
    await finish(open.runId, new Date());
    const whileYoung = await purgeRunDevices(api.db, before, 1000);
    await finish(open.runId, new Date(day + 3_600_000));
    const then = await purgeRunDevices(api.db, before, 1000);

    const names = ['campaign_exceptions_p20240307', 'campaign_chunks_p20240307'];
    expect(whileOpen.owing).toEqual(names);
    expect(whileYoung.owing).toEqual(names);
    expect(then.dropped).toEqual(expect.arrayContaining(names));
  });

  test('goes from the default partition in batches', async () => {
    // A day without partitions.
    const day = DAY - 40 * DAY_MS;
    const { runId, path } = await sendRun(day);
    await finish(runId, new Date(day + 1000));
    const isOpen = await sendRun(day + 1);

    const purged = await purgeRunDevices(api.db, new Date(day + DAY_MS), 1000);

    const left = await api.db.selectFrom('campaignChunks').select('runId').distinct().execute();
    expect(purged).toMatchObject({ rows: 2, more: false });
    expect(left.map((row) => row.runId)).toEqual([isOpen.runId]);
    expect((await api.get(`${path}/devices`)).status).toBe(404);
  });
});

test('a message that is forgotten is as unknown as one that never was', async () => {
  const day = DAY + 4 * DAY_MS;
  const appRef = await makeApp(api.db);
  const { userId } = await makeDevice(api.db, appRef);
  const message = toMessage(appRef, userId, {
    id: createMessageId(day),
    expiresAt: new Date(day + 1),
  });
  await insertMessages(api.db, [message]);
  const before = await api.get(`/push/message/${message.id}`);

  await purgeMessages(api.db, new Date(day + DAY_MS), 1000);

  const after = await api.get(`/push/message/${message.id}`);
  const traced = await api.get(`/push/delivery/list?userId=${userId}`);
  expect([before.status, after.status]).toEqual([200, 404]);
  expect(traced.body.responseObject.deliveries).toEqual([]);
});
