import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { isAlias, listOperations, type Document, type Schema } from '../generator/document.ts';
import { generate } from '../generator/generate.ts';
import { LEFT_OUT, NAMES } from '../generator/names.ts';
import type { CallbackEvent } from './callback-event.ts';
import { createClient, type HeliographClient } from './index.ts';

const FOLDER = path.join(__dirname, '..');
const document = JSON.parse(
  readFileSync(path.join(FOLDER, '../../docs/api/openapi.json'), 'utf8'),
) as Document;

type Method = (...args: readonly unknown[]) => unknown;

/** Whatever the method gives: an answer, a list or a stream. */
async function goThrough(given: unknown): Promise<void> {
  if (given instanceof Promise) return void (await given);
  for await (const _ of given as AsyncIterable<unknown>) return;
}

/** The first requests of methods, told as the document would. */
async function requestOf(group: string, method: string, args: readonly unknown[]): Promise<string> {
  const seen: string[] = [];
  const client = createClient({
    baseUrl: 'http://host/base',
    apiKey: 'k',
    maxAttempts: 1,
    fetch(url, { method: verb = '' }) {
      seen.push(`${verb.toLowerCase()} ${new URL(url).pathname.replace('/base', '')}`);
      return Promise.resolve(new Response('{}', { status: 400 }));
    },
  });
  const call = client[group as keyof HeliographClient][method as never] as Method;
  await goThrough(call(...args)).catch(() => undefined);
  return seen[0] ?? 'none';
}

describe('the client', () => {
  test('is made of docs/api/openapi.json as it is', () => {
    const checked = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'generator/main.ts', '--check'],
      {
        cwd: FOLDER,
        encoding: 'utf8',
      },
    );

    expect([checked.stderr, checked.status]).toEqual(['', 0]);
  });

  const endpoints = listOperations(document).filter((placed) => !isAlias(placed));
  const called = endpoints.flatMap((placed) => {
    const name = NAMES[placed.operation.operationId]?.name ?? '';
    const [group = '', method = ''] = name.split('.');
    return group === '' || group === 'm800' ? [] : [{ group, method, placed }];
  });

  test.each(called.map(({ group, method, placed }) => [`${group}.${method}`, placed] as const))(
    'calls with %s what the document has',
    async (name, placed) => {
      const [group = '', method = ''] = name.split('.');
      const args = placed.path.includes('{') ? ['x', ['u']] : [['u']];

      const expected = `${placed.method} ${placed.path.replace(/\{\w+\}/, 'x')}`;
      expect(await requestOf(group, method, args)).toBe(expected);
    },
  );

  test('has every endpoint but those that are left out for a reason, and no method beside them', () => {
    const client = createClient({ baseUrl: 'http://host', apiKey: 'k' });
    const methods = Object.entries(client).flatMap(([group, own]) =>
      Object.keys(own as object).map((method) => `${group}.${method}`),
    );

    expect(methods.toSorted()).toEqual(
      called.map(({ group, method }) => `${group}.${method}`).toSorted(),
    );
    expect(endpoints).toHaveLength(called.length + Object.keys(LEFT_OUT).length + 2);
  });

  test('has a type for every callback event of the document, and for no other', () => {
    // Doesn't compile where the union has another one.
    const types: Record<CallbackEvent['type'], true> = {
      'delivery.sent': true,
      'delivery.failed': true,
      'delivery.expired': true,
      'delivery.skipped': true,
      'run.started': true,
      'run.paused': true,
      'run.resumed': true,
      'run.halted': true,
      'run.completed': true,
      'run.cancelled': true,
      'run.settled': true,
      'device.token_deactivated': true,
      ping: true,
    };
    const documented = document.components.schemas['CallbackEvent']?.properties?.['type']?.enum;

    expect(new Set(documented)).toEqual(new Set(Object.keys(types)));
  });
});

describe('the generator', () => {
  const operation = endpoints()[0]?.operation;

  function endpoints() {
    return listOperations(document);
  }

  test.each<[string, Document['paths'], string]>([
    [
      'an operation that has no name',
      { ...document.paths, '/new': { get: { ...operation!, operationId: 'getNew' } } },
      'getNew has no name',
    ],
    ['no such operation', {}, 'postPushMessageSend is no endpoint of the document'],
    [
      'an operation that no longer takes a key',
      {
        ...document.paths,
        '/push/message/send': {
          post: { ...document.paths['/push/message/send']!['post']!, parameters: [] },
        },
      },
      'postPushMessageSend does not say what repeating it does',
    ],
  ])('refuses a document with %s', (_, paths, words) => {
    expect(() => generate({ ...document, paths })).toThrow(words);
  });

  test('says in words what a schema does, with bounds and defaults', () => {
    const schema: Schema = {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 9, default: 3, description: 'Of a page' },
        'a-b': { anyOf: [{ type: 'string', description: 'Why.' }, { type: 'null' }] },
      },
    };
    const components = { schemas: { ...document.components.schemas, Made: schema } };

    const made = generate({ ...document, components })['schemas.ts'];

    expect(made).toContain(
      [
        'export interface Made {',
        '/** Of a page. 1 to 9. Default: 3. */',
        'readonly size: number;',
        '/** Why. */',
        'readonly "a-b"?: string | null | undefined;',
        '}',
      ].join('\n'),
    );
  });
});
