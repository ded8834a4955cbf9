import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { BACKOFFS, DELIVERY_STATES, OUTCOME_CODES } from '@heliograph/core';

import { inCheckout } from './checkout.ts';

const read = (file: string) => readFileSync(inCheckout(file), 'utf8');

/** What stands in backquotes in the first column of the tables below a heading. */
function namesInTable(file: string, heading: string): string[] {
  const section =
    read(file)
      .split(/^#+ /m)
      .find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const cells = section.matchAll(/^\| ([^|]+) \|/gm);
  return Array.from(cells, ([, cell = '']) =>
    Array.from(cell.matchAll(/`([^`]+)`/g), (m) => m[1] ?? ''),
  )
    .flat()
    .toSorted();
}

/** The first argument of every call of these methods in a file. */
function firstArguments(source: string, calls: RegExp): string[] {
  return [...new Set(Array.from(source.matchAll(calls), (match) => match[1] ?? ''))].toSorted();
}

function sourcesOf(folder: string): string {
  return readdirSync(inCheckout(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => read(path.join(folder, file)))
    .join('\n');
}

const ENV_READS =
  /(?:read|reader)\s*\.(?:str|optional|url|optionalUrl|int|number|bool|oneOf|file|optionalFile|secret)\(\s*'([A-Z0-9_]+)'/g;

/** Where a reason in our own spelling is given: as a field, as the first argument of what makes an outcome, or in SQL. */
const GIVEN_REASON =
  /(?:reason: |skip\(|to[A-Z]\w*\(|ourBug\(|\?\? |(?<!state = 'skipped' )THEN )'([a-z]+(?:_[a-z]+)+)'/g;

/** A secret may stand in a file as well, which a variable of its own names. */
const SECRET_READS = /read\.secret\('([A-Z0-9_]+)'/g;

describe('docs/operations.md', () => {
  test('lists every variable that the services read, and no other', () => {
    const code = [
      'services/api/src/config.ts',
      'services/api/src/console/openid/read-open-id.ts',
      'services/dispatcher/src/config.ts',
      'packages/runtime/src/secrets-key.ts',
      'packages/runtime/src/tracing/read-tracing.ts',
      'packages/runtime/src/database-url.ts',
      'packages/queue/src/redis-settings.ts',
    ]
      .map(read)
      .join('\n');
    const documented = ['Both processes', 'The api', 'The dispatcher'].flatMap((heading) =>
      namesInTable('docs/operations.md', heading),
    );

    const secretFiles = firstArguments(code, SECRET_READS).map((name) => `${name}_FILE`);

    expect([...new Set(documented)].toSorted()).toEqual(
      [...firstArguments(code, ENV_READS), ...secretFiles].toSorted(),
    );
  });
});

describe('docs/outcomes.md', () => {
  test('lists every state of a delivery', () => {
    expect(
      namesInTable('docs/outcomes.md', 'States of a delivery').filter((name) =>
        DELIVERY_STATES.some((state) => state === name),
      ),
    ).toEqual([...DELIVERY_STATES].toSorted());
  });

  test('lists every reason that we give ourselves, and no other', () => {
    const code = [
      sourcesOf('services/dispatcher/src'),
      sourcesOf('packages/providers/src'),
      read('packages/db/src/messages.ts'),
      read('packages/db/src/failed-deliveries.ts'),
      read('packages/db/src/erase-user.ts'),
      read('packages/db/src/pauses.ts'),
      read('packages/core/src/ledger.ts'),
    ].join('\n');
    const documented = namesInTable('docs/outcomes.md', 'Reasons of our own');
    const given = firstArguments(code, GIVEN_REASON);

    expect(documented.filter((reason) => !code.includes(`'${reason}'`))).toEqual([]);
    expect(given.filter((reason) => !documented.includes(reason))).toEqual([]);
  });
});

describe('the outcome codes in docs/outcomes.md', () => {
  test('are those of the chunk ledger, with their states and reasons', () => {
    const rows = read('docs/outcomes.md').matchAll(/^\| (\d+) +\| (\w+) +\| (.*?) *\|$/gm);
    const documented = Array.from(rows, ([, code, state, reason]) => [
      Number(code),
      state,
      /`(\w+)`/.exec(reason ?? '')?.[1] ?? null,
    ]);

    expect(documented).toEqual(
      OUTCOME_CODES.map(({ code, state, reason }) => [code, state, reason]),
    );
  });
});

describe('docs/what-if.md', () => {
  test('names messages of the log that exist', () => {
    const code = ['services/api/src', 'services/dispatcher/src', 'packages']
      .map((folder) => sourcesOf(folder))
      .join('\n');
    // Several may stand in a row; what follows a `with` is a field.
    const said = read('docs/what-if.md')
      .replaceAll(/ with\s+`[^`]+`/g, '')
      .matchAll(/log\s+says\s+((?:`[^`]+`(?:,\s+|\s+or\s+|\s+and\s+|,\s+(?:then|later)\s+)?)+)/g);
    const named = Array.from(said, ([, list = '']) =>
      Array.from(list.matchAll(/`([^`]+)`/g), ([, message = '']) => message),
    ).flat();

    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((message) => !code.includes(`'${message}`))).toEqual([]);
  });

  test('calls endpoints that exist', () => {
    const { paths } = JSON.parse(read('docs/api/openapi.json')) as {
      paths: Record<string, unknown>;
    };
    // Health checks have no document.
    const known = [...Object.keys(paths), '/actuator/health/readiness'].map(
      (route) => new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    );
    const called = Array.from(
      read('docs/what-if.md').matchAll(/(?:\$URL|GET |POST |PUT )(\/[\w/{}$-]+)/g),
      ([, route = '']) => route,
    );

    expect(called.length).toBeGreaterThan(20);
    expect(called.filter((route) => !known.some((one) => one.test(route)))).toEqual([]);
  });
});

describe('the files of deployment', () => {
  test('set no variable but those that docs/operations.md lists', () => {
    const documented = new Set(
      ['Both processes', 'The api', 'The dispatcher'].flatMap((heading) =>
        namesInTable('docs/operations.md', heading),
      ),
    );
    const set = [
      ...read('infra/helm/heliograph/templates/_helpers.tpl').matchAll(/- name: ([A-Z_]+)/g),
      ...read('infra/docker/compose.sandbox.yml').matchAll(/^      ([A-Z_]+): /gm),
      ...(read('docker-compose.yml').split(/^services:/m)[0] ?? '').matchAll(/^    ([A-Z_]+): /gm),
    ].map(([, name = '']) => name);

    expect(set.length).toBeGreaterThan(20);
    expect(set.filter((name) => !documented.has(name))).toEqual([]);
  });
});

describe('the README', () => {
  test('names only scripts that exist', () => {
    const readme = read('README.md');
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

    for (const [, script = ''] of readme.matchAll(
      /npm (?:run )?(start|test|demo|check|bench|scale|build)/g,
    ))
      expect(Object.keys(scripts)).toContain(script);
  });
});

test('retry policies are described by their vendor or by us', () => {
  const source = read('packages/core/src/backoff.ts');

  for (const name of Object.keys(BACKOFFS))
    expect(source).toMatch(new RegExp(`/\\*\\*[^*]+\\*/\\n  ${name}:`));
});
