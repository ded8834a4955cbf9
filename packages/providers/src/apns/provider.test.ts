import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';
import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import type { Attempt } from '../push-provider.ts';
import { createApnsToken, createMessage, createPush, toApnsCredential } from '../test-fixtures.ts';
import { APNS_CLIENTS } from './providers.ts';

describe.each(APNS_CLIENTS)('through %s', (apnsClient) => {
  let sandbox: Sandbox;
  let pool: ProviderPool;

  const outcomeOf = async (sending: Promise<Attempt>) => (await sending).outcome;

  beforeAll(async () => {
    sandbox = await createSandbox();
    pool = createProviderPool({ endpoints: toEndpoints(sandbox), idleMs: 60_000, apnsClient });
  });
  afterAll(async () => {
    await pool.close();
    await sandbox.close();
  });

  describe('a key that nothing can be signed with', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const otherCurve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
    const toPem = (key: typeof rsa) => Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));

    test.each([
      ['nothing', Buffer.alloc(0)],
      ['nonsense', Buffer.from('not a key')],
      [
        'a broken PEM',
        Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      ],
      ['an RSA key', toPem(rsa)],
      ['a key of another curve', toPem(otherCurve)],
    ])('%s pauses the credential', async (_, privateKey) => {
      const unusable = pool.get(toApnsCredential(sandbox, { privateKey }));

      const outcome = await outcomeOf(unusable.send(createPush(createApnsToken())));

      expect(outcome).toEqual({ kind: 'pause', reason: 'unusable_key', scope: 'credential' });
    });

    test('a bundle id that is none pauses the app', async () => {
      const unusable = pool.get(toApnsCredential(sandbox, { bundle: 'com.example\r\nx: y' }));

      const outcome = await outcomeOf(unusable.send(createPush(createApnsToken())));

      expect(outcome).toEqual({ kind: 'pause', reason: 'unusable_bundle', scope: 'app' });
    });

    test('a key that APNs does not know pauses the credential', async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const stranger = pool.get(toApnsCredential(sandbox, { privateKey: toPem(privateKey) }));

      const outcome = await outcomeOf(stranger.send(createPush(createApnsToken())));

      expect(outcome).toMatchObject({ kind: 'pause', scope: 'credential' });
    });
  });

  test('maps a message once for all its devices', async () => {
    const credential = toApnsCredential(sandbox);
    let reads = 0;
    const message = {
      ...createMessage(),
      get body() {
        reads += 1;
        return { title: 'T' };
      },
    };

    await pool.get(credential).send(createPush(createApnsToken(), { message }));
    const afterFirst = reads;
    await pool
      .get(credential)
      .send(createPush(createApnsToken(), { message, deliveryId: randomUUID() }));

    expect(reads).toBe(afterFirst);
  });
});
