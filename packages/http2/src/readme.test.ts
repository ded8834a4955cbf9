import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';

import { connectHttp2, RequestTemplate, type RequestEnd } from './index.ts';
import { IDENTITY, TestServers } from './test-servers.ts';

const servers = new TestServers();

afterEach(() => servers.close());

async function example(
  host: string,
  port: number,
  secureContext: SecureContext,
  resolve: (end: RequestEnd) => void,
  log: (...said: readonly unknown[]) => void,
) {
  const connection = await connectHttp2({
    host,
    port,
    secureContext,
    timeoutMs: 10_000,
    maxStreams: 1000,
    events: {
      onCapacity: () => log('there is room for', connection.capacity),
      onGoaway: ({ code, debug }) => log('it wants to close:', code, debug),
      onClose: (reason) => log('closed:', reason),
    },
  });
  const template = new RequestTemplate({
    method: 'POST',
    authority: host,
    shared: [['apns-topic', 'com.example.app']],
    secret: [['authorization', 'bearer some']],
  });
  connection.request({
    template,
    path: '/3/device/00ff',
    fields: [['apns-id', '7a3a7a0e-1c0b-4a52-9d43-2a3b4c5d6e7f']],
    body: '{"aps":{"alert":"Hello"}}',
    deadlineMs: 10_000,
    onEnd: (end) => resolve(end),
  });
  return connection;
}

describe('the README', () => {
  test('has an example that stands here', () => {
    const readme = readFileSync(path.join(__dirname, '../README.md'), 'utf8');
    const [, shown = ''] = /```ts\n([^]*?)```/.exec(readme) ?? [];
    const indented = shown.trim().replaceAll(/^(?=.)/gm, '  ');

    expect(readFileSync(__filename, 'utf8')).toContain(`${indented}\n`);
  });

  test('has an example that works', async () => {
    const log = jest.fn();
    const { port } = await servers.node((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('{}');
    });
    const secureContext = createSecureContext({ ca: IDENTITY.ca });

    const ends: RequestEnd[] = [];
    const connection = await example(
      '127.0.0.1',
      port,
      secureContext,
      (end) => ends.push(end),
      log,
    );
    await connection.drain(60_000);

    expect(ends).toMatchObject([{ kind: 'answered', status: 200, body: Buffer.from('{}') }]);
    expect(log.mock.calls).toEqual([['closed:', 'closing']]);
  });
});
