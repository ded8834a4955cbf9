import type { Role } from '@heliograph/core';
import type { Locator, Page } from 'playwright-core';

import { en } from '../src/i18n/en.ts';
import type { ActionWorld } from './action-world.ts';

/** Something that a person can do in the console, at one place of it. */
export interface Action {
  readonly name: string;
  /** The address of the page, below the console's. */
  readonly at: (world: ActionWorld) => string;
  /** What is pressed to do it, or to be asked about it first. */
  readonly find: (page: Page, world: ActionWorld) => Locator;
  /** Brings the page to where it would be offered. */
  readonly prepare?: (page: Page) => Promise<void>;
  /** Who may do it: this role and those that may do more. */
  readonly from: Role;
  /** What it asks of the api, each by the file of the console and the client's method. */
  readonly calls: readonly string[];
}

/** Every action of the console. */
export const ACTIONS: readonly Action[] = [
  {
    name: 'resume a pause, from the overview',
    at: () => '/',
    find: inRow('failures.pauses', 'failures.resume'),
    from: 'admin',
    calls: ['overview/current-pauses.tsx pauses.resume'],
  },

  {
    name: 'begin a campaign',
    at: () => '/campaigns',
    find: (page) => page.getByRole('link', { name: en['campaigns.create'] }),
    from: 'editor',
    calls: [],
  },
  {
    name: 'make a campaign',
    at: () => '/campaigns/new',
    find: button('campaigns.create'),
    from: 'editor',
    calls: ['campaigns/campaign-editor.tsx campaigns.create'],
  },
  {
    name: 'use a campaign as a template',
    at: toCampaign('message'),
    find: (page) => page.getByRole('link', { name: en['campaign.useAsTemplate'] }),
    from: 'editor',
    calls: [],
  },
  {
    name: 'delete a campaign',
    at: toCampaign('message'),
    find: button('campaign.delete'),
    from: 'editor',
    calls: ['campaigns/campaign-message.tsx campaigns.delete'],
  },
  {
    name: 'add users from a file',
    at: toCampaign('audience'),
    find: (page) => page.getByRole('button', { name: en['audience.file'] }),
    from: 'editor',
    calls: ['campaigns/use-import.ts campaigns.addUsers'],
  },
  {
    name: 'add pasted users',
    at: toCampaign('audience'),
    prepare: async (page) => {
      await press(page.getByText(en['audience.pasted'], { exact: true }));
      await fill(page.getByRole('textbox', { name: en['audience.paste'] }), 'somebody');
    },
    find: button('audience.add'),
    from: 'editor',
    calls: ['campaigns/use-import.ts campaigns.addUsers'],
  },
  {
    name: 'add everybody',
    at: toCampaign('audience'),
    prepare: (page) => press(page.getByText(en['audience.everybody'], { exact: true })),
    find: button('audience.addAll'),
    from: 'editor',
    calls: ['campaigns/add-all-users.tsx campaigns.addAllUsers'],
  },
  {
    name: 'make a dry run',
    at: toCampaign('send'),
    find: button('send.count'),
    from: 'sender',
    calls: ['campaigns/dry-run.tsx campaigns.sendLive'],
  },
  {
    name: 'send a test',
    at: toCampaign('send'),
    prepare: (page) => fill(page.getByRole('textbox', { name: en['send.testUser'] }), 'somebody'),
    find: button('send.testSubmit'),
    from: 'sender',
    calls: ['campaigns/test-send.tsx campaigns.sendTest'],
  },
  {
    name: 'send live',
    at: toCampaign('send'),
    find: button('send.submit'),
    from: 'sender',
    calls: ['campaigns/start-run.ts campaigns.sendLive'],
  },

  {
    name: 'pause a run',
    at: toRun('going'),
    find: button('run.pause'),
    from: 'sender',
    calls: ['runs/run-controls.tsx runs.pause'],
  },
  {
    name: 'change the speed of a run',
    at: toRun('going'),
    find: button('run.setRate'),
    from: 'sender',
    calls: ['runs/rate-form.tsx runs.setRate'],
  },
  {
    name: 'cancel a run',
    at: toRun('going'),
    find: button('run.cancel'),
    from: 'sender',
    calls: ['runs/run-controls.tsx runs.cancel'],
  },
  {
    name: 'resume a run',
    at: toRun('paused'),
    find: button('run.resume'),
    from: 'sender',
    calls: ['runs/run-controls.tsx runs.resume'],
  },
  {
    name: 'approve a canary',
    at: toRun('canary'),
    find: button('run.approve'),
    from: 'sender',
    calls: ['runs/run-controls.tsx runs.approve'],
  },

  {
    name: 'replay failures of a cause',
    at: () => '/failures',
    find: (page) => page.getByRole('button', { name: new RegExp(`^${en['replay.one']}: `) }),
    from: 'sender',
    calls: ['failures/replay-dialog.tsx failures.replay'],
  },
  {
    name: 'replay failures of an app',
    at: ({ appId }) => `/failures?appId=${appId}`,
    find: (page) => page.getByRole('button', { name: new RegExp(`^${en['replay.all']}: `) }),
    from: 'sender',
    calls: ['failures/replay-dialog.tsx failures.replay'],
  },
  {
    name: 'replay failures, from the list of their deliveries',
    at: ({ appId }) =>
      `/failures?appId=${appId}&platform=ios&lane=message&state=failed&reason=PayloadTooLarge`,
    find: (page) => page.getByRole('button', { name: new RegExp(`^${en['replay.one']}: `) }),
    from: 'sender',
    calls: ['failures/replay-dialog.tsx failures.replay'],
  },
  {
    name: 'resume a pause',
    at: () => '/failures?tab=pauses',
    find: button('failures.resume'),
    from: 'admin',
    calls: ['failures/pauses.tsx pauses.resume'],
  },
  {
    name: 'keep devices that the guard holds',
    at: () => '/failures?tab=held',
    find: button('failures.discard'),
    from: 'admin',
    calls: ['failures/held-faults.tsx guard.discard'],
  },
  {
    name: 'take out devices that the guard holds',
    at: () => '/failures?tab=held',
    find: button('failures.apply'),
    from: 'admin',
    calls: ['failures/held-faults.tsx guard.apply'],
  },
  {
    name: 'undo a pruning',
    at: () => '/failures?tab=prunings',
    find: button('failures.restore'),
    from: 'admin',
    calls: ['failures/prunings.tsx devices.restoreAll'],
  },
  {
    name: 'take out silent devices',
    at: () => '/failures?tab=stale',
    find: button('failures.apply'),
    from: 'admin',
    calls: ['failures/stale-devices.tsx devices.approveStale'],
  },

  {
    name: 'make an app',
    at: () => '/apps',
    find: button('apps.create'),
    from: 'admin',
    calls: ['apps/create-app-button.tsx apps.create'],
  },
  {
    name: 'replace a credential of APNs',
    at: toApp('credentials'),
    find: inWay('credentials.apns', 'credentials.own', 'credentials.replace'),
    from: 'admin',
    calls: [
      'apps/apns-key-form.tsx apps.saveApns',
      'apps/apns-certificate-form.tsx apps.saveApnsCertificate',
    ],
  },
  {
    name: 'remove a credential of APNs',
    at: toApp('credentials'),
    find: inWay('credentials.apns', 'credentials.own', 'credentials.remove'),
    from: 'admin',
    calls: ['apps/credentials.tsx apps.removeApns'],
  },
  {
    name: 'replace a credential of FCM',
    at: toApp('credentials'),
    find: inWay('credentials.fcm', 'credentials.own', 'credentials.replace'),
    from: 'admin',
    calls: ['apps/fcm-form.tsx apps.saveFcm'],
  },
  {
    name: 'remove a credential of FCM',
    at: toApp('credentials'),
    find: inWay('credentials.fcm', 'credentials.own', 'credentials.remove'),
    from: 'admin',
    calls: ['apps/credentials.tsx apps.removeFcm'],
  },
  {
    name: 'set up a proxy',
    at: toApp('credentials'),
    find: inWay('credentials.apns', 'credentials.proxy', 'credentials.set'),
    from: 'admin',
    calls: ['apps/proxy-form.tsx apps.saveProxy'],
  },
  {
    name: 'remove a proxy',
    at: toApp('credentials'),
    find: inWay('credentials.fcm', 'credentials.proxy', 'credentials.remove'),
    from: 'admin',
    calls: ['apps/credentials.tsx apps.removeProxy'],
  },
  {
    name: 'make a developer key',
    at: toApp('developer-keys'),
    find: button('developerKeys.create'),
    from: 'admin',
    calls: ['apps/create-developer-key.tsx developerKeys.create'],
  },
  {
    name: 'rotate the secret of a developer key',
    at: toApp('developer-keys'),
    find: inRowOf((world) => world.developerKey, 'secret.rotate'),
    from: 'admin',
    calls: ['apps/developer-keys.tsx developerKeys.rotate'],
  },
  {
    name: 'disable a developer key',
    at: toApp('developer-keys'),
    find: inRowOf((world) => world.developerKey, 'developerKeys.disable'),
    from: 'admin',
    calls: ['apps/developer-keys.tsx developerKeys.disable'],
  },
  {
    name: 'enable a developer key',
    at: toApp('developer-keys'),
    find: inRowOf((world) => world.disabledDeveloperKey, 'developerKeys.enable'),
    from: 'admin',
    calls: ['apps/developer-keys.tsx developerKeys.enable'],
  },
  {
    name: 'make a callback',
    at: toApp('callbacks'),
    find: button('callbacks.create'),
    from: 'admin',
    calls: ['apps/create-callback.tsx callbacks.create'],
  },
  {
    name: 'try a callback',
    at: toApp('callbacks'),
    find: button('callbacks.test'),
    from: 'admin',
    calls: ['apps/callback-card.tsx callbacks.test'],
  },
  {
    name: 'rotate the secret of a callback',
    at: toApp('callbacks'),
    find: button('secret.rotate'),
    from: 'admin',
    calls: ['apps/callback-card.tsx callbacks.rotate'],
  },
  {
    name: 'resume a callback',
    at: toApp('callbacks'),
    find: button('callbacks.resume'),
    from: 'admin',
    calls: ['apps/callback-card.tsx callbacks.resume'],
  },
  {
    name: 'delete a callback',
    at: toApp('callbacks'),
    find: button('callbacks.delete'),
    from: 'admin',
    calls: ['apps/callback-card.tsx callbacks.delete'],
  },
  {
    name: 'tell a callback again',
    at: (world) => `/apps/${world.appId}?tab=callbacks&after=${world.callbackCursor}`,
    find: (page) => page.getByRole('button', { name: en['callbacks.again'].replace('{url}', '') }),
    from: 'admin',
    calls: ['apps/callback-events.tsx callbacks.resume'],
  },
  {
    name: 'send a call to a callback again',
    at: (world) => `/apps/${world.appId}/callbacks/${world.callbackId}`,
    find: button('calls.resend'),
    from: 'admin',
    calls: ['apps/callback-page.tsx callbacks.resend'],
  },
  {
    name: 'save a LivePerson sender',
    at: toApp('liveperson'),
    find: button('liveperson.save'),
    from: 'admin',
    calls: ['apps/save-sender.tsx livePerson.saveSender'],
  },
  {
    name: 'remove a LivePerson sender',
    at: toApp('liveperson'),
    find: button('liveperson.remove'),
    from: 'admin',
    calls: ['apps/liveperson.tsx livePerson.removeSender'],
  },

  {
    name: 'make an API key',
    at: () => '/keys',
    find: button('keys.create'),
    from: 'admin',
    calls: ['keys/create-key.tsx apiKeys.create'],
  },
  {
    name: 'revoke an API key',
    at: () => '/keys',
    find: inRowOf((world) => world.keyId, 'keys.revoke'),
    from: 'admin',
    calls: ['keys/keys-page.tsx apiKeys.revoke'],
  },
  {
    name: 'make a user',
    at: () => '/users',
    find: button('users.create'),
    from: 'admin',
    calls: ['users/create-user.tsx consoleUsers.create'],
  },
  {
    name: 'give a user another role',
    at: () => '/users',
    find: (page, world) =>
      page.getByRole('button', {
        name: en['users.setRoleOf'].replace('{name}', world.consoleUser),
      }),
    from: 'admin',
    calls: ['users/set-role.tsx consoleUsers.setRole'],
  },
  {
    name: 'give a user a new password',
    at: () => '/users',
    find: inRowOf((world) => world.consoleUser, 'users.newPassword'),
    from: 'admin',
    calls: ['users/users-page.tsx consoleUsers.setPassword'],
  },
  {
    name: 'disable a user',
    at: () => '/users',
    find: inRowOf((world) => world.consoleUser, 'developerKeys.disable'),
    from: 'admin',
    calls: ['users/users-page.tsx consoleUsers.disable'],
  },
  {
    name: 'enable a user',
    at: () => '/users',
    find: inRowOf((world) => world.disabledUser, 'developerKeys.enable'),
    from: 'admin',
    calls: ['users/users-page.tsx consoleUsers.enable'],
  },
  {
    name: 'remove a user',
    at: () => '/users',
    find: inRowOf((world) => world.consoleUser, 'users.remove'),
    from: 'admin',
    calls: ['users/users-page.tsx consoleUsers.remove'],
  },
];

type Text = keyof typeof en;
type Find = Action['find'];

function toCampaign(tab: string): Action['at'] {
  return ({ countedCampaignId }) => `/campaigns/${countedCampaignId}?tab=${tab}`;
}

function toRun(name: keyof ActionWorld['runs']): Action['at'] {
  return ({ campaignId, runs }) => `/campaigns/${campaignId}/runs/${runs[name]}`;
}

function toApp(tab: string): Action['at'] {
  return ({ appId }) => `/apps/${appId}?tab=${tab}`;
}

/** The page's button of that name. */
function button(name: Text): Find {
  return (page) => page.getByRole('button', { name: en[name], exact: true });
}

/** One in the part of the page with that title. */
function inRow(title: Text, name: Text): Find {
  return (page) =>
    page.getByRole('region', { name: en[title] }).getByRole('button', { name: en[name] });
}

/** One in the row of the table that is about this. */
function inRowOf(about: (world: ActionWorld) => string, name: Text): Find {
  return (page, world) =>
    page
      .getByRole('row')
      .filter({ hasText: about(world) })
      .getByRole('button', { name: en[name], exact: true });
}

/** One of the ways that an app's pushes may take. */
function inWay(platform: Text, way: Text, name: Text): Find {
  return (page) =>
    page
      .getByRole('group', { name: `${en[platform]}, ${en[way]}` })
      .getByRole('button', { name: new RegExp(`^${en[name]}`) });
}

/** Where it is there; who may not do a thing may lack its fields, too. */
async function press(control: Locator): Promise<void> {
  if ((await control.count()) > 0) await control.first().click();
}

async function fill(field: Locator, text: string): Promise<void> {
  if ((await field.count()) > 0) await field.first().fill(text);
}
