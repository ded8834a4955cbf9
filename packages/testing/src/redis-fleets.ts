import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';
import { Redis } from 'ioredis';

import { eventually } from './eventually.ts';
import { startOwnRedis, type OwnServer } from './own-servers.ts';

/** Several Redis servers that act as one, or one that is spoken to in a special way. */
export interface RedisFleet {
  /** What the services' environment says of it, the password included. */
  readonly env: Readonly<Record<string, string>>;
  readonly servers: readonly OwnServer[];
  stop(): Promise<void>;
}

/** A primary, the first of the servers, its replica, and three sentinels that make the replica primary within seconds of its death. */
export async function startSentinelRedis(): Promise<RedisFleet> {
  const password = newPassword();
  const auth = [`masterauth ${password}`];
  const primary = await startOwnRedis({ password, lines: auth });
  const { port } = new URL(primary.url);
  const replica = await startOwnRedis({
    password,
    lines: [...auth, `replicaof 127.0.0.1 ${port}`, 'repl-diskless-sync-delay 0'],
  });
  await replicates(replica.url);
  const watch = [
    `sentinel monitor pushes 127.0.0.1 ${port} 2`,
    `sentinel auth-pass pushes ${password}`,
    'sentinel down-after-milliseconds pushes 1000',
    'sentinel failover-timeout pushes 5000',
  ];
  const sentinels = await Promise.all(
    [1, 2, 3].map(() => startOwnRedis({ password, sentinel: true, lines: watch })),
  );
  await Promise.all(sentinels.map(({ url }) => knowsAll(url)));
  return toFleet([primary, replica, ...sentinels], {
    REDIS_SENTINELS: toAddresses(sentinels),
    REDIS_SENTINEL_NAME: 'pushes',
    REDIS_SENTINEL_PASSWORD: password,
    REDIS_PASSWORD: password,
  });
}

/** Three primaries that share the slots among themselves. */
export async function startRedisCluster(): Promise<RedisFleet> {
  const password = newPassword();
  const servers = await Promise.all(
    [1, 2, 3].map(async () =>
      startOwnRedis({
        password,
        lines: [
          'cluster-enabled yes',
          `cluster-port ${await findFreePort()}`,
          'cluster-node-timeout 2000',
        ],
      }),
    ),
  );
  const clients = servers.map(({ url }) => new Redis(url));
  try {
    for (const [n, client] of clients.entries()) {
      const [first, last] = [Math.floor((16_384 * n) / 3), Math.floor((16_384 * (n + 1)) / 3) - 1];
      await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1);
    }
    for (const { url } of servers.slice(1)) {
      const busPort = await busPortOf(url);
      await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', new URL(url).port, busPort);
    }
    await Promise.all(
      clients.map((client) =>
        eventually(async () => {
          expect(await client.cluster('INFO')).toContain('cluster_state:ok');
        }),
      ),
    );
  } finally {
    clients.forEach((client) => client.disconnect());
  }
  return toFleet(servers, {
    // The others are found through it.
    REDIS_CLUSTER_NODES: toAddresses(servers.slice(0, 1)),
    REDIS_PASSWORD: password,
  });
}

/** One Redis that speaks TLS, and asks for a certificate of the client as well. */
export async function startTlsRedis(): Promise<
  RedisFleet & { readonly caPem: string; readonly certPem: string; readonly keyPem: string }
> {
  const authority = createAuthority(new Date());
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const password = newPassword();
  const port = await findFreePort();
  const server = await startOwnRedis({
    password,
    files: { 'ca.pem': authority.caPem, 'cert.pem': certPem, 'key.pem': keyPem },
    lines: [
      `tls-port ${port}`,
      'tls-cert-file cert.pem',
      'tls-key-file key.pem',
      'tls-ca-cert-file ca.pem',
      'tls-auth-clients yes',
    ],
  });
  const fleet = toFleet([server], {
    REDIS_URL: `rediss://127.0.0.1:${port}`,
    REDIS_PASSWORD: password,
  });
  return { ...fleet, caPem: authority.caPem, certPem, keyPem };
}

function toFleet(servers: readonly OwnServer[], env: RedisFleet['env']): RedisFleet {
  return {
    env,
    servers,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

function toAddresses(servers: readonly OwnServer[]): string {
  return servers.map(({ url }) => new URL(url).host).join(',');
}

const newPassword = () => randomBytes(18).toString('base64url');

async function replicates(url: string): Promise<void> {
  await asking(url, async (client) => {
    expect(await client.info('replication')).toContain('master_link_status:up');
  });
}

/** The sentinel knows the replica and the two other sentinels: before that, a dead primary is not replaced. */
async function knowsAll(url: string): Promise<void> {
  await asking(url, async (client) => {
    const info = await client.info('sentinel');
    expect(info).toContain('status=ok');
    expect(info).toContain('slaves=1,sentinels=3');
  });
}

async function asking(url: string, ask: (client: Redis) => Promise<void>): Promise<void> {
  const client = new Redis(url);
  try {
    await eventually(() => ask(client));
  } finally {
    client.disconnect();
  }
}

async function busPortOf(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    const [, port] = (await client.call('CONFIG', 'GET', 'cluster-port')) as string[];
    return port ?? '';
  } finally {
    client.disconnect();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
