import type { RunDevice, RunsDevicesAnswer } from '@heliograph/client';

import { toCsv } from '../layout/csv.ts';

const COLUMNS = [
  'userId',
  'deviceId',
  'activationId',
  'platform',
  'state',
  'reason',
  'attempts',
  'finishedAt',
  'nextAttemptAt',
  'deliveryId',
  'providerMessageId',
] as const satisfies readonly (keyof RunDevice)[];

/** Tells spreadsheets that it is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/** All pages as one file. Each goes into a Blob at once, which the browser may keep on disk: there can be millions of devices. */
export async function writeDevicesCsv(
  pages: AsyncIterable<RunsDevicesAnswer>,
  onProgress: (devices: number) => void,
): Promise<{ readonly file: Blob; readonly devices: number }> {
  const parts = [new Blob([BYTE_ORDER_MARK, toCsv([COLUMNS])])];
  let count = 0;
  for await (const { devices } of pages) {
    parts.push(new Blob([toCsv(devices.map(toRow))]));
    count += devices.length;
    onProgress(count);
  }
  return { file: new Blob(parts, { type: 'text/csv;charset=utf-8' }), devices: count };
}

function toRow(device: RunDevice) {
  return COLUMNS.map((column) => device[column]);
}
