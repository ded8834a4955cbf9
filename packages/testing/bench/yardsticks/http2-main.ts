import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';

import { toDevice } from '../devices.ts';
import { toProviderToken } from '../provider-token.ts';
import type { Http2Result, Http2Task } from './http2.ts';

const MAX_IN_FLIGHT = 500;

/** The least that a push costs over `node:http2`: one connection, and no ledger, queue, retry or deadline. */
process.on('message', (task: Http2Task) => {
  void run(task).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.({ type: 'ready' });

async function run(task: Http2Task): Promise<Http2Result> {
  const session = connect(task.url, {
    ca: readFileSync(task.caFile),
    peerMaxConcurrentStreams: 1,
    settings: { enablePush: false },
  });
  await once(session, 'remoteSettings');
  const send = createSender(session, task);
  // APNs allows one stream until it has answered a push with a valid token.
  if ((await send()) !== 200) return { seconds: 0, refused: 1, cpuMicros: 0 };
  if (session.remoteSettings.maxConcurrentStreams === 1) await once(session, 'remoteSettings');

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const refused = await sendAll(session, task.pushes, send);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  session.close();
  return { seconds, refused, cpuMicros: user + system };
}

async function sendAll(
  session: ClientHttp2Session,
  pushes: number,
  send: () => Promise<number>,
): Promise<number> {
  const allowed = session.remoteSettings.maxConcurrentStreams ?? MAX_IN_FLIGHT;
  let left = pushes;
  let refused = 0;
  const keepSending = async () => {
    while (left > 0) {
      left -= 1;
      if ((await send()) !== 200) refused += 1;
    }
  };
  const senders = Array.from({ length: Math.min(MAX_IN_FLIGHT, allowed) }, keepSending);
  await Promise.all(senders);
  return refused;
}

function createSender(
  session: ClientHttp2Session,
  { credentials, push, devices }: Http2Task,
): () => Promise<number> {
  const headers = {
    ...push.headers,
    ':method': 'POST',
    authorization: `bearer ${toProviderToken(credentials)}`,
  };
  const body = JSON.stringify(push.body);
  let device = 0;

  return () =>
    new Promise((resolve, reject) => {
      device = (device + 2) % devices;
      const stream = session.request({
        ...headers,
        ':path': `/3/device/${toDevice(device).pushToken}`,
        'apns-id': randomUUID(),
      });
      let status = 0;
      stream.on('response', (answer) => {
        status = answer[':status'] ?? 0;
      });
      stream.on('end', () => resolve(status));
      stream.on('error', reject);
      stream.resume();
      stream.end(body);
    });
}
