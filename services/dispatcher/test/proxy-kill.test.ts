import { eventually, makeDevice } from '@heliograph/testing';
import { sql } from 'kysely';

import { openStack, type Stack } from './stack.ts';

jest.setTimeout(180_000);

const TOKEN = 'a-phone-behind-a-proxy';

async function proxyIphones(stack: Stack): Promise<void> {
  const api = await stack.startApi();
  const { certificateBase64, privateKeyBase64 } = stack.sandbox.credentials.proxy;
  const files = { certificateBase64, privateKeyBase64 };
  const url = stack.sandbox.proxyUrl;
  await stack.call(api, 'PUT', '/admin/app/proxy', { appId: 1, platform: 'ios', url, ...files });
}

/** The statements that wait for a delivery's row that another transaction holds. */
const WAITING = sql`FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE deliveries%'`;

describe('kill -9 of a dispatcher after the proxy took a push and before that was recorded', () => {
  test('repeats the push under the same idempotency-key, which the customer knows it by', async () => {
    const stack = await openStack();
    try {
      await stack.makeSendingApp();
      await proxyIphones(stack);
      await makeDevice(stack.db, 1, { userId: 'user', pushToken: TOKEN });
      // Time to lock the row between the claim and the answer.
      stack.sandbox.script('proxy', TOKEN, [{ kind: 'accept', delayMs: 1_000 }]);
      const api = await stack.startApi();
      const victim = await stack.startDispatcher();
      const messageIds = await stack.post(api, ['user']);
      await stack.sandbox.waitFor(1, { token: TOKEN });

      await stack.db.transaction().execute(async (tx) => {
        await tx
          .selectFrom('deliveries')
          .select('id')
          .where('messageId', 'in', messageIds)
          .forUpdate()
          .execute();
        // It has the answer, and can't record it.
        await eventually(async () =>
          expect((await sql`SELECT pid ${WAITING}`.execute(stack.db)).rows).toHaveLength(1),
        );
        victim.kill('SIGKILL');
        await victim.exited;
        // PostgreSQL would carry out for the dead what they asked for.
        await sql`SELECT pg_terminate_backend(pid) ${WAITING}`.execute(stack.db);
      });
      await stack.startDispatcher();
      await stack.settled(messageIds);

      const [first, second, ...others] = stack.sandbox.received({ token: TOKEN });
      expect(others).toEqual([]);
      expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
      expect(second?.headers['x-request-id']).not.toBe(first?.headers['x-request-id']);
      expect(second?.body).toEqual(first?.body);
      expect(await stack.countSent(messageIds)).toBe(1);
    } finally {
      await stack.close();
    }
  });
});
