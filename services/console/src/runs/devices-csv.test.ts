import type { RunDevice, RunsDevicesAnswer } from '@heliograph/client';

import { writeDevicesCsv } from './devices-csv.ts';

const device = (userId: string | null, deviceId: number): RunDevice => ({
  deliveryId: `00000000-0000-4000-8000-00000000000${deviceId}`,
  deviceId,
  userId,
  activationId: null,
  platform: 'ios',
  state: 'failed',
  reason: 'BadDeviceToken',
  attempts: 1,
  finishedAt: '2026-11-26T08:00:00.000Z',
  history: [],
});

const page = (...devices: readonly RunDevice[]): RunsDevicesAnswer => ({
  campaignId: 1,
  runId: '10000000-0000-4000-8000-000000000000',
  devices,
  next: null,
});

test('writes the devices of all pages under one head, and tells how many there are', async () => {
  const seen: number[] = [];
  const pages = async function* () {
    yield page(device('alice', 1), device('=1+1', 2));
    yield page(device(null, 3));
  };

  const { file, devices } = await writeDevicesCsv(pages(), (count) => seen.push(count));

  const bytes = new Uint8Array(await file.arrayBuffer());
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  expect(new TextDecoder().decode(bytes).split('\r\n')).toEqual([
    'userId,deviceId,activationId,platform,state,reason,attempts,finishedAt,nextAttemptAt,deliveryId,providerMessageId',
    'alice,1,,ios,failed,BadDeviceToken,1,2026-11-26T08:00:00.000Z,,00000000-0000-4000-8000-000000000001,',
    '"\'=1+1",2,,ios,failed,BadDeviceToken,1,2026-11-26T08:00:00.000Z,,00000000-0000-4000-8000-000000000002,',
    ',3,,ios,failed,BadDeviceToken,1,2026-11-26T08:00:00.000Z,,00000000-0000-4000-8000-000000000003,',
    '',
  ]);
  expect(devices).toBe(3);
  expect(seen).toEqual([2, 3]);
});

test('rejects where a page does not come, as after a cancel', async () => {
  const pages = async function* () {
    yield page(device('alice', 1));
    throw new Error('cancelled');
  };
  await expect(writeDevicesCsv(pages(), () => undefined)).rejects.toThrow('cancelled');
});
