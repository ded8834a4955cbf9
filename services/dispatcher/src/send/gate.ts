import type { Environment, Provider } from '@heliograph/core';
import type { ActivePause, ClaimedDelivery } from '@heliograph/db';

/** What is to be done with a claimed delivery before any provider is asked. */
export type Gate =
  | { readonly action: 'finish'; readonly state: 'expired' | 'skipped'; readonly reason: string }
  | { readonly action: 'hold'; readonly pause: ActivePause }
  | { readonly action: 'await_credential' }
  | {
      readonly action: 'send';
      /** Which host of APNs; the empty string for FCM and for proxies. */
      readonly environment: Environment | '';
      /** The pause whose end this delivery tries out. */
      readonly probeOf?: number;
    };

export const EXPIRED = { action: 'finish', state: 'expired', reason: 'expired' } as const;

export function isExpired({ expiresAt }: ClaimedDelivery, now: Date): boolean {
  return expiresAt <= now;
}

/** Much may have changed since the message was accepted: the device, its owner, the credential, the time. */
export function passGate(delivery: ClaimedDelivery, now: Date): Gate {
  const { device, credential } = delivery;
  if (device === null) return skip('device_removed');
  // The row now belongs to somebody else, who must not see this message.
  if (
    device.userId !== delivery.userId ||
    device.provider !== delivery.provider ||
    device.tokenReplaced ||
    (delivery.activationId !== null && device.activationId !== delivery.activationId)
  )
    return skip('device_reassigned');
  if (device.tokenDeactivated) return skip('token_deactivated');
  if (delivery.personal && !device.activationActive) return skip('activation_inactive');
  if (isExpired(delivery, now)) return EXPIRED;
  if (credential === null) return { action: 'await_credential' };

  const environment = toEnvironment(delivery.provider, credential, device.environment);
  if (environment === undefined) return skip('environment');

  const pause = findPause(delivery.pauses, credential.version, environment);
  if (pause === undefined) {
    const own = delivery.pauses?.find((one) => one.probeDeliveryId === delivery.id);
    return { action: 'send', environment, ...(own === undefined ? {} : { probeOf: own.id }) };
  }
  if (pause.probeDeliveryId === delivery.id)
    return { action: 'send', environment, probeOf: pause.id };
  return { action: 'hold', pause };
}

/** The pause that holds what is sent with that version of the credential to that environment. */
export function findPause(
  pauses: readonly ActivePause[] | null,
  credentialVersion: number,
  environment: Environment | '',
): ActivePause | undefined {
  const active = pauses?.filter(
    (one) =>
      one.scope !== 'third_party' &&
      one.credentialVersion === credentialVersion &&
      one.environment === environment,
  );
  // The guard's pause stands above the others: no probe of theirs goes past it.
  return active?.find((one) => one.scope === 'guard') ?? active?.[0];
}

/**
 * Which host of APNs; the empty string where there is no such split: at FCM, and behind a customer's proxy. A device may name the host
 * that its token works on; a credential for production takes no development tokens. Undefined where the two don't go together.
 */
export function toEnvironment(
  provider: Provider,
  credential: NonNullable<ClaimedDelivery['credential']>,
  ofDevice: Environment | null,
): Environment | '' | undefined {
  if (provider === 'fcm' || credential.route === 'proxy') return '';
  if (credential.environment === 'production' && ofDevice === 'development') return undefined;
  return ofDevice ?? credential.environment ?? 'production';
}

function skip(reason: string): Gate {
  return { action: 'finish', state: 'skipped', reason };
}
