import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { verifyCallback } from '@heliograph/client/callbacks';
import { eventually } from '@heliograph/testing';

import { SECRET, storeCallback, TEST_SETTINGS } from './callback-rig.ts';
import { openReceiver, type ReceivedCallback, type Receiver } from './receiver.ts';
import { openRig, type Delivery, type Rig } from './rig.ts';

const run = promisify(execFile);

let rig: Rig;
let receiver: Receiver;
beforeEach(async () => {
  rig = await openRig();
  receiver = await openReceiver([SECRET]);
});
afterEach(async () => {
  await rig.close();
  await receiver.close();
});

const token = (n: number) => n.toString(16).padStart(64, 'c');

describe('what became of messages', () => {
  test('is told of every delivery, though the receiver was away for a while', async () => {
    const app = await rig.makeSendingApp();
    await storeCallback(rig.db, rig.secrets, app, receiver.url);
    let refusals = 3;
    receiver.answer((_, response) => {
      response.writeHead((refusals -= 1) >= 0 ? 503 : 200).end();
    });
    const phone = await rig.device(app, { pushToken: token(1) });
    await rig.device(app, { pushToken: token(2), userId: phone.userId, provider: 'fcm' });
    const bad = await rig.device(app, { pushToken: token(3) });
    rig.sandbox.script('apns', token(3), [{ kind: 'refuse', status: 400, reason: 'PayloadEmpty' }]);
    rig.start({ callbacks: TEST_SETTINGS });

    const messageIds = [];
    for (let n = 0; n < 10; n += 1) messageIds.push(await rig.post(app, phone.userId));
    const failing = await rig.post(app, bad.userId);
    const deliveries: Delivery[] = [];
    for (const messageId of [...messageIds, failing])
      deliveries.push(...(await rig.finished(messageId)));
    await eventually(
      async () => {
        await rig.db
          .updateTable('callbackEndpoints')
          .set({ nextAttemptAt: new Date(0) })
          .execute();
        const told = receiver.taken().map(({ data }) => String(data['deliveryId']));
        expect(told.toSorted()).toEqual(deliveries.map(({ id }) => id).toSorted());
      },
      { timeoutMs: 40_000 },
    );

    expect(refusals).toBeLessThan(0);
    expect(receiver.received.every(({ signedWith }) => signedWith === SECRET)).toBe(true);
    const byDelivery = new Map(receiver.taken().map((event) => [event.data['deliveryId'], event]));
    for (const delivery of deliveries)
      expect(byDelivery.get(delivery.id)).toMatchObject({
        type: `delivery.${delivery.state}`,
        data: {
          messageId: delivery.messageId,
          platform: delivery.provider === 'apns' ? 'ios' : 'android',
          reason: delivery.reason,
          attempts: delivery.attempts,
          providerMessageId: delivery.providerMessageId,
        },
      });
    expect(byDelivery.size).toBe(21);
    expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['sent', 'failed']));
  });
});

describe('an endpoint that is registered while dispatchers run', () => {
  test('hears of what is recorded from then on, within seconds', async () => {
    const app = await rig.makeSendingApp();
    const { userId } = await rig.device(app, { pushToken: token(5) });
    rig.start({ callbacks: TEST_SETTINGS });
    await rig.finished(await rig.post(app, userId));

    await storeCallback(rig.db, rig.secrets, app, receiver.url);
    await eventually(async () => {
      await rig.finished(await rig.post(app, userId));
      expect(receiver.taken()).not.toEqual([]);
    });

    // Of what was recorded before it was registered nothing is told.
    const { createdAt } = await rig.db
      .selectFrom('callbackEndpoints')
      .select('createdAt')
      .executeTakeFirstOrThrow();
    const early = receiver.taken().filter(({ at }) => Date.parse(at) < createdAt.getTime());
    expect(early).toEqual([]);
  });
});

describe('docs/callbacks.md', () => {
  const folder = { path: '' };
  beforeEach(async () => (folder.path = await mkdtemp(path.join(tmpdir(), 'callbacks-'))));
  afterEach(() => rm(folder.path, { recursive: true }));

  async function readBlock(language: string): Promise<string> {
    const text = await readFile(path.join(__dirname, '../../../docs/callbacks.md'), 'utf8');
    return new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(text)?.[1] ?? '';
  }

  async function receiveOne(): Promise<ReceivedCallback> {
    const app = await rig.makeSendingApp();
    await storeCallback(rig.db, rig.secrets, app, `${receiver.url}/a%20b?c=d`);
    const { userId } = await rig.device(app, { pushToken: token(4) });
    rig.start({ callbacks: TEST_SETTINGS });
    await rig.post(app, userId);
    return eventually(() => {
      const [first] = receiver.received;
      if (first === undefined) throw new Error('nothing came');
      return first;
    });
  }

  test('verifies what comes with a function for Node.js', async () => {
    const { path: url, headers, body } = await receiveOne();
    const file = path.join(folder.path, 'verify.mjs');
    const ask = `
const [request, body, secrets] = JSON.parse(process.argv[2]);
process.stdout.write(String(isFromHeliograph(request, Buffer.from(body, 'base64'), secrets)));`;
    await writeFile(file, (await readBlock('js')) + ask);
    const verify = async (changes: object, secrets = ['old', SECRET], bytes = body) => {
      const request = { method: 'POST', url, headers, ...changes };
      const input = JSON.stringify([request, bytes.toString('base64'), secrets]);
      return (await run(process.execPath, [file, input])).stdout;
    };

    expect(await verify({})).toBe('true');
    expect(await verify({}, ['another secret'])).toBe('false');
    expect(await verify({ url: '/a%20b' })).toBe('false');
    expect(await verify({ headers: { ...headers, 'x-m-date': 'x' } })).toBe('false');
    expect(await verify({ headers: {} })).toBe('false');
    expect(await verify({}, [SECRET], Buffer.from('{}'))).toBe('false');
  });

  test('verifies what comes with openssl and a shell', async () => {
    const { path: uri, headers, body } = await receiveOne();
    const [, nonce = '', signature] =
      /nonce="(.*?)", signature="(.*?)"/.exec(headers.authorization ?? '') ?? [];
    await writeFile(path.join(folder.path, 'body'), body);

    const { stdout } = await run('sh', ['-c', await readBlock('sh')], {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        uri,
        nonce,
        secret: SECRET,
        date: String(headers['x-m-date']),
      },
    });

    expect(stdout.trim()).toBe(signature);
  });
});

describe('what the client makes of a callback', () => {
  test('is its events, and an error when it is told with another secret', async () => {
    const app = await rig.makeSendingApp();
    await storeCallback(rig.db, rig.secrets, app, receiver.url);
    const { userId } = await rig.device(app, { pushToken: token(7) });
    rig.start({ callbacks: TEST_SETTINGS });
    const messageId = await rig.post(app, userId);
    await rig.finished(messageId);
    await eventually(() => expect(receiver.taken()).not.toEqual([]));

    const [{ path: url, headers, body, cursor } = NOTHING] = receiver.received;
    const verify = (secret: string) =>
      verifyCallback({ url, headers, body }, { secrets: [secret] });

    expect(verify(SECRET)).toMatchObject({
      key: expect.any(String),
      events: [{ type: 'delivery.sent', data: { messageId, userId } }],
      cursor,
    });
    expect(() => verify('another')).toThrow('signature');
  });

  const NOTHING = { path: '', headers: {}, body: '', cursor: '' };
});
