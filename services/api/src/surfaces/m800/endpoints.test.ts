import { Ajv2020 } from 'ajv/dist/2020.js';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import {
  callSigned,
  makeDeveloperKey,
  makeReceiver,
  pushTo,
  type TestKey,
} from '../../../test/signed-request.ts';
import { M800_ENDPOINTS, M800_ERROR_ANSWER } from './endpoints.ts';

let api: TestApi;
let key: TestKey;

beforeAll(async () => {
  api = await openTestApi();
  key = await makeDeveloperKey(api);
});
afterAll(() => api.close());

const ask = (path: string) => callSigned(api, key, { method: 'GET', path });

/** What the answer has that the schema does not name, or the other way round. */
function findMismatch(schema: object, answer: unknown): unknown {
  // Closed, so that a field which is not described is found.
  const closed = JSON.parse(
    JSON.stringify(schema).replaceAll(
      '"type":"object"',
      '"type":"object","additionalProperties":false',
    ),
  ) as object;
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(closed);
  return validate(answer) ? undefined : validate.errors;
}

test('the description of signed pushes is what they answer', async () => {
  const [push, request] = M800_ENDPOINTS;
  const userId = await makeReceiver(api, key);

  const pushed = await pushTo(api, key, userId);
  const asked = await ask(`/api/1.0/push/requests/${pushed.body.requestId}`);
  const refused = await ask('/api/1.0/push/requests/nothing');

  expect(findMismatch(push?.answer ?? {}, pushed.body)).toBeUndefined();
  expect(findMismatch(request?.answer ?? {}, asked.body)).toBeUndefined();
  expect(asked.body).toHaveProperty('push.deliveries.0.state');
  expect(findMismatch(M800_ERROR_ANSWER, refused.body)).toBeUndefined();
  expect(refused.status).toBe(404);
});
