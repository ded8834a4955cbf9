import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ConfigError, EnvReader } from '@heliograph/runtime';

import { readRedisSettings } from './redis-settings.ts';

let folder: string;
let pem: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-redis-'));
  pem = path.join(folder, 'some.pem');
  writeFileSync(pem, 'PEM');
});

afterAll(() => rmSync(folder, { recursive: true }));

function read(env: NodeJS.ProcessEnv) {
  const reader = new EnvReader(env);
  return reader.finish(readRedisSettings(reader));
}

function mistakesOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    return (error as ConfigError).mistakes;
  }
}

describe('where Redis is', () => {
  test('is one server by its URL', () => {
    const settings = read({ REDIS_URL: 'redis://user:old@host:6380/3', REDIS_PASSWORD: 'n@w' });

    expect(settings).toEqual({
      target: { kind: 'single', url: 'redis://user:n%40w@host:6380/3', tls: undefined },
      prefix: 'heliograph',
    });
  });

  test('is what the sentinels call the primary', () => {
    const settings = read({
      REDIS_SENTINELS: 'one:26379, [::1]:26380',
      REDIS_SENTINEL_NAME: 'pushes',
      REDIS_SENTINEL_PASSWORD: 's',
      REDIS_PASSWORD: 'p',
      REDIS_TLS: 'true',
      REDIS_CA_FILE: pem,
    });

    expect(settings.target).toMatchObject({
      kind: 'sentinel',
      sentinels: [
        { host: 'one', port: 26_379 },
        { host: '::1', port: 26_380 },
      ],
      name: 'pushes',
      sentinelPassword: 's',
      password: 'p',
      tls: { ca: 'PEM' },
    });
  });

  test('is a cluster, in which all our keys share a hash tag', () => {
    const settings = read({ REDIS_CLUSTER_NODES: 'a:1,b:2' });

    expect(settings).toMatchObject({ target: { kind: 'cluster' }, prefix: '{heliograph}' });
  });

  test.each<[string, NodeJS.ProcessEnv, string]>([
    ['nowhere', {}, 'REDIS_URL is not set'],
    ['in two places', { REDIS_URL: 'redis://a', REDIS_CLUSTER_NODES: 'a:1' }, 'only one of'],
    ['behind sentinels without a name', { REDIS_SENTINELS: 'a:1' }, 'REDIS_SENTINEL_NAME is not'],
    ['at no port', { REDIS_CLUSTER_NODES: 'a' }, 'REDIS_CLUSTER_NODES must be host:port'],
    ['at too high a port', { REDIS_CLUSTER_NODES: 'a:70000' }, 'must be host:port'],
    ['in a cluster without a tag', { REDIS_CLUSTER_NODES: 'a:1', QUEUE_PREFIX: 'x' }, 'hash tag'],
    [
      'in a cluster with an empty tag',
      { REDIS_CLUSTER_NODES: 'a:1', QUEUE_PREFIX: '{}x' },
      'hash tag',
    ],
  ])('is not %s', (_, env, mistake) => {
    expect(mistakesOf(env)).toEqual([expect.stringContaining(mistake)]);
  });

  test('is not spoken to in the clear by whoever names an authority', () => {
    const env = { REDIS_URL: 'redis://host', REDIS_CA_FILE: pem };

    expect(mistakesOf(env)).toEqual([expect.stringContaining('need rediss://')]);
    expect(mistakesOf({ REDIS_URL: 'redis://host', REDIS_TLS: 'true' })).toEqual([
      expect.stringContaining('says otherwise'),
    ]);
    expect(mistakesOf({ REDIS_URL: 'rediss://host', REDIS_CERT_FILE: pem })).toEqual([
      expect.stringContaining('come together'),
    ]);
  });
});
