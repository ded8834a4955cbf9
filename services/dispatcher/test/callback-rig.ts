import { randomBytes, randomUUID } from 'node:crypto';

import { createSecretBox, type CallbackType, type SecretBox } from '@heliograph/core';
import {
  findCallbackEndpoint,
  findDeveloperKeyOwner,
  insertCallbackEndpoint,
  insertCallbackSecret,
  insertDeveloperKey,
  toDeveloperSecretPlace,
  type CallbackEndpoint,
  type CallbackOwner,
  type Db,
  type NewCallbackEndpoint,
} from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { makeApp, openTestDatabase } from '@heliograph/testing';

import {
  CALLBACK_DEFAULTS,
  startCallbacks,
  type Callbacks,
  type CallbacksDeps,
  type CallbackSettings,
} from '../src/callbacks/callbacks.ts';
import { RECEIVER_CA } from './receiver.ts';

export const SECRET = 'a callback secret';

export const TEST_SETTINGS: CallbackSettings = {
  ...CALLBACK_DEFAULTS,
  allowPrivateAddresses: true,
  ca: RECEIVER_CA,
};

/** Callbacks alone, on real PostgreSQL: events are written as whoever records outcomes would. */
export interface CallbackRig {
  readonly db: Db;
  start(changes?: Partial<CallbacksDeps>): Callbacks;
  /** An app with a callback to the URL, signed with `SECRET`. */
  makeCallback(
    url: string,
    changes?: Partial<NewCallbackEndpoint>,
  ): Promise<{ readonly id: number; readonly appRef: number }>;
  addSecret(id: number, secret: string, afterSeconds: number): Promise<unknown>;
  /** So many more events of the app, one transaction each; answers their ids, in order. */
  tell(
    appRef: number,
    count: number,
    type?: CallbackType,
    owner?: CallbackOwner,
  ): Promise<string[]>;
  /** One of an app of its own, with that secret. */
  makeDeveloperKey(
    secret: string,
  ): Promise<{ readonly name: string; readonly owner: CallbackOwner }>;
  endpoint(id: number): Promise<CallbackEndpoint>;
  /** What the time of the next attempt does when it comes. */
  makeDue(id: number): Promise<void>;
  set(id: number, changes: object): Promise<void>;
  close(): Promise<void>;
}

export async function openCallbackRig(): Promise<CallbackRig> {
  const database = await openTestDatabase({ poolSize: 10 });
  const { db } = database;
  const key = randomBytes(32);
  const secrets = createSecretBox(key);
  const running: Callbacks[] = [];

  const set: CallbackRig['set'] = async (id, changes) => {
    await db.updateTable('callbackEndpoints').set(changes).where('id', '=', id).execute();
  };

  return {
    db,
    set,
    start(changes = {}) {
      const callbacks = startCallbacks({
        db,
        secrets,
        settings: TEST_SETTINGS,
        log: createLogger('dispatcher', 'silent'),
        clockMs: () => performance.now(),
        now: () => new Date(),
        random: Math.random,
        ...changes,
      });
      running.push(callbacks);
      return callbacks;
    },
    async makeCallback(url, changes = {}) {
      const appRef = changes.appRef ?? (await makeApp(db, []));
      const id = await storeCallback(db, secrets, appRef, url, changes);
      return { id, appRef };
    },
    addSecret: (id, secret, afterSeconds) =>
      insertCallbackSecret(db, id, afterSeconds, (place) =>
        secrets.seal(Buffer.from(secret), place),
      ),
    async tell(appRef, count, type = 'delivery.sent', owner = { appRef, developerKeyRef: 0 }) {
      const ids = [];
      for (let n = 0; n < count; n += 1) {
        const { id } = await db
          .insertInto('callbackEvents')
          .values({ ...owner, type, data: JSON.stringify({ n }) })
          .returning('id')
          .executeTakeFirstOrThrow();
        ids.push(id);
      }
      return ids;
    },
    async makeDeveloperKey(secret) {
      const appRef = await makeApp(db, []);
      const [name, id] = [randomUUID(), randomUUID()];
      const sealedSecret = secrets.seal(Buffer.from(secret), toDeveloperSecretPlace(id));
      const made = { developerKey: name, appRef, name, carriers: ['acme'] };
      await insertDeveloperKey(db, made, { id, sealedSecret });
      const owner = await findDeveloperKeyOwner(db, name);
      if (owner === undefined) throw new Error('the developer key is gone');
      return { name, owner };
    },
    async endpoint(id) {
      const endpoint = await findCallbackEndpoint(db, id);
      if (endpoint === undefined) throw new Error(`there is no callback ${id}`);
      return endpoint;
    },
    makeDue: (id) => set(id, { nextAttemptAt: new Date(0) }),
    async close() {
      await Promise.all(running.map((callbacks) => callbacks.close()));
      await database.close();
    },
  };
}

/** Registers a callback that is signed with `SECRET`. */
export async function storeCallback(
  db: Db,
  secrets: SecretBox,
  appRef: number,
  url: string,
  changes: Partial<NewCallbackEndpoint> = {},
): Promise<number> {
  const id = await insertCallbackEndpoint(
    db,
    {
      appRef,
      developerKeyRef: 0,
      url,
      target: new URL(url).host,
      callbackKey: randomUUID(),
      types: null,
      ...changes,
    },
    1000,
  );
  if (id === undefined) throw new Error('too many callbacks');
  await insertCallbackSecret(db, id, 0, (place) => secrets.seal(Buffer.from(SECRET), place));
  return id;
}
