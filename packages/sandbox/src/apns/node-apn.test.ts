import { Notification, Provider } from '@parse/node-apn';
import { Buffer } from 'node:buffer';
import { createSandbox, type Sandbox } from '../index.ts';

describe('@parse/node-apn as a client', () => {
  let sandbox: Sandbox;
  let provider: Provider;

  beforeAll(async () => {
    sandbox = await createSandbox();
    const { keyId, teamId, privateKeyBase64 } = sandbox.credentials.apns;
    provider = new Provider({
      token: { key: Buffer.from(privateKeyBase64, 'base64'), keyId, teamId },
      address: '127.0.0.1',
      port: Number(new URL(sandbox.apnsUrl).port),
      ca: [Buffer.from(sandbox.caPem)],
      production: true,
    });
  });
  afterAll(async () => {
    await provider.shutdown();
    await sandbox.close();
  });

  test('trusts our certificate, has its provider token verified, and gets a push through', async () => {
    const { bundle } = sandbox.credentials.apns;
    const note = new Notification({ alert: 'Hello', topic: bundle, pushType: 'alert' });

    const answer = await provider.send(note, 'aa11');

    expect(answer.failed).toEqual([]);
    expect(sandbox.received({ token: 'aa11' })).toMatchObject([
      { accepted: true, headers: { 'apns-topic': bundle }, body: { aps: { alert: 'Hello' } } },
    ]);
  });

  test('understands a refusal', async () => {
    const { bundle } = sandbox.credentials.apns;
    const note = new Notification({ alert: 'Hello', topic: bundle, pushType: 'alert' });

    const answer = await provider.send(note, 'fa114100cc');

    expect(answer.failed).toMatchObject([{ status: 410, response: { reason: 'Unregistered' } }]);
  });
});
