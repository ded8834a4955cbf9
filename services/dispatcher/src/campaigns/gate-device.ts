import { MAX_DELIVERIES_PER_CHUNK, type ClaimedChunk, type OwedDevice } from '@heliograph/db';
import { toRunPlace, type Environment } from '@heliograph/core';

import { findPause, toEnvironment } from '../send/gate.ts';

/** What is to be done with a device of a chunk before any provider is asked. */
export type DeviceGate =
  | { readonly action: 'skip'; readonly reason: string }
  | { readonly action: 'expire' }
  | { readonly action: 'hold'; readonly pauseId: number }
  | { readonly action: 'await_credential' }
  /** Its push token is another one since the audience was frozen. */
  | { readonly action: 'ask_for_token'; readonly environment: Environment | '' }
  | {
      readonly action: 'send';
      /** Which host of APNs; the empty string for FCM and for proxies. */
      readonly environment: Environment | '';
      /** The pause whose end this delivery tries out. */
      readonly probeOf?: number;
    };

/** Much may have changed since the audience was frozen: the device, its owner, its token, the credential, the time. */
export function gateDevice(device: OwedDevice, chunk: ClaimedChunk): DeviceGate {
  if (device.pushToken === null) return { action: 'skip', reason: 'device_removed' };
  // The row now belongs to somebody else, whom the campaign was not for.
  if (!device.sameOwner) return { action: 'skip', reason: 'device_reassigned' };
  if (device.tokenDeactivated) return { action: 'skip', reason: 'token_deactivated' };
  if (chunk.expiresAt <= chunk.claimedAt) return { action: 'expire' };
  const { credential, pauses } = chunk;
  if (credential === null) return { action: 'await_credential' };

  const environment = toEnvironment(chunk.provider, credential, device.environment);
  if (environment === undefined) return { action: 'skip', reason: 'environment' };
  const pause = findPause(pauses, credential.version, environment);
  if (pause !== undefined && !isProbed(chunk, pause.probeDeliveryId))
    return { action: 'hold', pauseId: pause.id };
  if (!device.sameToken) return { action: 'ask_for_token', environment };
  return { action: 'send', environment, ...(pause === undefined ? {} : { probeOf: pause.id }) };
}

/** Whether the pause lets one delivery of this chunk through. */
function isProbed(chunk: ClaimedChunk, probeDeliveryId: string | null): boolean {
  if (probeDeliveryId === null) return false;
  const { runId, ordinal } = toRunPlace(probeDeliveryId);
  return runId === chunk.runId && Math.floor(ordinal / MAX_DELIVERIES_PER_CHUNK) === chunk.ordinal;
}
