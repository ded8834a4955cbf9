import type { ActivePause, ClaimedDelivery } from '@heliograph/db';

import { passGate } from './gate.ts';

const NOW = new Date('2026-11-23T06:00:00Z');
const ID = '019345a0-0000-7000-8000-000000000001';

function claimed(pauses: readonly ActivePause[]): ClaimedDelivery {
  return {
    id: ID,
    messageId: '019345a0-0000-7000-8000-000000000000',
    appRef: 1,
    provider: 'apns',
    attempts: 0,
    ambiguousAttempts: 0,
    leaseEpoch: 1,
    claimedAt: NOW,
    firstAttemptAt: null,
    userId: 'user',
    activationId: null,
    silent: false,
    personal: false,
    priority: 'HIGH',
    body: {},
    awaited: false,
    expiresAt: new Date(NOW.getTime() + 60_000),
    deviceId: 1,
    device: {
      userId: 'user',
      activationId: 'activation',
      activationActive: true,
      provider: 'apns',
      environment: null,
      pushToken: 'token',
      tokenReplaced: false,
      tokenDeactivated: false,
    },
    credential: { version: 1, route: 'direct', environment: null },
    pauses,
  };
}

const credentialPause: ActivePause = {
  id: 1,
  environment: 'production',
  credentialVersion: 1,
  scope: 'credential',
  reason: 'InvalidProviderToken',
  probeDeliveryId: ID,
};
const guardPause: ActivePause = {
  ...credentialPause,
  id: 2,
  scope: 'guard',
  probeDeliveryId: null,
};

/** A message to a push token: the user is the one that the device had when it was accepted. */
function toToken(
  userId: string | null,
  device: Partial<NonNullable<ClaimedDelivery['device']>>,
): ClaimedDelivery {
  const delivery = claimed([]);
  if (delivery.device === null) throw new Error('there is a device');
  return { ...delivery, userId, device: { ...delivery.device, ...device } };
}

describe('the gate', () => {
  test.each([
    ['a device that has the token and the user still', toToken('user', {}), 'send'],
    ['a device of nobody, still', toToken(null, { userId: null }), 'send'],
    ['a device with another token', toToken('user', { tokenReplaced: true }), 'finish'],
    ['a device of another user', toToken('user', { userId: 'other' }), 'finish'],
    ['a device of somebody that was nobody’s', toToken(null, { userId: 'user' }), 'finish'],
  ])('knows a message to a push token and %s', (_, delivery, action) => {
    const reason = action === 'finish' ? { reason: 'device_reassigned' } : {};

    expect(passGate(delivery, NOW)).toMatchObject({ action, ...reason });
  });

  test('lets the probe of a pause through', () => {
    expect(passGate(claimed([credentialPause]), NOW)).toMatchObject({ action: 'send', probeOf: 1 });
  });

  test('holds what a breaker holds, but for its probe', () => {
    const breaker: ActivePause = {
      ...credentialPause,
      scope: 'endpoint',
      reason: 'provider_trouble',
    };
    const ended: ActivePause = { ...breaker, probeDeliveryId: null };

    expect(passGate(claimed([breaker]), NOW)).toMatchObject({ action: 'send', probeOf: 1 });
    expect(passGate(claimed([ended]), NOW)).toEqual({ action: 'hold', pause: ended });
  });

  test('knows no hosts behind a proxy: a pause of it holds devices of either, and none of them is left out', () => {
    const pauseOf = (environment: 'production' | '') => ({
      ...credentialPause,
      environment,
      probeDeliveryId: null,
    });
    const behindProxy = (pauses: readonly ActivePause[]): ClaimedDelivery => {
      const delivery = claimed(pauses);
      return {
        ...delivery,
        device: delivery.device && { ...delivery.device, environment: 'development' },
        credential: { version: 1, route: 'proxy', environment: 'production' },
      };
    };

    expect(passGate(behindProxy([pauseOf('production')]), NOW)).toEqual({
      action: 'send',
      environment: '',
    });
    expect(passGate(behindProxy([pauseOf('')]), NOW)).toMatchObject({ action: 'hold' });
  });

  test.each([[[credentialPause, guardPause]], [[guardPause, credentialPause]]])(
    'lets no probe past the guard, in whatever order the pauses come',
    (pauses) => {
      expect(passGate(claimed(pauses), NOW)).toMatchObject({ action: 'hold', pause: { id: 2 } });
    },
  );
});
