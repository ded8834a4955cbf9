import type { ServerHttp2Session } from 'node:http2';

import { eventually } from '@heliograph/testing';

import type { RequestEnd } from './request.ts';
import { TestServers, trySend, type Probe } from './test-servers.ts';

const REQUESTS = 20_000;
const CONNECTIONS = 3;
const MAX_STREAMS = 100;
const SLOW_MS = 200;

const servers = new TestServers();

afterEach(() => servers.close());

/** Every hundredth request is reset, every hundredth makes the server go away, and every hundredth is answered late. */
async function startTroublesome() {
  const answered = new Map<string, number>();
  const last = new WeakMap<ServerHttp2Session, number>();
  let seen = 0;
  const { port } = await servers.node((stream, path) => {
    const session = stream.session as ServerHttp2Session;
    // node goes on with what came after its GOAWAY; a server keeps its word.
    if ((stream.id ?? 0) > (last.get(session) ?? Infinity)) return stream.close();
    seen += 1;
    if (seen % 100 === 50) return stream.close(seen % 14);
    if (seen % 100 === 75) {
      last.set(session, Math.min(stream.id ?? 0, last.get(session) ?? Infinity));
      session.goaway(0, last.get(session));
      // Else node keeps its socket for ever.
      session.close();
    }
    answered.set(path, (answered.get(path) ?? 0) + 1);
    const answer = () => {
      stream.respond({ ':status': 200 });
      stream.end(path);
    };
    if (seen % 100 === 25) setTimeout(answer, SLOW_MS);
    else answer();
  });
  return { port, answered };
}

/** Keeps so many connections in use, and sends again what was not processed. */
class Pool {
  readonly ends = new Map<string, RequestEnd>();
  readonly tries = new Map<string, number>();
  readonly #waiting: string[];
  readonly #port: number;
  readonly #closed: Promise<string>[] = [];
  opened = 0;
  told = 0;
  unprocessed: string[] = [];

  constructor(port: number, paths: readonly string[]) {
    this.#port = port;
    this.#waiting = paths.toReversed();
  }

  async run(total: number): Promise<void> {
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (this.ends.size < total) await this.#use(await this.#open());
      }),
    );
    await Promise.all(this.#closed);
  }

  async #open(): Promise<Probe> {
    this.opened += 1;
    const probe = await servers.connect(this.#port, { maxStreams: MAX_STREAMS });
    this.#closed.push(probe.closed);
    return probe;
  }

  /** Until it takes no more, or everything has ended. */
  async #use(probe: Probe): Promise<void> {
    const { connection } = probe;
    while (connection.state === 'open') {
      const path = connection.capacity > 0 ? this.#waiting.pop() : undefined;
      if (path !== undefined) {
        this.#send(connection, path);
        continue;
      }
      if (connection.inFlight === 0 && this.#waiting.length === 0) await connection.drain(1_000);
      else await Promise.race([probe.closed, new Promise((resolve) => setImmediate(resolve))]);
    }
  }

  #send(connection: Probe['connection'], path: string): void {
    const attempt = (this.tries.get(path) ?? 0) + 1;
    this.tries.set(path, attempt);
    trySend(connection, {
      path: `${path}/${attempt}`,
      onEnd: (end) => {
        this.told += 1;
        if (end.kind !== 'unprocessed') return this.ends.set(path, end);
        this.unprocessed.push(`${path}/${attempt}`);
        return this.#waiting.push(path);
      },
    });
  }
}

/** Of the kinds that connections have. */
function countHandles() {
  const kinds = process.getActiveResourcesInfo();
  const count = (kind: string) => kinds.filter((it) => it === kind).length;
  return { sockets: count('TCPSocketWrap'), timers: count('Timeout') };
}

test('20,000 requests through GOAWAYs, resets and late answers have one end each, and leave nothing behind', async () => {
  const { port, answered } = await startTroublesome();
  const before = countHandles();
  const paths = Array.from({ length: REQUESTS }, (_, i) => `/${i}`);
  const pool = new Pool(port, paths);

  await pool.run(REQUESTS);

  const kinds = { answered: 0, ambiguous: 0, unprocessed: 0 };
  for (const end of pool.ends.values()) kinds[end.kind] += 1;
  expect(kinds.answered + kinds.ambiguous).toBe(REQUESTS);
  expect(kinds.answered).toBeGreaterThan(REQUESTS * 0.9);
  expect(pool.opened).toBeGreaterThan(REQUESTS / 200);
  // One end for each that was taken, and none of those called unprocessed was answered by the server.
  const tries = [...pool.tries.values()].reduce((sum, attempts) => sum + attempts, 0);
  expect(pool.told).toBe(tries);
  expect(pool.unprocessed.filter((path) => answered.has(path))).toEqual([]);
  expect([...answered.values()].filter((times) => times !== 1)).toEqual([]);
  await eventually(() => {
    const { sockets, timers } = countHandles();
    // Those of other tests in this process may have gone meanwhile.
    expect(sockets).toBeLessThanOrEqual(before.sockets);
    expect(timers).toBeLessThanOrEqual(before.timers);
  });
}, 120_000);
