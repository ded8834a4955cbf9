import type { Db } from '@heliograph/db';
import type { Logger } from 'pino';

import {
  createLocalApplications,
  type ApplicationDirectory,
} from '../apps/application-directory.ts';
import { createPowerAuthApplications } from '../apps/power-auth-applications.ts';
import type { ActivationDirectory } from './activation-directory.ts';
import { createLocalActivations } from './local-activations.ts';
import { createPowerAuthActivations } from './power-auth-activations.ts';
import { openPowerAuthClient, type PowerAuthOptions } from './power-auth-client.ts';

/** Who knows activations and applications: the PowerAuth Server of these options, or our own tables without any. */
export interface Directories {
  readonly activations: ActivationDirectory;
  readonly applications: ApplicationDirectory;
  close(): Promise<void>;
}

export function openDirectories(
  db: Db,
  powerAuth: PowerAuthOptions | undefined,
  log: Logger,
): Directories {
  if (powerAuth === undefined)
    return {
      activations: createLocalActivations(),
      applications: createLocalApplications(db),
      close: async () => {},
    };
  const client = openPowerAuthClient(powerAuth, log);
  return {
    activations: createPowerAuthActivations(client),
    applications: createPowerAuthApplications(db, client),
    close: () => client.close(),
  };
}
