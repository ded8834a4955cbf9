import { randomBytes } from 'node:crypto';

import { createSecretBox } from '@heliograph/core';
import { resealColumn, SEALED_COLUMNS } from '@heliograph/db';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { makeDeveloperKey, makeReceiver, pushTo } from '../../../test/signed-request.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

describe('a developer secret that is sealed with a key which this api lacks', () => {
  test('has signed pushes answered with 503: the signature is not what is wrong', async () => {
    const key = await makeDeveloperKey(api);
    const userId = await makeReceiver(api, key);
    const next = createSecretBox(randomBytes(32), [api.backing.key]);
    for (const column of SEALED_COLUMNS) await resealColumn(api.db, next, column);

    const answer = await pushTo(api, key, userId, {});

    expect(answer).toMatchObject({ status: 503, body: { error: { status: 503, code: 50300 } } });
    expect(answer.text).not.toContain(next.sealingKeyId);
  });
});
