import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

const LIMIT = 4 * 1024 * 1024;

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({ bodyLimitBytes: 1024, campaignBodyLimitBytes: LIMIT });
  await api.post('/admin/app/create', { appId: 1 });
});
afterAll(() => api.close());

const OK = { status: 'OK' };
const MISSING = 999_999;

async function createCampaign(): Promise<number> {
  const { body } = await api.post('/push/campaign/create', { appId: 1, message: {} });
  return body.responseObject.id;
}

function add(id: number, userIds: unknown) {
  return api.call('PUT', `/push/campaign/${id}/user/add`, { requestObject: userIds });
}

function remove(id: number, userIds: unknown) {
  return api.post(`/push/campaign/${id}/user/delete`, userIds);
}

async function pageOf(id: number, query = ''): Promise<readonly string[]> {
  const { body } = await api.get(`/push/campaign/${id}/user/list${query}`);
  return (body.responseObject as unknown as { users: readonly string[] }).users;
}

/** All of them, page by page, as a caller would read them. */
async function usersOf(id: number, size = 2000): Promise<string[]> {
  const users: string[] = [];
  for (let page = 0; ; page += 1) {
    const more = await pageOf(id, `?page=${page}&size=${size}`);
    if (more.length === 0) return users;
    users.push(...more);
  }
}

function makeIds(count: number, prefix = 'user-'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

describe('PUT /push/campaign/{id}/user/add', () => {
  test.each(['PUT', 'POST'])('as %s takes the request of the reference', async (method) => {
    const id = await createCampaign();
    const users = ['1234567890', '1234567891', '1234567893'];

    const answer = await api.call(method, `/push/campaign/${id}/user/add`, {
      requestObject: users,
    });

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect(answer.body).toEqual(OK);
    expect(await pageOf(id)).toEqual(users);
  });

  test('keeps the order, and each user once, however often and by whichever request they come', async () => {
    const id = await createCampaign();

    await add(id, ['c', 'a', 'c', 'a']);
    await add(id, ['b', 'a', 'd', 'b']);

    expect(await pageOf(id)).toEqual(['c', 'a', 'b', 'd']);
  });

  test('tells campaigns and the case of letters apart', async () => {
    const [one, other] = [await createCampaign(), await createCampaign()];

    await add(one, ['a', 'A', ' a']);
    await add(other, ['a']);

    expect([await pageOf(one), await pageOf(other)]).toEqual([['a', 'A', ' a'], ['a']]);
  });

  test('takes texts that SQL, JSON or arrays write otherwise', async () => {
    const id = await createCampaign();
    const users = [
      "'; --",
      '{"a",b}',
      '\\',
      '"',
      'NULL',
      'null',
      '😀',
      '\n',
      '\u0001',
      'x'.repeat(255),
    ];

    await add(id, users);

    expect(await pageOf(id)).toEqual(users);
    await remove(id, users.slice(1));
    expect(await pageOf(id)).toEqual(users.slice(0, 1));
  });

  test('reads numbers and booleans as texts', async () => {
    const id = await createCampaign();

    await add(id, [12, '12', true, 1.5]);

    expect(await pageOf(id)).toEqual(['12', 'true', '1.5']);
  });

  test('takes 100,000 users in one request, and gives them back page by page', async () => {
    const id = await createCampaign();
    const users = makeIds(100_000);

    const answer = await add(id, [...users, ...users.slice(0, 1000)]);

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect(await usersOf(id)).toEqual(users);
  });

  test('answers all of many requests for the same users at once, in whatever order they name them', async () => {
    const id = await createCampaign();
    const users = makeIds(20_000);

    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => {
        const some = index % 2 === 0 ? users : users.toReversed();
        return index % 6 === 5 ? remove(id, some.slice(0, 10_000)) : add(id, some);
      }),
    );
    await add(id, users);

    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect((await usersOf(id)).toSorted()).toEqual(users.toSorted());
  });

  test('leaves nobody behind in a campaign that is deleted meanwhile', async () => {
    const users = makeIds(5000);

    for (let round = 0; round < 5; round += 1) {
      const id = await createCampaign();
      const [added] = await Promise.all([
        add(id, users),
        api.call('POST', `/push/campaign/${id}/delete`),
      ]);

      expect([200, 400]).toContain(added?.status);
      expect(await pageOf(id)).toEqual([]);
    }
  });

  test('takes an empty list, and users of a campaign that is sent', async () => {
    const id = await createCampaign();
    await api.db.updateTable('campaigns').set({ sent: true }).where('id', '=', id).execute();

    const answers = [await add(id, []), await add(id, ['a'])];

    expect(answers.map(({ body }) => body)).toEqual([OK, OK]);
    expect(await pageOf(id)).toEqual(['a']);
  });

  test.each([[['a']], [[]]])('refuses %j for a campaign that does not exist', async (users) => {
    const answer = await add(MISSING, users);

    expect(answer).toMatchObject({
      status: 400,
      body: refusal('Campaign with entered ID does not exist'),
    });
    expect(await pageOf(MISSING)).toEqual([]);
  });
});

describe.each([
  ['PUT', 'add'],
  ['POST', 'delete'],
])('%s /push/campaign/{id}/user/%s', (method, verb) => {
  test.each([
    [null, 'requestObject'],
    ['u1', 'requestObject'],
    [{ 0: 'u1' }, 'requestObject'],
    [['u1', null], '[1]'],
    [['u1', {}], '[1]'],
    [['u1', ['u2']], '[1]'],
    [['u1', ''], '[1]'],
    [['u1', 'x\0y'], '[1]'],
    [['u1', '\ud800'], '[1]'],
    [['u1', 'x'.repeat(256)], '[1]'],
    [['u1', 2 ** 60], '[1]'],
  ])('refuses %j and changes nothing', async (users, named) => {
    const id = await createCampaign();
    await add(id, ['there']);

    const path = `/push/campaign/${id}/user/${verb}`;
    const answer = await api.call(method, path, { requestObject: users });

    expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining(named)) });
    expect(await pageOf(id)).toEqual(['there']);
  });

  test('refuses a request without body', async () => {
    const answer = await api.call(method, `/push/campaign/${await createCampaign()}/user/${verb}`);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });

  test('has a limit of its own for bodies, which its refusal names', async () => {
    const id = await createCampaign();
    const path = `/push/campaign/${id}/user/${verb}`;
    const [fits, over] = [makeIds(20_000), makeIds(2000, 'x'.repeat(2100))];

    const answers = [
      await api.call(method, path, { requestObject: fits }),
      await api.call(method, path, { requestObject: over }),
      await api.call('POST', '/push/device/delete', { requestObject: fits }),
    ];

    expect(answers).toMatchObject([
      { status: 200, body: OK },
      { status: 413, body: refusal(expect.stringContaining(String(LIMIT))) },
      { status: 413, body: refusal(expect.stringContaining('1024')) },
    ]);
  });
});

describe('GET /push/campaign/{id}/user/list', () => {
  test('answers as the reference does, with page and size beside the users', async () => {
    const id = await createCampaign();
    await add(id, ['1234567890', '1234567892', '1234567893']);

    const { body } = await api.get(`/push/campaign/${id}/user/list?page=0&size=4`);

    expect(body).toEqual({
      status: 'OK',
      page: 0,
      size: 4,
      responseObject: { campaignId: id, users: ['1234567890', '1234567892', '1234567893'] },
    });
  });

  test.each([
    ['', 0, 20],
    ['?page=2', 2, 20],
    ['?size=7', 0, 7],
    ['?page=0&size=0', 0, 20],
    ['?page=-1&size=-5', 0, 20],
    ['?page=x&size=y', 0, 20],
    ['?page=&size=', 0, 20],
    ['?page=1.5&size=1e2', 0, 20],
    ['?page=1&page=2&size=3&size=4', 0, 20],
    ['?size=2000', 0, 2000],
    ['?size=2001', 0, 2000],
    [`?page=${'9'.repeat(30)}&size=${'9'.repeat(30)}`, 2 ** 31 - 1, 2000],
    ['?sort=userId,desc', 0, 20],
  ])('takes %s as page %d of %d', async (query, page, size) => {
    const id = await createCampaign();
    const users = makeIds(50);
    await add(id, users);

    const answer = await api.get(`/push/campaign/${id}/user/list${query}`);

    expect(answer).toMatchObject({ status: 200, body: { status: 'OK', page, size } });
    expect(await pageOf(id, query)).toEqual(users.slice(page * size, (page + 1) * size));
  });

  test('has pages that stay as they are while users are added', async () => {
    const id = await createCampaign();
    await add(id, makeIds(100, 'm'));
    const before = [await pageOf(id, '?page=0&size=30'), await pageOf(id, '?page=2&size=30')];

    await add(id, [...makeIds(50, 'a'), ...makeIds(100, 'm').toReversed(), ...makeIds(50, 'z')]);

    const after = [await pageOf(id, '?page=0&size=30'), await pageOf(id, '?page=2&size=30')];
    expect(after).toEqual(before);
    expect(await usersOf(id, 30)).toEqual([
      ...makeIds(100, 'm'),
      ...makeIds(50, 'a'),
      ...makeIds(50, 'z'),
    ]);
  });

  test('counts pages from behind a user, whom the campaign must have', async () => {
    const id = await createCampaign();
    await add(id, ['c', 'a', 'd', 'b', 'e']);

    const pages = [
      await pageOf(id, '?afterUserId=a&size=2'),
      await pageOf(id, '?afterUserId=a&size=2&page=1'),
      await pageOf(id, '?afterUserId=e'),
    ];
    const unknown = await api.get(`/push/campaign/${id}/user/list?afterUserId=x`);

    expect(pages).toEqual([['d', 'b'], ['e'], []]);
    expect(unknown).toMatchObject({
      status: 400,
      body: refusal('afterUserId is no user of the campaign.'),
    });
  });

  test('is empty for a campaign that does not exist', async () => {
    const { status, body } = await api.get(`/push/campaign/${MISSING}/user/list`);

    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'OK',
        page: 0,
        size: 20,
        responseObject: { campaignId: MISSING, users: [] },
      },
    });
  });
});

describe('GET /push/campaign/{id}/user/count', () => {
  test('counts those that are there now, and of this campaign alone', async () => {
    const [id, other] = [await createCampaign(), await createCampaign()];
    const counts: unknown[] = [];
    const count = async () =>
      counts.push((await api.get(`/push/campaign/${id}/user/count`)).body.responseObject);

    await count();
    await add(id, makeIds(2_500));
    await add(id, makeIds(10));
    await add(other, makeIds(3));
    await count();
    await remove(id, makeIds(400));
    await count();

    expect(counts).toEqual([0, 2_500, 2_100].map((users) => ({ campaignId: id, users })));
  });

  test('refuses a campaign that does not exist', async () => {
    const answer = await api.get(`/push/campaign/${MISSING}/user/count`);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('POST /push/campaign/{id}/user/delete', () => {
  test.each(['POST', 'DELETE'])('as %s takes the request of the reference', async (method) => {
    const [id, other] = [await createCampaign(), await createCampaign()];
    const users = ['1234567890', '1234567891', '1234567893'];
    for (const one of [id, other]) await add(one, [...users, 'stays']);

    const answer = await api.call(method, `/push/campaign/${id}/user/delete`, {
      requestObject: [...users, users[0], 'nobody'],
    });

    expect(answer.body).toEqual(OK);
    expect(await pageOf(id)).toEqual(['stays']);
    expect(await pageOf(other)).toEqual([...users, 'stays']);
  });

  test('removes 100,000 users in one request, and adds them anew at the end', async () => {
    const id = await createCampaign();
    const users = makeIds(100_001);
    await add(id, users);

    await remove(id, users.slice(0, -1));
    const left = await pageOf(id);
    await add(id, users.slice(0, 2));

    expect(left).toEqual(['user-100000']);
    expect(await pageOf(id)).toEqual(['user-100000', 'user-0', 'user-1']);
  });

  test.each([[['a']], [[]]])('takes %j for a campaign that does not exist', async (users) => {
    const answer = await remove(MISSING, users);

    expect(answer).toMatchObject({ status: 200, body: OK });
  });
});
