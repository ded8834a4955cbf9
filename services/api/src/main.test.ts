import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createSecretBox, toKeyId } from '@heliograph/core';
import { saveCredential, toKeyPlace } from '@heliograph/db';
import { createAuthority, createServerCertificate } from '@heliograph/sandbox';
import {
  eventually,
  makeApp,
  openTestDatabase,
  openTestRedis,
  spawnService,
  useTestDatabase,
} from '@heliograph/testing';

const database = useTestDatabase();
let env: Record<string, string>;

beforeAll(async () => {
  const redis = await openTestRedis();
  env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    SECRETS_KEY_FILE: '',
  };
});

describe('the api process', () => {
  test('tells its port, says that it is a sandbox, and ends with its signal', async () => {
    const api = spawnService('api', env);
    await api.waitReady();

    const status = await fetch(`${api.url}/push/service/status`);
    const { responseObject } = (await status.json()) as { responseObject: object };
    api.kill();

    expect(responseObject).toMatchObject({ providers: 'sandbox', version: expect.any(String) });
    expect(await api.exited).toBe(0);
    expect(api.output).toContain('PROVIDERS=sandbox');
  });

  test('ends though somebody waits for a campaign, and others watch it or an inbox', async () => {
    const api = spawnService('api', { ...env, SYNC_WAIT_MS: '300000' });
    await api.waitReady();
    const post = (path: string, requestObject: object) =>
      fetch(api.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ requestObject }),
      });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    await post('/admin/app/create', { appId: 1 });
    const inbox = await fetch(`${api.url}/inbox/messages/stream?userId=u&applications=1`);
    await post('/admin/app/android/update', { appId: 1, projectId: 'p', privateKeyBase64 });
    await post('/push/campaign/create', { appId: 1, message: {} });

    const waiting = post('/push/campaign/send/live/1', {});
    const watching = await eventually(async () => {
      const answer = await fetch(`${api.url}/push/campaign/1/run/events`);
      expect(answer.status).toBe(200);
      return answer;
    });
    api.kill();

    expect(await watching.text()).not.toContain('event: end');
    expect(await inbox.text()).toMatch(/^retry: 2000\nid: 0\n\nretry: \d+\n\n$/);
    expect(await (await waiting).json()).toMatchObject({ responseObject: { state: 'scheduled' } });
    expect(await api.exited).toBe(0);
  });

  test('serves callers while 10,000 others are connected and say nothing', async () => {
    // However long it takes to open them.
    const api = spawnService('api', {
      ...env,
      HEADERS_TIMEOUT_MS: '300000',
      REQUEST_TIMEOUT_MS: '300000',
    });
    await api.waitReady();
    const { port } = new URL(api.url);
    const silent: Socket[] = [];
    const open = () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', resolve);
        socket.on('error', reject);
        silent.push(socket);
      });
    for (let n = 0; n < 10_000; n += 500) await Promise.all(Array.from({ length: 500 }, open));

    const answer = await fetch(`${api.url}/push/campaign/list`);
    const alive = silent.filter((socket) => !socket.destroyed).length;
    api.kill();

    expect(answer.status).toBe(200);
    expect(alive).toBe(10_000);
    expect(await api.exited).toBe(0);
    silent.forEach((socket) => socket.destroy());
  });

  test('wants keys unless told otherwise, and says loudly where it does not', async () => {
    const [closed, open] = [spawnService('api', { ...env, AUTH: '' }), spawnService('api', env)];
    await Promise.all([closed.waitReady(), open.waitReady()]);

    const statuses = await Promise.all(
      [closed, open].map(async ({ url }) => (await fetch(`${url}/push/campaign/list`)).status),
    );
    closed.kill();
    open.kill();
    await Promise.all([closed.exited, open.exited]);

    expect(statuses).toEqual([401, 200]);
    expect(closed.output).not.toContain('ACCESS CONTROL IS OFF');
    expect(open.output).toContain('ACCESS CONTROL IS OFF');
  });

  test('serves TLS with a certificate, and says in its log when the time of that is over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heliograph-tls-'));
    const longAgo = new Date('2020-01-01T00:00:00Z');
    const { certPem, keyPem } = createServerCertificate(createAuthority(longAgo), longAgo);
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, certPem);
    writeFileSync(key, keyPem);
    const api = spawnService('api', { ...env, TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
    await api.waitReady();

    const status = await new Promise((resolve, reject) => {
      const { port } = new URL(api.url);
      const options = { port, path: '/push/service/status', rejectUnauthorized: false };
      get({ host: '127.0.0.1', agent: false, ...options }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', reject);
    });
    api.kill();
    rmSync(folder, { recursive: true });

    expect(status).toBe(200);
    expect(await api.exited).toBe(0);
    expect(api.output).toContain('the time of the TLS certificate is over');
  });

  test('says so when its port is taken', async () => {
    const first = spawnService('api', env);
    await first.waitReady();

    const second = spawnService('api', { ...env, PORT: new URL(first.url).port });
    const code = await second.exited;
    first.kill();
    await first.exited;

    expect(code).toBe(1);
    expect(second.output).toContain('is in use');
  });

  test('does not start on a database of the other kind', async () => {
    const first = spawnService('api', env);
    await first.waitReady();
    first.kill();
    await first.exited;

    const live = spawnService('api', { ...env, PROVIDERS: 'live' });

    expect(await live.exited).toBe(1);
    expect(live.output).toContain('PROVIDERS=sandbox');
  });
});

describe('an api without a key that a secret was sealed with', () => {
  test('does not start, and says which key that is', async () => {
    const db = await openTestDatabase();
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const start = (more: Record<string, string>) =>
      spawnService('api', { ...env, DATABASE_URL: db.url, ...more });
    const appRef = await makeApp(db.db, []);
    const place = toKeyPlace(appRef, 'fcm');
    await saveCredential(db.db, {
      appRef,
      provider: 'fcm',
      settings: { projectId: 'p' },
      environment: null,
      sealedKey: createSecretBox(old).seal(Buffer.from('key'), place),
    });

    const refused = start({ SECRETS_KEY: next.toString('base64') });
    const started = start({
      SECRETS_KEY: next.toString('base64'),
      SECRETS_OTHER_KEYS: old.toString('base64'),
    });

    await expect(refused.waitReady()).rejects.toThrow(
      `key ${toKeyId(old)} sealed 1 in credentials.sealed_key`,
    );
    expect(await refused.exited).toBe(1);
    await started.waitReady();
    started.kill();
    await started.exited;
    await db.close();
  });
});
