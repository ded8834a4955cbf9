import { once } from 'node:events';
import { connect } from 'node:net';

import { openServer } from './server.ts';

describe('a server that closes', () => {
  test('answers the requests under way', async () => {
    let answer = () => {};
    let arrived = () => {};
    const underWay = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const listener = (_req: unknown, res: { end(text: string): unknown }) => {
      answer = () => res.end('answered');
      arrived();
    };
    const server = await openServer(listener, { host: '127.0.0.1', port: 0 });

    const asking = fetch(`http://127.0.0.1:${server.port}/`);
    await underWay;
    const closing = server.close();
    answer();
    const text = await (await asking).text();
    await closing;

    expect(text).toBe('answered');
  });

  test('waits for no connection that has said nothing yet', async () => {
    const server = await openServer(() => undefined, { host: '127.0.0.1', port: 0 });
    const client = connect(server.port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');

    await server.close();

    client.destroy();
  });
});
