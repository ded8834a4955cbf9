import { findProvider } from '@heliograph/core';
import {
  compareWithTaken,
  takeDevices,
  type ImportedDevice,
  type PowerAuthDevice,
  type PowerAuthSource,
} from '@heliograph/db';

import { createAppRefs, type AppRefs } from './app-refs.ts';
import { toFingerprint } from './fingerprint.ts';
import { toCounts, type Finding } from './report.ts';
import type { Page, Step } from './step.ts';
import { parseEnvironment } from './take-apps.ts';
import { toRange, toTaken } from './source-pages.ts';

const PAGE_ROWS = 2_000;
const MAX_PUSH_TOKEN_BYTES = 4096;
const MAX_ID_LENGTH = 255;
/** Of a registration whose time is not known: any other is later. */
const LONG_AGO = '1970-01-01T00:00:00Z';

type Device = Omit<ImportedDevice, 'appRef'> & { readonly appId: string };

export function createDevicesStep(deps: {
  readonly source: PowerAuthSource;
  readonly now: () => Date;
}): Step {
  const appRefs = createAppRefs();
  return {
    name: 'devices',
    count: () => deps.source.count('devices'),
    async read(cursor) {
      const after = Number(cursor ?? 0);
      const rows = await deps.source.listDevices({ after, limit: PAGE_ROWS });
      return toPage(rows, after, deps.now(), appRefs);
    },
  };
}

function toPage(
  rows: readonly PowerAuthDevice[],
  after: number,
  now: Date,
  appRefs: AppRefs,
): Page {
  const { devices, findings } = toDevices(rows, now);
  const range = toRange(rows, after, PAGE_ROWS);
  return {
    rows: rows.length,
    next: range.upTo === null ? null : String(range.upTo),
    async take(tx, importRef) {
      const apps = await appRefs(
        tx,
        devices.map(({ appId }) => appId),
      );
      const imported = devices.map(({ appId, ...device }) => ({
        ...device,
        appRef: apps.refs.get(appId) ?? 0,
      }));
      const taken = await takeDevices(tx, importRef, range, imported);
      return [...findings, ...apps.findings, ...toCounts('devices', taken)];
    },
    async compare(db, importRef) {
      const taken = toTaken(
        await compareWithTaken(db, 'imported_devices', importRef ?? 0, devices),
      );
      return [...findings, ...toCounts('devices', taken)];
    },
  };
}

function toDevices(
  rows: readonly PowerAuthDevice[],
  now: Date,
): { readonly devices: readonly Device[]; readonly findings: readonly Finding[] } {
  const devices: Device[] = [];
  const findings: Finding[] = [{ kind: 'devices', counted: 'read', count: rows.length }];
  for (const row of rows) {
    const device = toDevice(row, now);
    if (typeof device !== 'string') devices.push(device);
    else findings.push({ kind: 'devices', skipped: device, row: String(row.sourceId) });
  }
  return { devices, findings };
}

/** The device, or why there is none. */
function toDevice(row: PowerAuthDevice, now: Date): Device | string {
  const { sourceId, appId, activationId, userId, platform, pushToken, registeredAt } = row;
  const provider = findProvider(platform ?? '');
  if (appId === null) return 'its app is not there';
  if (/^(?:huawei|hms)$/i.test(platform ?? ''))
    return 'a device of Huawei, for which there is no provider here';
  if (provider === undefined) return `of a platform that is none: ${platform}`;
  if (!activationId || activationId.length > MAX_ID_LENGTH) return 'without an activation';
  if (!pushToken) return 'without a push token';
  if (Buffer.byteLength(pushToken) > MAX_PUSH_TOKEN_BYTES)
    return `with a push token of over ${MAX_PUSH_TOKEN_BYTES} bytes`;
  const environment = provider === 'apns' ? parseEnvironment(row.environment) : null;
  if (environment === undefined) return 'with an unknown environment';
  const isInFuture = registeredAt !== null && new Date(registeredAt) > now;
  return {
    sourceId,
    appId,
    activationId,
    userId,
    provider,
    environment,
    pushToken,
    active: row.active ?? false,
    // In the future it would be later than every registration to come, and no fault of its token would count.
    registeredAt: isInFuture ? now.toISOString() : (registeredAt ?? LONG_AGO),
    fingerprint: toFingerprint([
      appId,
      activationId,
      userId,
      provider,
      environment,
      pushToken,
      row.active,
      registeredAt,
    ]),
  };
}
