import { Refusal } from '@heliograph/core';
import { ACTIVATION_STATUSES, type ActivationStatus } from '@heliograph/db';

import { isRecord } from '../http/reader.ts';
import type { ActivationDirectory } from './activation-directory.ts';
import type { PowerAuthClient } from './power-auth-client.ts';

/** Asks a PowerAuth Server at each registration. The user is always the server's, never the caller's. */
export function createPowerAuthActivations(client: PowerAuthClient): ActivationDirectory {
  return {
    async find(activationId, origin) {
      const requestObject = { activationId };
      const answer = await client.call({ path: 'v3/activation/status', requestObject, origin });
      if (!isRecord(answer) || !isActivationStatus(answer['activationStatus']))
        throw new Refusal('upstream_failed', 'The status of the activation could not be obtained.');
      const { activationStatus: status, userId } = answer;
      return { status, userId: typeof userId === 'string' ? userId : null };
    },
    async enrol(_tx, { activationId }, found) {
      if (found === undefined) throw new Error(`activation ${activationId} was not asked for`);
      return found;
    },
    keepStatus: async () => {},
  };
}

function isActivationStatus(value: unknown): value is ActivationStatus {
  return ACTIVATION_STATUSES.some((status) => status === value);
}
