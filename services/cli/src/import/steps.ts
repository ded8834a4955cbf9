import type { SecretBox } from '@heliograph/core';
import type { PowerAuthSource } from '@heliograph/db';

import { createHistoryStep } from './leave-history.ts';
import { createRemoveDepartedStep } from './remove-departed.ts';
import type { Step } from './step.ts';
import { createAppsStep } from './take-apps.ts';
import { createCampaignUsersStep } from './take-campaign-users.ts';
import { createCampaignsStep } from './take-campaigns.ts';
import { createDevicesStep } from './take-devices.ts';
import { createInboxStep } from './take-inbox.ts';

/** Everything that is taken over, in an order in which each finds what it refers to. */
export function createSteps(deps: {
  readonly source: PowerAuthSource;
  readonly secrets: SecretBox;
  readonly acceptRemovals: boolean;
  readonly now: () => Date;
}): readonly [Step, ...Step[]] {
  return [
    createAppsStep(deps),
    createDevicesStep(deps),
    createRemoveDepartedStep(deps),
    createCampaignsStep(deps),
    createCampaignUsersStep(deps),
    createInboxStep(deps),
    createHistoryStep(deps),
  ];
}
