import { isSignedWith, parseAuthorization, toContentMd5 } from '@heliograph/core';

import { createM800Client, HeliographError, signRequest } from './m800.ts';
import { cut, html, json, openTestServer, type Answerer, type TestServer } from './test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const KEY = { developerKey: 'dk-1', secret: 'the secret' };
const PUSH = { appMessage: { content: 'Grüße' } };

const refuse = (status: number, code: number) =>
  json(status, { error: { status, code, message: 'No.' } });

async function open(...answers: readonly Answerer[]) {
  const server = await openTestServer(...answers);
  servers.push(server);
  return { server, client: createM800Client({ baseUrl: server.url, ...KEY }) };
}

function isSigned({ method = '', url = '', headers, body }: TestServer['received'][number]) {
  const parsed = parseAuthorization(headers.authorization ?? '');
  return (
    parsed !== undefined &&
    parsed.key === KEY.developerKey &&
    isSignedWith([KEY.secret], {
      method,
      uri: url,
      contentMd5: toContentMd5(Buffer.from(body)),
      contentType: headers['content-type'] ?? '',
      date: String(headers['x-m-date']),
      nonce: parsed.nonce,
      signature: parsed.signature,
    })
  );
}

describe('a signed push', () => {
  test('bears the signature of what is sent', async () => {
    const { client, server } = await open(json(200, { requestId: 'r1' }));

    expect(await client.push('jöhn@acme.com', PUSH)).toEqual({ requestId: 'r1' });

    expect(server.received).toMatchObject([
      { method: 'POST', url: '/api/1.0/push/j%C3%B6hn%40acme.com', body: JSON.stringify(PUSH) },
    ]);
    expect(server.received.map(isSigned)).toEqual([true]);
  });

  test.each<[string, Answerer]>([
    ['no answer', cut],
    ['500', refuse(500, 50000)],
    ['503', refuse(503, 50300)],
    ['502 of a proxy', html(502)],
  ])('is repeated with the same nonce after %s', async (_, fault) => {
    const { client, server } = await open(fault, json(200, { requestId: 'r1' }));

    await client.push('john', PUSH);

    const [first, second] = server.received;
    expect(second).toEqual(first);
  });

  test('is accepted where its repeat finds the nonce used; its id is not known then', async () => {
    const { client } = await open(cut, refuse(401, 40106));

    expect(await client.push('john', PUSH)).toEqual({ requestId: undefined });
  });

  test('is refused where the first attempt finds the nonce used', async () => {
    const { client } = await open(refuse(401, 40106));

    const failed = client.push('john', PUSH);

    await expect(failed).rejects.toBeInstanceOf(HeliographError);
    await expect(failed).rejects.toMatchObject({
      code: '40106',
      status: 401,
      mayBeDone: false,
      mayRetry: false,
    });
  });
});

describe('a question for a push', () => {
  test('has another nonce in each attempt', async () => {
    const { client, server } = await open(cut, json(200, { requestId: 'r1' }));

    expect(await client.getRequest('r1')).toEqual({ requestId: 'r1' });

    const [first, second] = server.received;
    expect(server.received.map(isSigned)).toEqual([true, true]);
    expect(first?.headers.authorization).not.toBe(second?.headers.authorization);
    expect(first).toMatchObject({ method: 'GET', url: '/api/1.0/push/requests/r1' });
  });
});

describe('the headers of a signed request', () => {
  test('are those of the worked example', () => {
    const headers = signRequest({
      ...KEY,
      method: 'GET',
      uri: '/api/1.0/push/requests/r1',
      body: new Uint8Array(),
      date: new Date('2013-09-12T18:49:58Z'),
      nonce: 'n1',
    });

    expect(headers).toEqual({
      Authorization: expect.stringMatching(
        /^MAAIISDK10 key="dk-1", nonce="n1", signature="[0-9a-f]{64}"$/,
      ),
      'X-M-Date': 'Thu, 12 Sep 2013 18:49:58 GMT',
    });
  });

  test.each([
    { nonce: '' },
    { nonce: 'a"b' },
    { developerKey: 'a\nb' },
    { nonce: 'x'.repeat(129) },
  ])('are not made of %j', (wrong) => {
    const request = { ...KEY, method: 'GET', uri: '/', body: new Uint8Array(), ...wrong };

    expect(() => signRequest(request)).toThrow(TypeError);
  });
});
