import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let document: Document;

beforeAll(async () => {
  api = await openTestApi({ basePaths: ['/', '/base'] });
  document = JSON.parse((await api.get('/v3/api-docs')).text) as Document;
});
afterAll(() => api.close());

interface Content {
  readonly description?: string;
  /** By media type; none of an answer that leads elsewhere. */
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly description: string;
  readonly security?: readonly object[];
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: object;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly openapi: string;
  readonly info: object;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly security: readonly object[];
  readonly components: {
    readonly securitySchemes: object;
    readonly schemas: Readonly<Record<string, { readonly properties?: object }>>;
  };
}

function operations() {
  return Object.entries(document.paths).flatMap(([name, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name, method, operation })),
  );
}

/** Every schema of the document, by where it stands. */
function schemas(): [string, object][] {
  const found = Object.entries(document.components.schemas);
  for (const { name, method, operation } of operations()) {
    const where = `${method} ${name}`;
    for (const parameter of operation.parameters ?? []) found.push([where, parameter.schema]);
    const bodies = [operation.requestBody, ...Object.values(operation.responses)];
    for (const { content } of bodies.filter((body) => body !== undefined))
      for (const { schema } of Object.values(content ?? {})) found.push([where, schema]);
  }
  return found;
}

/** A schema of the document, for a validator that knows its components. */
function rooted(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
}

function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'document', components: document.components });
  return ajv;
}

describe('GET /v3/api-docs', () => {
  test('is an OpenAPI 3.1 document', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Heliograph', version: expect.any(String) });
  });

  test.each(['/v3/api-docs', '/v3/api-docs/push', '/base/v3/api-docs/push'])(
    'leads from %s to the server that it describes',
    async (place) => {
      const { text } = await api.get(place);

      const { servers, ...found } = JSON.parse(text) as Document;
      const { servers: _, ...expected } = document;
      expect(found).toEqual(expected);
      expect(servers.map(({ url }) => new URL(url, api.url + place).href)).toEqual([
        `${api.url}${place.replace(/v3.*/, '')}`,
      ]);
    },
  );

  test('keeps the order of fields, also of those that are called as a keyword of schemas', () => {
    const { properties } = document.components.schemas['PushMessageBody'] ?? {};

    expect(Object.keys(properties ?? {}).slice(0, 2)).toEqual(['title', 'titleLocKey']);
  });

  test('gives each operation an id of its own, a summary, a tag and answers', () => {
    const all = operations().map(({ operation }) => operation);

    expect(new Set(all.map((operation) => operation.operationId)).size).toBe(all.length);
    for (const operation of all) {
      expect(operation).toMatchObject({
        summary: expect.any(String),
        tags: [expect.any(String)],
        responses: { default: { description: 'Refused' } },
      });
      const { '200': answer, '303': place } = operation.responses;
      expect(answer?.description ?? place?.description).toMatch(/^(?:OK$|To )/);
    }
  });

  test('says who may call each operation', () => {
    const { security, components } = document;
    const others = operations().filter(({ operation }) => operation.security !== undefined);

    expect(security).toEqual([{ apiKey: [] }, { apiKeyBasic: [] }, { consoleSession: [] }]);
    expect(Object.keys(components.securitySchemes)).toEqual([
      'apiKey',
      'apiKeyBasic',
      'consoleSession',
      'signature',
    ]);
    expect(others.map(({ name, operation }) => [name, operation.security])).toEqual([
      ['/push/service/status', []],
      ['/console/session', []],
      ['/console/session', [{ consoleSession: [] }]],
      ['/console/session', [{ consoleSession: [] }]],
      ['/console/session/list', [{ consoleSession: [] }]],
      ['/console/session/all', [{ consoleSession: [] }]],
      ['/console/session/password', [{ consoleSession: [] }]],
      ['/console/session/ways', []],
      ['/console/session/oidc', []],
      ['/console/session/oidc/callback', []],
      ['/api/1.0/push/{receiver}', [{ signature: [] }]],
      ['/api/1.0/push/requests/{requestId}', [{ signature: [] }]],
    ]);
    expect(document.paths['/api/1.0/push/{receiver}']?.['post']?.description).toBe(
      'Signed with a developer key; takes no API key.',
    );
    expect(document.paths['/push/campaign/list']?.['get']?.description).toBe(
      'Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.',
    );
  });

  test('declares the parameters of its paths', () => {
    for (const { name, operation } of operations()) {
      const named = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path');
      expect(declared.map((one) => one.name)).toEqual(named);
    }
  });

  test('tells bodies that must be there from those that may be missing, and what is a stream', () => {
    const send = document.paths['/push/message/send']?.['post'];
    const live = document.paths['/push/campaign/send/live/{id}']?.['post'];
    const events = document.paths['/push/campaign/{id}/run/events']?.['get'];

    expect([send?.requestBody, live?.requestBody]).toMatchObject([
      { required: true },
      { required: false },
    ]);
    expect(Object.keys(events?.responses['200']?.content ?? {})).toEqual(['text/event-stream']);
  });

  test('has valid schemas only, and no reference that leads nowhere', () => {
    const ajv = createAjv();

    for (const [where, schema] of schemas()) {
      expect([where, ajv.validateSchema(rooted(schema))]).toEqual([where, true]);
      expect(() => ajv.compile(rooted(schema))).not.toThrow();
    }
  });

  test('describes the answers that come', async () => {
    const ajv = createAjv();
    await api.post('/admin/app/create', { appId: 1 });
    const message = { title: 'x', validUntil: 4_000_000_000.5 };
    await api.post('/push/campaign/create', { appId: 1, message });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    await api.post('/admin/app/android/update', { appId: 1, projectId: 'p', privateKeyBase64 });
    await api.call('POST', '/push/campaign/send/live/1');
    await api.post('/admin/app/create', { appId: 'app' });
    const { responseObject } = (
      await api.post('/inbox/messages', {
        userId: 'u',
        type: 'text',
        subject: 'A subject',
        summary: 'A summary',
        body: 'A whole body',
        applications: ['app'],
      })
    ).body;
    const queries: Record<string, string> = {
      '/inbox/messages/list': '?userId=u&applications=app',
      '/inbox/messages/count': '?userId=u&appId=app',
      '/inbox/messages/detail': `?id=${responseObject.id}`,
    };

    for (const name of [
      '/push/service/status',
      '/admin/app/list',
      '/admin/app/unconfigured/list',
      '/admin/pause/list',
      '/push/campaign/list',
      '/push/campaign/{id}/detail',
      '/push/campaign/{id}/user/list',
      '/push/campaign/{id}/run',
      '/push/campaign/{id}/run/list',
      '/push/campaign/{id}/run/devices',
      '/inbox/messages/list',
      '/inbox/messages/count',
      '/inbox/messages/detail',
    ]) {
      const answer = document.paths[name]?.['get']?.responses['200'];
      const schema = rooted(answer?.content?.['application/json']?.schema ?? {});
      const { body } = await api.get(name.replace('{id}', '1') + (queries[name] ?? ''));
      expect([name, ajv.validate(schema, body), ajv.errors]).toEqual([name, true, null]);
    }
  });

  test.each([
    ['post', '/push/device/create'],
    ['post', '/push/device/create/multi'],
    ['post', '/push/device/delete'],
    ['delete', '/push/device/remove'],
    ['put', '/push/device/status/update'],
    ['post', '/push/message/send'],
    ['post', '/push/message/batch/send'],
    ['get', '/push/message/{id}'],
    ['get', '/push/delivery/list'],
    ['post', '/push/campaign/create'],
    ['post', '/push/campaign/{id}/delete'],
    ['delete', '/push/campaign/{id}/delete'],
    ['get', '/push/campaign/{id}/detail'],
    ['get', '/push/campaign/list'],
    ['put', '/push/campaign/{id}/user/add'],
    ['post', '/push/campaign/{id}/user/add'],
    ['get', '/push/campaign/{id}/user/list'],
    ['post', '/push/campaign/{id}/user/delete'],
    ['delete', '/push/campaign/{id}/user/delete'],
    ['post', '/push/campaign/send/test/{id}'],
    ['post', '/push/campaign/send/live/{id}'],
    ['get', '/push/campaign/{id}/run'],
    ['get', '/push/campaign/{id}/run/list'],
    ['get', '/push/campaign/{id}/run/events'],
    ['get', '/push/campaign/{id}/run/devices'],
    ['post', '/push/campaign/{id}/run/pause'],
    ['post', '/push/campaign/{id}/run/resume'],
    ['post', '/push/campaign/{id}/run/cancel'],
    ['post', '/push/campaign/{id}/run/approve'],
    ['post', '/push/campaign/{id}/run/rate'],
    ['post', '/inbox/messages'],
    ['get', '/inbox/messages/list'],
    ['get', '/inbox/messages/count'],
    ['get', '/inbox/messages/detail'],
    ['post', '/inbox/messages/read'],
    ['put', '/inbox/messages/read'],
    ['post', '/inbox/messages/read-all'],
    ['put', '/inbox/messages/read-all'],
    ['get', '/inbox/messages/stream'],
    ['get', '/admin/app/list'],
    ['get', '/admin/app/unconfigured/list'],
    ['post', '/admin/app/detail'],
    ['post', '/admin/app/create'],
    ['put', '/admin/app/ios/update'],
    ['delete', '/admin/app/ios/remove'],
    ['put', '/admin/app/android/update'],
    ['delete', '/admin/app/android/remove'],
    ['delete', '/admin/app/apns'],
    ['put', '/admin/app/fcm'],
  ])('describes %s %s, and the server answers it', async (method, name) => {
    const answer = await api.call(method.toUpperCase(), name.replace('{id}', 'x'));

    expect(document.paths[name]).toHaveProperty(method);
    expect(JSON.stringify(answer.body)).not.toContain('path');
  });

  test('stands in docs/api/openapi.json as it is', () => {
    const file = path.join(__dirname, '../../../../../docs/api/openapi.json');

    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(document);
  });
});
