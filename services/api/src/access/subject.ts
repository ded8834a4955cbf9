import { isUuid, Refusal, toConsoleUserName, toMessageId } from '@heliograph/core';
import {
  findActivationOwners,
  findApiKeyOwners,
  findAppRefs,
  findCallbackOwners,
  findCampaignOwners,
  findConsoleUserOwners,
  findDeveloperKeyOwners,
  findInboxMessageOwners,
  findMessageOwners,
  findPauseOwners,
  type Db,
} from '@heliograph/db';

import type { AppName } from '../apps/get-app.ts';
import { noSuchCallback } from '../callbacks/callback-deps.ts';
import { noSuchCampaign } from '../campaigns/get-campaign.ts';
import type { BoundApp } from './caller.ts';

/**
 * What of which app a request is about. Every route says it: so no request of a caller who is bound to an app comes to a verb before
 * it was decided here whether what it names is that app's.
 */
export type Subject<Input, Answer> =
  /** Of no app. */
  | { readonly kind: 'nothing' }
  /** Of all apps at once: not for whoever is bound to one. */
  | { readonly kind: 'every_app' }
  /** Things of many apps: the verb is given the caller, and leaves out what is not theirs. */
  | { readonly kind: 'filtered' }
  /** Apps that the input names. */
  | {
      readonly kind: 'named';
      readonly names: (input: Input) => readonly AppName[];
      readonly missing: (input: Input) => Refusal;
    }
  /** A thing that belongs to apps. */
  | {
      readonly kind: 'owned';
      readonly find: (db: Db, input: Input) => Promise<readonly number[]>;
      /** What is said of a thing that there is not, which nobody may tell from somebody else's: refuses, or answers. */
      readonly missing: (input: Input) => Answer;
    };

export const NOTHING = { kind: 'nothing' } as const;
export const EVERY_APP = { kind: 'every_app' } as const;
export const FILTERED = { kind: 'filtered' } as const;

/** The app that the input names, by either of its ids. */
export function ofApp<Input extends AppName>(): Subject<Input, never> {
  return { kind: 'named', names: (input) => [input], missing: noSuchApp };
}

/** The same where the input need not name one: then the verb takes the app that the caller is bound to. */
export function ofAppIfNamed<Input extends AppName>(): Subject<Input, never> {
  return {
    kind: 'named',
    names: (input) => (input.appId === undefined && input.id === undefined ? [] : [input]),
    missing: noSuchApp,
  };
}

/** The same where the verb is about every app unless one is named: who is bound to an app names it. */
export function ofAppOrEvery<Input extends AppName>(): Subject<Input, never> {
  return {
    kind: 'named',
    names: (input) => [input],
    missing: (input) =>
      input.appId === undefined && input.id === undefined ? refuseEveryApp() : noSuchApp(input),
  };
}

/** The apps of which the inbox shows something. */
export function ofInboxApps<Input>(
  toAppIds: (input: Input) => readonly string[],
): Subject<Input, never> {
  return {
    kind: 'named',
    names: (input) => toAppIds(input).map((appId) => ({ appId })),
    missing: () => new Refusal('unknown_app', 'There is no such application.'),
  };
}

interface OfCampaign {
  readonly id: number;
}

/** The campaign that the path names. */
export function ofCampaign<Input extends OfCampaign, Answer = never>(
  missing: (input: Input) => Answer = () => refuse(noSuchCampaign()),
): Subject<Input, Answer> {
  return { kind: 'owned', find: (db, { id }) => findCampaignOwners(db, id), missing };
}

/** A message, by its id or that of one of its deliveries. */
export const OF_MESSAGE: Subject<{ readonly id: string }, never> = {
  kind: 'owned',
  find: async (db, { id }) =>
    isUuid(id) ? findMessageOwners(db, toMessageId(id.toLowerCase())) : [],
  missing: () => refuse(new Refusal('not_found', 'There is no such message.')),
};

export function ofInboxMessage<Input>(toId: (input: Input) => string): Subject<Input, never> {
  return {
    kind: 'owned',
    find: async (db, input) => (isUuid(toId(input)) ? findInboxMessageOwners(db, toId(input)) : []),
    missing: () => refuse(new Refusal('unknown_message', 'There is no such message.')),
  };
}

/** Where there is no device of the activation, its status is nobody's business, and the answer is no error. */
export const OF_ACTIVATION: Subject<{ readonly activationId: string }, void> = {
  kind: 'owned',
  find: (db, { activationId }) => findActivationOwners(db, activationId),
  missing: () => undefined,
};

export const OF_DEVELOPER_KEY: Subject<{ readonly developerKey: string }, never> = {
  kind: 'owned',
  find: (db, { developerKey }) => findDeveloperKeyOwners(db, developerKey),
  missing: () => refuse(new Refusal('invalid_request', 'There is no such developer key.')),
};

export const OF_CALLBACK: Subject<{ readonly callbackId: number }, never> = {
  kind: 'owned',
  find: (db, { callbackId }) => findCallbackOwners(db, callbackId),
  missing: () => noSuchCallback(),
};

interface OwnerInput {
  readonly appId?: string;
  readonly developerKey?: string;
}

/** An app, or a developer key of one. Where both are named, the verb sees to it that they belong together. */
export const OF_OWNER: Subject<OwnerInput, never> = {
  kind: 'owned',
  async find(db, { appId, developerKey }) {
    if (developerKey !== undefined) return findDeveloperKeyOwners(db, developerKey);
    return appId === undefined ? [] : [...(await findAppRefs(db, [appId])).values()];
  },
  missing: ({ appId, developerKey }) =>
    refuse(
      developerKey === undefined
        ? noSuchApp({ appId })
        : new Refusal('invalid_request', 'There is no such developer key.'),
    ),
};

export const OF_PAUSE: Subject<{ readonly id: number }, never> = {
  kind: 'owned',
  find: (db, { id }) => findPauseOwners(db, id),
  missing: () =>
    refuse(new Refusal('invalid_request', 'There is no such pause, or it is over already.')),
};

export const OF_API_KEY: Subject<{ readonly keyId: string }, never> = {
  kind: 'owned',
  find: (db, { keyId }) => findApiKeyOwners(db, keyId),
  missing: () => refuse(noSuchApiKey()),
};

export function noSuchApiKey(): Refusal {
  return new Refusal('invalid_request', 'There is no such API key.');
}

export const OF_CONSOLE_USER: Subject<{ readonly name: string }, never> = {
  kind: 'owned',
  find: (db, { name }) => findConsoleUserOwners(db, toConsoleUserName(name) ?? ''),
  missing: () => refuse(noSuchConsoleUser()),
};

export function noSuchConsoleUser(): Refusal {
  return new Refusal('invalid_request', 'There is no such user of the console.');
}

export function refuseEveryApp(): Refusal {
  return new Refusal('forbidden', 'This takes a key, or a user, that is for every application.');
}

function noSuchApp({ id, appId }: AppName): Refusal {
  return id === undefined && appId === undefined
    ? new Refusal('invalid_request', 'requestObject.appId is missing.')
    : new Refusal('invalid_request', 'There is no such application.');
}

function refuse(refusal: Refusal): never {
  throw refusal;
}

/** Whether the name is that of the app, and of no other. */
export function isNamed({ id, appId }: AppName, app: BoundApp): boolean {
  if (id === undefined && appId === undefined) return false;
  return (id ?? app.ref) === app.ref && (appId ?? app.appId) === app.appId;
}
