import type { EnvReader } from '@heliograph/runtime';

/** PEM. Without `ca` the public authorities are trusted. */
export interface RedisTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

interface RedisAccess {
  /** Undefined where the connection is not encrypted, and where the URL says by itself that it is. */
  readonly tls?: RedisTls | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Where Redis is: one server, whichever server the sentinels call primary, or a cluster. */
export type RedisTarget = RedisAccess &
  (
    | { readonly kind: 'single'; readonly url: string }
    | {
        readonly kind: 'sentinel';
        readonly sentinels: readonly RedisAddress[];
        /** What the sentinels call the primary that they watch. */
        readonly name: string;
        readonly sentinelUsername?: string | undefined;
        readonly sentinelPassword?: string | undefined;
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }
  );

export interface RedisSettings {
  readonly target: RedisTarget;
  /** Every key and channel of ours begins with it. */
  readonly prefix: string;
}

export const DEFAULT_PREFIX = 'heliograph';
/** In a cluster, what is in braces decides the slot: so all keys of ours are in one, as scripts over several keys need it. */
const HASH_TAG = /\{[^{}]+\}/;

/** Exactly one of `REDIS_URL`, `REDIS_SENTINELS` and `REDIS_CLUSTER_NODES`, and what goes with it. */
export function readRedisSettings(read: EnvReader): RedisSettings {
  const target = readTarget(read);
  if (target.kind !== 'cluster')
    return { target, prefix: read.str('QUEUE_PREFIX', DEFAULT_PREFIX) };

  const prefix = read.str('QUEUE_PREFIX', `{${DEFAULT_PREFIX}}`);
  if (!HASH_TAG.test(prefix))
    read.refuse('QUEUE_PREFIX needs a hash tag in a cluster, such as {heliograph}');
  return { target, prefix };
}

function readTarget(read: EnvReader): RedisTarget {
  const sentinels = read.optional('REDIS_SENTINELS');
  const nodes = read.optional('REDIS_CLUSTER_NODES');
  const url = read.optional('REDIS_URL');
  if ([sentinels, nodes, url].filter((one) => one !== undefined).length > 1)
    read.refuse('only one of REDIS_URL, REDIS_SENTINELS and REDIS_CLUSTER_NODES may be set');

  const access = readAccess(read, url);
  if (sentinels !== undefined)
    return {
      ...access,
      kind: 'sentinel',
      sentinels: readAddresses(read, 'REDIS_SENTINELS', sentinels),
      name: read.str('REDIS_SENTINEL_NAME'),
      sentinelUsername: read.optional('REDIS_SENTINEL_USERNAME'),
      sentinelPassword: read.secret('REDIS_SENTINEL_PASSWORD'),
    };
  if (nodes !== undefined)
    return {
      ...access,
      kind: 'cluster',
      nodes: readAddresses(read, 'REDIS_CLUSTER_NODES', nodes),
    };
  return { tls: access.tls, kind: 'single', url: withAccess(read.url('REDIS_URL'), access) };
}

/** What is given beside a URL wins over what stands in it. */
function withAccess(given: string, { username, password }: RedisAccess): string {
  if (!URL.canParse(given)) return given;
  const url = new URL(given);
  if (username !== undefined) url.username = encodeURIComponent(username);
  if (password !== undefined) url.password = encodeURIComponent(password);
  return username === undefined && password === undefined ? given : url.href;
}

function readAccess(read: EnvReader, url: string | undefined): RedisAccess {
  return {
    tls: readTls(read, url),
    username: read.optional('REDIS_USERNAME'),
    password: read.secret('REDIS_PASSWORD'),
  };
}

function readTls(read: EnvReader, url: string | undefined): RedisTls | undefined {
  const asked = read.bool('REDIS_TLS', url?.startsWith('rediss:') ?? false);
  const pem = {
    ca: read.optionalFile('REDIS_CA_FILE')?.toString('utf8'),
    cert: read.optionalFile('REDIS_CERT_FILE')?.toString('utf8'),
    key: read.optionalFile('REDIS_KEY_FILE')?.toString('utf8'),
  };
  if ((pem.cert === undefined) !== (pem.key === undefined))
    read.refuse('REDIS_CERT_FILE and REDIS_KEY_FILE come together');
  // Whoever names an authority believes that the connection is encrypted.
  if (!asked && Object.values(pem).some((one) => one !== undefined))
    read.refuse('REDIS_CA_FILE and REDIS_CERT_FILE need rediss:// in REDIS_URL, or REDIS_TLS=true');
  if (url !== undefined && asked !== url.startsWith('rediss:'))
    read.refuse('REDIS_TLS says otherwise than REDIS_URL: write redis:// or rediss://');
  return asked ? pem : undefined;
}

const ADDRESS = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/;

/** Comma-separated: host:port, [::1]:port. */
function readAddresses(read: EnvReader, name: string, value: string): readonly RedisAddress[] {
  return value.split(',').map((text) => {
    const { v6, name: host, port } = ADDRESS.exec(text.trim())?.groups ?? {};
    const address = { host: v6 ?? host ?? '', port: Number(port ?? 0) };
    if (address.host === '' || address.port < 1 || address.port > 65_535)
      read.refuse(`${name} must be host:port, separated by commas`);
    return address;
  });
}
