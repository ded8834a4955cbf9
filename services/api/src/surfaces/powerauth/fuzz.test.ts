import type { TSchema } from '@sinclair/typebox';
import fc from 'fast-check';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { ENDPOINTS } from './endpoints.ts';

const RUNS = 60;
const KEY = Buffer.from('a key').toString('base64');

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({ syncWaitMs: 0 });
  for (const appId of ['1', 'app']) {
    await api.post('/admin/app/create', { appId });
    await api.post('/admin/app/android/update', { appId, projectId: 'p', privateKeyBase64: KEY });
    const apns = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: KEY };
    await api.post('/admin/app/ios/update', { appId, ...apns });
  }
  // The paths below name it: a database's first campaign is number 1.
  await api.post('/push/campaign/create', { appId: 1, message: {} });
});
afterAll(() => api.close());

/** Strings that somebody's parser, database or log once stumbled over. */
const NASTY = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\udfffx',
  '__proto__',
  "'; --",
  '-1',
  '1e999',
  '9'.repeat(30),
  '\u202e',
  'x'.repeat(5000),
];

/** Values that lead past the first checks: what exists in the database, in every endpoint's spelling. */
const KNOWN: Record<string, fc.Arbitrary<unknown>> = {
  appId: fc.constantFrom<unknown>(1, '1', 'app', 'unknown'),
  id: fc.constantFrom<unknown>(1, 2, '2', 999),
  userId: fc.constantFrom('u1', 'u2'),
  activationId: fc.constantFrom('a1', 'a2', 'a3'),
  token: fc.constantFrom('t1', 't2', 'ü'.repeat(100)),
  validUntil: fc.constantFrom<unknown>(
    '2099-01-01T00:00:00Z',
    4_000_000_000.5,
    '2017-01-01T00:00:00+0000',
  ),
  privateKeyBase64: fc.constantFrom(KEY, ''),
  startAt: fc.constantFrom<unknown>('2020-01-01T00:00:00Z', 1_700_000_000, '9999-01-01T00:00:00Z'),
  runId: fc.constantFrom('00000000-0000-7000-8000-000000000000', 'x'),
  applications: fc.constantFrom(['app'], ['app', 'app'], ['unknown']),
  inboxId: fc.constantFrom('00000000-0000-4000-8000-000000000000', 'x'),
  extras: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
};

function valueOf(schema: TSchema, name = ''): fc.Arbitrary<unknown> {
  const known = KNOWN[name];
  if (known !== undefined) return known;
  if (schema['enum'] !== undefined) return fc.constantFrom<unknown>(...schema['enum']);
  switch (schema['type']) {
    case 'object':
      return fc.record(
        Object.fromEntries(
          Object.entries<TSchema>(schema['properties'] ?? {}).map(([key, property]) => [
            key,
            valueOf(property, key),
          ]),
        ),
        { requiredKeys: schema['required'] ?? [] },
      );
    case 'array':
      return fc.array(valueOf(schema['items'], name === 'activationIds' ? 'activationId' : ''), {
        minLength: schema['minItems'] ?? 0,
        maxLength: 4,
      });
    case 'integer':
      return fc.integer();
    case 'number':
      return fc.oneof(fc.double(), fc.double({ min: 0, max: 100 }));
    case 'boolean':
      return fc.boolean();
    default:
      return fc.string({ minLength: schema['minLength'] ?? 0 });
  }
}

const anything = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    [],
    {},
    true,
    0,
    -1,
    2.7,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    ...NASTY,
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
);

/** Puts something else somewhere into a value. */
function mutate(value: unknown, path: readonly number[], put: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return put;
  const keys = Object.keys(value);
  if (keys.length === 0) return put;
  const key = keys[step % keys.length] as string;
  const changed = mutate((value as Record<string, unknown>)[key], rest, put);
  if (Array.isArray(value))
    return value.map((entry, index) => (String(index) === key ? changed : entry));
  return { ...value, [key]: changed };
}

function requestOf(schema: TSchema): fc.Arbitrary<unknown> {
  const valid = valueOf(schema);
  const mutated = fc
    .tuple(valid, fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), anything)
    .map(([value, path, put]) => mutate(value, path, put));
  return fc.oneof({ weight: 2, arbitrary: valid }, { weight: 5, arbitrary: mutated }, anything);
}

const posted = ENDPOINTS.flatMap(({ from, paths, request }) =>
  from === 'body' && request !== undefined
    ? [[(paths[0] ?? '').replace(':id', '1'), request] as const]
    : [],
);

async function expectNoFault(answer: { status: number; body: unknown }): Promise<void> {
  expect(answer.status).toBeLessThan(500);
  expect(answer.body).toMatchObject({ status: answer.status === 200 ? 'OK' : 'ERROR' });
}

describe('whatever is sent', () => {
  test.each(posted)('%s answers 200 or a refusal', async (path, schema) => {
    await fc.assert(
      fc.asyncProperty(requestOf(schema), async (body) => {
        await expectNoFault(await api.call('POST', path, body));
      }),
      { numRuns: RUNS },
    );
  });

  test('no bytes in place of JSON lead to a fault', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posted), bytes, async ([path], body) => {
        await expectNoFault(await api.raw(path, body));
      }),
      { numRuns: RUNS },
    );
  });

  test('no query and no path leads to a fault', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...NASTY));
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const part = encodeURIComponent(Buffer.from(value).toString());
        await expectNoFault(await api.call('DELETE', `/admin/app/fcm?appId=${part}`));
        expect((await api.get(`/push/message/${part}`)).status).toBeLessThan(500);
        await expectNoFault(await api.get(`/push/campaign/list?all=${part}`));
        const paging = `page=${part}&size=${part}`;
        await expectNoFault(await api.get(`/push/campaign/1/user/list?${paging}`));
        await expectNoFault(await api.get(`/push/campaign/1/run/list?${paging}`));
        await expectNoFault(await api.get(`/push/campaign/2/run?runId=${part}`));
        await expectNoFault(await api.get(`/push/campaign/2/run/events?runId=${part}`));
        for (const name of ['runId', 'reason', 'state', 'platform', 'after', 'size'])
          await expectNoFault(await api.get(`/push/campaign/2/run/devices?${name}=${part}`));
        for (const name of ['userId', 'deviceId', 'activationId', 'deliveryId'])
          await expectNoFault(await api.get(`/push/delivery/list?${name}=${part}`));
        for (const query of [
          `list?userId=${part}&applications=app`,
          `list?userId=u1&applications=${part}`,
          `list?userId=u1&applications=app&onlyUnread=${part}`,
          `list?userId=u1&applications=app&${paging}`,
          `count?userId=${part}&appId=app`,
          `count?userId=u1&appId=${part}`,
          `detail?id=${part}`,
        ])
          await expectNoFault(await api.get(`/inbox/messages/${query}`));
        for (const query of [`read?inboxId=${part}`, `read-all?appId=app&userId=${part}`])
          await expectNoFault(await api.call('PUT', `/inbox/messages/${query}`));
        const stream = `/inbox/messages/stream?applications=app&userId=${part}`;
        for (const query of ['', `&lastEventId=${part}`])
          expect((await api.call('HEAD', stream + query)).status).toBeLessThan(500);
        for (const rest of ['detail', 'delete', 'user/list', 'run', 'run/list'])
          expect((await api.get(`/push/campaign/${part}/${rest}`)).status).toBeLessThan(500);
      }),
      { numRuns: RUNS },
    );
  });
});
