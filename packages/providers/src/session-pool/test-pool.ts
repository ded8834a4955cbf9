import { openWire, type Wire } from '../test-fixtures.ts';
import { SessionPool, type SessionPoolOptions } from './session-pool.ts';
import {
  createTestCertificate,
  openRawServer,
  openTestServer,
  type RawServer,
  type TestCertificate,
  type TestServer,
} from './test-server.ts';

/** Nothing waits for longer than a moment, and connections may follow each other as they like. */
export const QUICK = { burst: 100, perSecond: 100, backoffMs: 20, maxBackoffMs: 20 };
/** Once it fails it is not tried again during a test. */
export const STRICT = { burst: 100, perSecond: 100, backoffMs: 600_000, maxBackoffMs: 600_000 };

const LOG = { info: () => undefined, warn: () => undefined };

/** What a test opens, and how it is closed after it. */
export interface PoolTests {
  readonly openServer: (maxConcurrentStreams?: number) => Promise<TestServer>;
  /** Between the pool and a server. */
  readonly openWire: (target?: URL, port?: number) => Promise<Wire>;
  /** A server that says these bytes (hex) to whoever connects, and nothing else. */
  readonly openRawServer: (bytes: string) => Promise<RawServer>;
  readonly openPool: (
    options: Partial<SessionPoolOptions> & Pick<SessionPoolOptions, 'url'>,
  ) => SessionPool;
}

/** For the top of a test file. */
export function usePoolTests(): PoolTests {
  let certificate: TestCertificate;
  const opened: { close(): Promise<unknown> }[] = [];

  function opens<T extends { close(): Promise<unknown> }>(resource: T): T {
    opened.push(resource);
    return resource;
  }

  beforeAll(async () => {
    certificate = await createTestCertificate();
  });
  afterEach(async () => {
    for (const resource of opened.splice(0).toReversed()) await resource.close();
  });

  return {
    openServer: async (maxConcurrentStreams = 100) =>
      opens(await openTestServer({ certificate, maxConcurrentStreams })),
    openWire: async (target, port) => opens(await openWire(target?.href, port)),
    openRawServer: async (bytes) => opens(await openRawServer(certificate, bytes)),
    openPool: (options) => {
      const pool = new SessionPool({
        secureContext: certificate.trust,
        maxSessions: 1,
        log: LOG,
        connectLimits: QUICK,
        // Server and client share the process here: it is busy whatever the pool does.
        busyShare: Number.POSITIVE_INFINITY,
        ...options,
      });
      // A test may leave requests without an answer.
      opens({ close: async () => (pool.abandon(), await pool.close()) });
      return pool;
    },
  };
}
