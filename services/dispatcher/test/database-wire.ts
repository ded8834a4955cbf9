import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What becomes of the next commit that comes along. */
export type CommitFault =
  /** It never gets to the server, and the connection ends. */
  | 'lost'
  /** The server has committed, and the connection ends before it can say so. */
  | 'cut'
  /** The server has committed, and what it says is kept back. */
  | 'held';

/** Passes bytes between a client of PostgreSQL and the server. */
export interface DatabaseWire {
  /** The database's URL by this wire. */
  readonly url: string;
  /** Resolves once the fault has happened; where the server was to commit, it has. */
  next(fault: CommitFault): Promise<void>;
  close(): Promise<void>;
}

const COMMIT = Buffer.from('commit\0');

export async function openDatabaseWire(databaseUrl: string): Promise<DatabaseWire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed: { readonly fault: CommitFault; readonly done: () => void } | undefined;

  const server = createServer((client) => {
    const onward = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    onward.pipe(client);
    client.on('data', (bytes: Buffer) => {
      if (armed === undefined || !bytes.includes(COMMIT)) return void onward.write(bytes);
      const { fault, done } = armed;
      armed = undefined;
      if (fault === 'lost') {
        client.destroy();
        return done();
      }
      onward.unpipe(client);
      onward.write(bytes);
      onward.once('data', () => {
        if (fault === 'cut') client.destroy();
        done();
      });
      // Nobody reads it since it was unpiped.
      onward.resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    next: (fault) =>
      new Promise((resolve) => {
        armed = { fault, done: resolve };
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
