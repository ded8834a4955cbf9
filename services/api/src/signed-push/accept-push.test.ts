import { randomUUID } from 'node:crypto';

import { findSigningKey, insertDeveloperKey } from '@heliograph/db';
import { makeApp, makeCallback, makeDevice, useTestDatabase } from '@heliograph/testing';

import { AUDIENCES, listToldTypes } from '../../test/told-callbacks.ts';
import { createMessageAcceptor } from '../messages/accept-messages.ts';
import { acceptPush } from './accept-push.ts';

const database = useTestDatabase({ poolSize: 4 });

async function makeKey(appRef: number) {
  const developerKey = randomUUID();
  const secret = { id: randomUUID(), sealedSecret: Buffer.from('sealed') };
  const key = { developerKey, appRef, name: 'test', carriers: ['acme'] };
  await insertDeveloperKey(database.db, key, secret);
  const made = await findSigningKey(database.db, developerKey);
  if (made === undefined) throw new Error('the key is not there');
  return made;
}

describe('accepting a signed push', () => {
  test.each(AUDIENCES)(
    'tells callbacks what can not be sent at all, %s',
    async (_name, { hasCallback, listens, isTold }) => {
      const { db } = database;
      const appRef = await makeApp(db, ['fcm']);
      const { userId } = await makeDevice(db, appRef, { provider: 'apns' });
      if (hasCallback) await makeCallback(db, appRef);
      const lane = {
        announce: () => Promise.resolve(true),
        room: () => Promise.resolve(1),
        close: () => Promise.resolve(),
      };
      const audience = { listensTo: (app: number) => listens && app === appRef };
      const acceptor = createMessageAcceptor({ db, lane, audience });

      const answer = await acceptPush(
        { db, acceptor, fcm: {}, now: () => new Date(), announceInbox: () => undefined },
        {
          key: await makeKey(appRef),
          nonce: randomUUID(),
          userId,
          carrier: 'acme',
          content: 'Hello there',
          pushContent: 'Knock',
          sender: undefined,
        },
      );

      expect(answer.kind).toBe('accepted');
      expect(await listToldTypes(db, appRef)).toEqual(isTold ? ['delivery.skipped'] : []);
      await acceptor.close();
    },
  );
});
