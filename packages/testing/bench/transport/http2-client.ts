import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';

import { toProviderToken } from '../provider-token.ts';
import type { PushClient, PushTarget } from './push-client.ts';

/** `node:http2` as it is: the yardstick. */
export async function openHttp2Client(target: PushTarget): Promise<PushClient> {
  const session = connect(target.url, {
    ca: readFileSync(target.caFile),
    settings: { enablePush: false },
  });
  await once(session, 'remoteSettings');
  const headers = {
    ':method': 'POST',
    ...target.headers,
    authorization: `bearer ${toProviderToken(target.credentials)}`,
  };

  return {
    send(pushToken, apnsId, onStatus) {
      const stream = session.request({
        ...headers,
        ':path': `/3/device/${pushToken}`,
        'apns-id': apnsId,
      });
      let status = 0;
      stream.on('response', (answer) => {
        status = answer[':status'] ?? 0;
      });
      stream.on('error', () => {
        status = 0;
      });
      stream.on('close', () => onStatus(status));
      stream.resume();
      stream.end(target.body);
      return true;
    },
    onRoom: () => undefined,
    close: () => session.close(),
  };
}
