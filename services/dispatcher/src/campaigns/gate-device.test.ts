import { createRunId, toRunDeliveryId } from '@heliograph/core';
import type { ActivePause, ClaimedChunk, OwedDevice } from '@heliograph/db';

import { gateDevice } from './gate-device.ts';

const NOW = new Date('2026-11-23T06:00:00Z');
const RUN = createRunId(NOW.getTime());

const DEVICE: OwedDevice = {
  index: 7,
  deviceId: 1,
  pushToken: 'token',
  userId: 'user',
  environment: null,
  tokenDeactivated: false,
  sameOwner: true,
  sameToken: true,
  attempts: 0,
  ambiguousAttempts: 0,
  history: null,
  replay: null,
};

function claimed(pauses: readonly ActivePause[]): ClaimedChunk {
  return {
    runId: RUN,
    ordinal: 2,
    leaseEpoch: 1,
    provider: 'fcm',
    appRef: 1,
    campaignId: 1,
    message: { title: 'Hello' },
    canary: false,
    outcomes: Buffer.alloc(10),
    checkpoint: 0,
    expiresAt: new Date(NOW.getTime() + 60_000),
    traceParent: null,
    claimedAt: NOW,
    credential: { version: 1, route: 'direct', environment: null },
    pauses,
  };
}

const BREAKER: ActivePause = {
  id: 5,
  environment: '',
  credentialVersion: 1,
  scope: 'endpoint',
  reason: 'provider_trouble',
  probeDeliveryId: null,
};

describe('the gate of a chunk', () => {
  test('holds what a breaker holds', () => {
    expect(gateDevice(DEVICE, claimed([BREAKER]))).toEqual({ action: 'hold', pauseId: 5 });
  });

  test('takes the chunk that a breaker is tried out with for the probe, and no other', () => {
    const probeOf = (place: number) => ({
      ...BREAKER,
      probeDeliveryId: toRunDeliveryId(RUN, place),
    });

    expect(gateDevice(DEVICE, claimed([probeOf(2_000)]))).toMatchObject({
      action: 'send',
      probeOf: 5,
    });
    expect(gateDevice(DEVICE, claimed([probeOf(3_000)]))).toMatchObject({ action: 'hold' });
  });

  test('lets go what another version of the credential, or another host, has trouble with', () => {
    const others = [
      { ...BREAKER, credentialVersion: 2 },
      { ...BREAKER, environment: 'production' as const },
    ];

    expect(gateDevice(DEVICE, claimed(others))).toEqual({ action: 'send', environment: '' });
  });

  test('knows no hosts behind a proxy', () => {
    const chunk = claimed([BREAKER]);
    const behindProxy = {
      ...chunk,
      provider: 'apns',
      credential: { version: 1, route: 'proxy', environment: 'production' },
    } as const;
    const developers = { ...DEVICE, environment: 'development' } as const;

    expect(gateDevice(developers, behindProxy)).toEqual({ action: 'hold', pauseId: 5 });
    expect(gateDevice(developers, { ...behindProxy, pauses: null })).toEqual({
      action: 'send',
      environment: '',
    });
  });
});
