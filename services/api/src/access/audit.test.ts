import { randomUUID } from 'node:crypto';

import type { AuditEntry } from '@heliograph/db';
import { startOwnPostgres } from '@heliograph/testing';

import { makeKey, makeWorld, type Names } from '../../test/access/world.ts';
import { openTestApi, type Answer, type TestApi } from '../../test/open-test-api.ts';
import { ENDPOINTS } from '../surfaces/powerauth/endpoints.ts';
import { toAction } from './audit.ts';
import { isRecorded } from './guard.ts';

let api: TestApi;
let own: Names;
let key: { readonly id: string; readonly text: string };

beforeAll(async () => {
  api = await openTestApi({ auth: 'on' });
});
afterAll(() => api.close());

const more: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of more.splice(0).toReversed()) await close();
});

async function openMore(options?: Parameters<typeof openTestApi>[0]): Promise<TestApi> {
  const opened = await openTestApi(options);
  more.push(() => opened.close());
  return opened;
}
beforeEach(async () => {
  own = await makeWorld(api.db, randomUUID());
  key = await makeKey(api.db, { appRef: own.rowId });
});

interface Page {
  readonly entries: readonly (Omit<AuditEntry, 'createdAt' | 'finishedAt'> & {
    readonly timestampCreated: string;
    readonly timestampFinished: string | null;
  })[];
  readonly cursor: string | null;
}

function ask(method: string, path: string, requestObject?: unknown, text = key.text) {
  return api.call(method, path, requestObject === undefined ? undefined : { requestObject }, {
    authorization: `Bearer ${text}`,
    'x-correlation-id': 'request-0001',
  });
}

/** What was done with the key, the latest first. */
async function actsOf(keyId: string): Promise<Page['entries']> {
  const admin = (await makeKey(api.db)).text;
  const answer = await ask('GET', '/admin/audit/list?limit=1000', undefined, admin);
  return toPage(answer).entries.filter((entry) => entry.keyId === keyId);
}

function toPage(answer: Answer): Page {
  expect(answer.status).toBe(200);
  return answer.body.responseObject as unknown as Page;
}

describe('the audit log', () => {
  test('says who did what to what when, by which request, and what came of it', async () => {
    await ask('POST', `/push/campaign/${own.campaignId}/run/pause`, {});

    expect(await actsOf(key.id)).toEqual([
      {
        id: expect.any(String),
        keyId: key.id,
        actor: 'test',
        requestId: 'request-0001',
        action: 'push.campaign.run.pause',
        appId: own.appId,
        objects: { campaignId: own.campaignId, appId: own.appId, runId: expect.any(String) },
        outcome: 'ok',
        timestampCreated: expect.any(String),
        timestampFinished: expect.any(String),
      },
    ]);
  });

  test('has what was refused, and names what was made', async () => {
    await ask('POST', '/admin/device/restore', { appId: own.appId, token: 'nobody has it' });
    await ask('POST', '/push/campaign/create', { appId: own.appId, message: {} });

    expect(await actsOf(key.id)).toMatchObject([
      { action: 'push.campaign.create', outcome: 'ok', objects: { id: expect.any(Number) } },
      { action: 'admin.device.restore', outcome: 'invalid_request', objects: { appId: own.appId } },
    ]);
  });

  test('has that a user was shown and forgotten, and not who it was', async () => {
    const { appId, userId } = own;
    await ask('POST', '/admin/user/export', { appId, userId });
    const erased = await ask('POST', '/admin/user/erase', { appId, userId });

    const { erasureId } = erased.body.responseObject as unknown as { readonly erasureId: string };
    const acts = await actsOf(key.id);
    expect(acts).toMatchObject([
      { action: 'admin.user.erase', outcome: 'ok', objects: { appId, erasureId } },
      { action: 'admin.user.export', outcome: 'ok', objects: { appId } },
    ]);
    expect(JSON.stringify(acts)).not.toContain(userId);
  });

  test('has neither secrets nor texts nor push tokens', async () => {
    const secrets = ['SECRET-KEY', 'SECRET-PASSWORD', 'SECRET-TEXT', 'SECRET-TOKEN'];
    const [privateKey = '', password = '', text = '', token = ''] = secrets.map((word) =>
      Buffer.from(word).toString('base64'),
    );
    const { appId } = own;
    await ask('PUT', '/admin/app/fcm', { appId, projectId: 'p', privateKeyBase64: privateKey });
    await ask('PUT', '/admin/app/proxy', {
      appId,
      platform: 'ios',
      url: `https://example.com/${token}`,
      basicUsername: 'u',
      basicPassword: password,
    });
    await ask('POST', '/admin/device/restore', { appId, token });
    await ask('POST', '/push/campaign/create', { appId, message: { title: text } });
    const created = await ask('POST', '/admin/key/create', { name: 'new', scopes: ['read'] });
    const made = created.body.responseObject as unknown as { key: string; keyId: string };

    const acts = await actsOf(key.id);

    expect(acts.length).toBe(5);
    expect(acts[0]?.objects).toEqual({ name: 'new', scopes: 'read', keyId: made.keyId });
    const log = JSON.stringify(acts);
    for (const secret of [privateKey, password, text, token, made.key.slice(-43)])
      expect(log).not.toContain(secret);
  });

  test('has nothing of who only looks, sends, or is not let in', async () => {
    const reader = await makeKey(api.db, { appRef: own.rowId, scopes: ['read', 'send'] });
    const other = await makeWorld(api.db, randomUUID());
    const answers = [
      await ask('GET', '/push/campaign/list', undefined, reader.text),
      await ask('POST', '/admin/app/detail', { appId: own.appId }),
      await ask('POST', '/push/message/send', {
        appId: own.appId,
        message: { userId: 'u', body: {} },
      }),
      await ask('POST', `/push/campaign/${own.campaignId}/run/pause`, {}, reader.text),
      await ask('POST', `/push/campaign/${other.campaignId}/run/pause`, {}),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 403, 400]);
    expect([...(await actsOf(key.id)), ...(await actsOf(reader.id))]).toEqual([]);
  });

  test('is read page by page, each of its app by who is bound to one', async () => {
    for (let n = 0; n < 5; n += 1)
      await ask('POST', '/push/campaign/create', { appId: own.appId, message: {} });

    const pages: Page[] = [];
    let path = '/admin/audit/list?limit=3';
    for (;;) {
      const page = toPage(await ask('GET', path));
      pages.push(page);
      if (page.cursor === null) break;
      path = `/admin/audit/list?limit=3&before=${page.cursor}`;
    }

    const entries = pages.flatMap((page) => page.entries);
    // The world comes with one.
    expect(pages.map((page) => page.entries.length)).toEqual([3, 3]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(6);
    expect(new Set(entries.map(({ appId }) => appId))).toEqual(new Set([own.appId]));
    expect((await ask('GET', '/admin/audit/list?before=x')).status).toBe(400);
  });

  test('names nobody where access control is off', async () => {
    const open = await openMore();
    await open.post('/admin/app/create', { appId: 1 });

    const page = toPage(await open.get('/admin/audit/list'));

    expect(page.entries).toMatchObject([
      { keyId: null, actor: 'anybody', action: 'admin.app.create', objects: { appId: 1 } },
    ]);
  });

  test('refuses an act that it can not write down', async () => {
    const server = await startOwnPostgres();
    more.push(() => server.stop());
    const lonely = await openMore({ databaseServerUrl: server.url });
    await lonely.db.schema.dropTable('audit_log').execute();

    const answer = await lonely.post('/admin/app/create', { appId: 1 });

    expect(answer.status).toBe(500);
    expect(await lonely.db.selectFrom('apps').select('id').execute()).toEqual([]);
  });
});

test('every act of administration and of control over campaigns is recorded', () => {
  const unrecorded = ENDPOINTS.filter(
    (doc) => !isRecorded(doc) && !doc.methods.includes('get'),
  ).map(({ paths }) => toAction(paths[0]));

  expect(unrecorded.toSorted()).toEqual([
    'admin.app.detail',
    'inbox.messages',
    'inbox.messages.read',
    'inbox.messages.read',
    'inbox.messages.read-all',
    'inbox.messages.read-all',
    'push.campaign.preview',
    'push.device.create',
    'push.device.create.multi',
    'push.device.delete',
    'push.device.status.update',
    'push.message.batch.send',
    'push.message.send',
  ]);
});
