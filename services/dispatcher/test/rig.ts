import { randomBytes } from 'node:crypto';

import { createSecretBox, type Environment, type Provider, type SecretBox } from '@heliograph/core';
import {
  insertMessages,
  listDeliveries,
  saveCredential,
  saveProxy as storeProxy,
  toKeyPlace,
  type Db,
  type ProxySettings,
  type StoredMessage,
} from '@heliograph/db';
import type { ProviderEndpoints } from '@heliograph/providers';
import { packCertificateFile } from '@heliograph/providers/certificate';
import { packProxySecret } from '@heliograph/providers/proxy-secret';
import { openLane, openRedis, type Lane } from '@heliograph/queue';
import { createLogger, type Logger } from '@heliograph/runtime';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import {
  eventually,
  makeApp,
  makeDevice,
  openTestDatabase,
  openTestRedis,
  toEndpoints,
  toMessage,
  type DeviceOptions,
  type MadeDevice,
} from '@heliograph/testing';

import type { CallbackSettings } from '../src/callbacks/callbacks.ts';
import { startDispatcher, type Dispatcher } from '../src/dispatcher.ts';

export type Delivery = Awaited<ReturnType<typeof listDeliveries>>[number];

/** A dispatcher on real PostgreSQL and Redis, sending to the fake providers. */
export interface Rig {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly sandbox: Sandbox;
  readonly lane: Lane;
  readonly secrets: SecretBox;
  /** What `secrets` seals with. */
  readonly secretsKey: Buffer;
  /** Starts one more dispatcher on the same database and queue. */
  start(changes?: {
    leaseMs?: number;
    sweepEveryMs?: number;
    checkLeaseMs?: number;
    checkEveryMs?: number;
    endpoints?: ProviderEndpoints;
    callbacks?: CallbackSettings;
    secrets?: SecretBox;
    log?: Logger;
  }): Dispatcher;
  /** An app with the sandbox's credentials. */
  makeSendingApp(options?: { environment?: Environment }): Promise<number>;
  saveKey(
    appRef: number,
    provider: Provider,
    changes?: { key?: Buffer; environment?: Environment },
  ): Promise<void>;
  /** Replaces the app's key for APNs with the sandbox's certificate. */
  saveCertificate(appRef: number): Promise<void>;
  /** Sends the app's pushes to the sandbox's proxy, by certificate, unless told otherwise. */
  saveProxy(appRef: number, provider: Provider, changes?: Partial<ProxySettings>): Promise<void>;
  device(appRef: number, options?: DeviceOptions): Promise<MadeDevice>;
  /** Stores a message; announces it unless told otherwise. */
  post(
    appRef: number,
    userId: string,
    changes?: Partial<StoredMessage>,
    announce?: boolean,
  ): Promise<string>;
  deliveries(messageId: string): Promise<Delivery[]>;
  /** What a retry's time does when it comes. */
  makeDue(messageId: string): Promise<void>;
  /** Waits until no delivery of the message is pending. */
  finished(messageId: string): Promise<Delivery[]>;
  close(): Promise<void>;
}

export async function openRig(): Promise<Rig> {
  const database = await openTestDatabase({ poolSize: 10 });
  const redis = await openTestRedis();
  const sandbox = await createSandbox();
  const key = randomBytes(32);
  const secrets = createSecretBox(key);
  const commands = openRedis(redis.url, 'command', noted);
  await new Promise((resolve) => commands.once('ready', resolve));
  const lane = openLane(commands, { prefix: redis.prefix, onError: noted });
  const closers: (() => Promise<void>)[] = [];

  const saveKey: Rig['saveKey'] = async (appRef, provider, changes = {}) => {
    const { apns, fcm } = sandbox.credentials;
    const { privateKeyBase64, ...settings } = provider === 'apns' ? apns : fcm;
    const secret = changes.key ?? Buffer.from(privateKeyBase64, 'base64');
    const base = {
      appRef,
      environment: changes.environment ?? null,
      sealedKey: secrets.seal(secret, toKeyPlace(appRef, provider)),
    };
    await saveCredential(
      database.db,
      'bundle' in settings
        ? { ...base, provider: 'apns', settings }
        : { ...base, provider: 'fcm', settings },
    );
  };

  const saveCertificate: Rig['saveCertificate'] = async (appRef) => {
    const { bundle, certificateBase64 } = sandbox.credentials.apnsCertificate;
    const packed = packCertificateFile({ file: Buffer.from(certificateBase64, 'base64') });
    await saveCredential(database.db, {
      appRef,
      provider: 'apns',
      environment: null,
      settings: {
        bundle,
        certificate: {
          commonName: bundle,
          topics: [bundle],
          fingerprint: randomBytes(32).toString('hex'),
          validTo: new Date(Date.now() + 365 * 86_400_000).toISOString(),
        },
      },
      sealedKey: secrets.seal(packed, toKeyPlace(appRef, 'apns')),
    });
  };

  const saveProxy: Rig['saveProxy'] = async (appRef, provider, changes = {}) => {
    const { certificateBase64, privateKeyBase64 } = sandbox.credentials.proxy;
    const secret = packProxySecret({
      certificatePem: Buffer.from(certificateBase64, 'base64').toString(),
      privateKeyPem: Buffer.from(privateKeyBase64, 'base64').toString(),
    });
    await storeProxy(database.db, {
      appRef,
      provider,
      settings: {
        url: sandbox.proxyUrl,
        schema: 'current',
        goneOn: [410],
        retry: 'documented',
        brandId: '2022139',
        backendService: 'ams',
        caPem: sandbox.caPem,
        ...changes,
      },
      sealedKey: secrets.seal(secret, toKeyPlace(appRef, provider)),
    });
  };

  return {
    db: database.db,
    databaseUrl: database.url,
    redisUrl: redis.url,
    prefix: redis.prefix,
    sandbox,
    lane,
    secrets,
    secretsKey: key,
    saveKey,
    saveCertificate,
    saveProxy,
    start(changes = {}) {
      const own = openRedis(redis.url, 'command', noted);
      const [worker, campaigns, hints] = [
        openRedis(redis.url, 'blocking', noted),
        openRedis(redis.url, 'blocking', noted),
        openRedis(redis.url, 'blocking', noted),
      ];
      const dispatcher = startDispatcher({
        db: database.db,
        redis: own,
        workerRedis: worker,
        campaignRedis: campaigns,
        hintRedis: hints,
        prefix: redis.prefix,
        secrets,
        endpoints: toEndpoints(sandbox),
        concurrency: 8,
        campaignConcurrency: 16,
        log: createLogger('dispatcher', 'silent'),
        leaseMs: 60_000,
        // As fast as it goes: a slow start would be all that tests wait for.
        fcmPace: { ceiling: 1_000_000, base: 1_000_000 },
        sweepEveryMs: 3_600_000,
        ...changes,
      });
      let closed: Promise<void> | undefined;
      const close = () =>
        (closed ??= dispatcher.close().then(() => {
          own.disconnect();
          worker.disconnect();
          campaigns.disconnect();
          hints.disconnect();
        }));
      closers.push(close);
      return { ...dispatcher, close };
    },
    async makeSendingApp({ environment } = {}) {
      const id = await makeApp(database.db, []);
      await saveKey(id, 'apns', environment === undefined ? {} : { environment });
      await saveKey(id, 'fcm');
      return id;
    },
    device: (appRef, options = {}) => makeDevice(database.db, appRef, options),
    async post(appRef, userId, changes = {}, announce = true) {
      const message = toMessage(appRef, userId, changes);
      const stored = await insertMessages(database.db, [message]);
      if (announce) await lane.announce(stored.map((delivery) => delivery.id));
      return message.id;
    },
    deliveries: async (messageId) => [...(await listDeliveries(database.db, messageId))],
    async makeDue(messageId) {
      const ids = (await listDeliveries(database.db, messageId)).map((delivery) => delivery.id);
      await database.db
        .updateTable('deliveries')
        .set({ nextAttemptAt: new Date() })
        .where('id', 'in', ids)
        .where('state', '=', 'pending')
        .execute();
      await lane.announce(ids);
    },
    finished: (messageId) =>
      eventually(async () => {
        const rows = await listDeliveries(database.db, messageId);
        expect(rows.filter((row) => row.state === 'pending')).toEqual([]);
        return [...rows];
      }),
    async close() {
      await Promise.all(closers.map((close) => close()));
      await lane.close();
      commands.disconnect();
      await sandbox.close();
      await database.close();
    },
  };
}

/** Connections end when a rig is closed; that is no failure of a test. */
function noted(): void {}
