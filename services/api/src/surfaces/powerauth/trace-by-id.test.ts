import { randomUUID } from 'node:crypto';

import { claimDue, insertMessages, recordUpdates } from '@heliograph/db';
import { findAppId, makeApp, makeDevice, toMessage, toSentUpdate } from '@heliograph/testing';

import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

interface Traced {
  readonly deliveries: readonly { readonly deliveryId: string }[];
  readonly searched?: { readonly acceptedFrom: string };
}

function toBody({ text }: Answer): Traced {
  const { responseObject } = JSON.parse(text) as { responseObject: Traced };
  return responseObject;
}

const idsIn = (answer: Answer) => toBody(answer).deliveries.map(({ deliveryId }) => deliveryId);

describe('GET /push/delivery/list', () => {
  test('shows every delivery of a message, by the id of that or of one of them', async () => {
    const appRef = await makeApp(api.db);
    const { userId } = await makeDevice(api.db, appRef);
    await makeDevice(api.db, appRef, { userId });
    const message = toMessage(appRef, userId);
    const stored = await insertMessages(api.db, [message, toMessage(appRef, userId)]);
    const ids = stored.filter(({ messageId }) => messageId === message.id).map(({ id }) => id);

    const byMessage = await api.get(`/push/delivery/list?messageId=${message.id}`);
    const byDelivery = await api.get(`/push/delivery/list?messageId=${ids[0]?.toUpperCase()}`);

    expect(byMessage.body.responseObject.deliveries).toHaveLength(2);
    expect(idsIn(byMessage).toSorted()).toEqual(ids.toSorted());
    expect(byDelivery.text).toBe(byMessage.text);
  });

  test('finds a push by what the provider called it, whole or its last part', async () => {
    const appRef = await makeApp(api.db);
    const { userId } = await makeDevice(api.db, appRef, { provider: 'fcm' });
    const message = toMessage(appRef, userId);
    const [stored] = await insertMessages(api.db, [message]);
    const [claimed] = await claimDue(api.db, [stored?.id ?? ''], 60_000);
    const last = `0:${(Date.now() + 300) * 1000}%31bd1c9631bd1c96`;
    const whole = `projects/my-app/messages/${last}`;
    const sent = toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0);
    await recordUpdates(api.db, [{ ...sent, providerMessageId: whole }]);
    const find = (id: string) =>
      api.get(`/push/delivery/list?providerMessageId=${encodeURIComponent(id)}`);

    const byWhole = await find(whole);
    const byLast = await find(last);
    const byApns = await find(stored?.id ?? '');

    expect([byWhole, byLast, byApns].map(idsIn)).toEqual([
      [stored?.id],
      [stored?.id],
      [stored?.id],
    ]);
    expect(toBody(byWhole).searched).toEqual({
      acceptedFrom: expect.any(String),
      acceptedUntil: expect.any(String),
      campaigns: false,
    });
  });

  test('says where it looked for an id of FCM that it does not find, and shows none of another app', async () => {
    const other = await findAppId(api.db, await makeApp(api.db));
    const id = `projects/my-app/messages/0:${Date.now() * 1000}%abcdef`;

    const found = await api.get(
      `/push/delivery/list?${new URLSearchParams({ providerMessageId: id, appId: other })}`,
    );

    const { deliveries, searched } = toBody(found);
    expect(deliveries).toEqual([]);
    expect(Date.parse(searched?.acceptedFrom ?? '')).toBeLessThan(Date.now() - 86_000_000);
  });

  test.each([
    'providerMessageId=nonsense',
    `messageId=${randomUUID()}&userId=a`,
    'messageId=nonsense',
  ])('refuses %s', async (query) => {
    expect((await api.get(`/push/delivery/list?${query}`)).status).toBe(400);
  });
});
