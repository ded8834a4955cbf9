import { randomUUID } from 'node:crypto';

import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

test('a dispatcher sends to FCM with the access token that another one fetched', async () => {
  const app = await rig.makeSendingApp();
  const first = await rig.device(app, { provider: 'fcm', pushToken: randomUUID() });
  const second = await rig.device(app, { provider: 'fcm', pushToken: randomUUID() });
  rig.sandbox.script('google-token', '', [
    { kind: 'accept' },
    { kind: 'refuse', reason: 'invalid_grant', times: 'always' },
  ]);
  const one = rig.start();
  await rig.finished(await rig.post(app, first.userId));
  await one.close();

  rig.start();
  const deliveries = await rig.finished(await rig.post(app, second.userId));

  expect(deliveries).toMatchObject([{ state: 'sent', attempts: 1 }]);
});
