import { execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { signRequest, toAuthorization } from '@heliograph/core';
import { eventually, makeDevice } from '@heliograph/testing';

import { makeKey } from '../access/world.ts';
import { openTestApi, type TestApi } from '../open-test-api.ts';

const ROOT = path.join(__dirname, '../../../..');
const README = readFileSync(path.join(ROOT, 'packages/client/README.md'), 'utf8');
const NODE_MODULES = path.join(ROOT, 'node_modules');
const run = promisify(execFile);
/** For a program that starts and does all that the README shows, on a slow machine. */
const LONG = { timeoutMs: 120_000 };

jest.setTimeout(300_000);

let folder: string;
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-client-'));
  // Its registry is a place where nothing is: what can't be had from the tarball is missing.
  const env = { ...process.env, npm_config_registry: 'http://127.0.0.1:9', HOME: folder };
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['pack', '-w', 'packages/client', '--pack-destination', folder, ...quiet], {
    cwd: ROOT,
    env,
  });
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '';
  const project = path.join(folder, 'project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "private": true }');
  await run('npm', ['install', path.join(folder, tarball), '--offline', ...quiet], {
    cwd: project,
    env,
  });
  folder = project;
  installed = path.join(project, 'node_modules/@heliograph/client');
});
afterAll(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

/** The README's examples, one after the other, as one program. */
function toProgram(): string {
  const examples = Array.from(README.matchAll(/```ts\n([^]*?)```/g), ([, code = '']) => code);
  expect(examples).toHaveLength(6);
  return examples.join('\n');
}

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function runScript(name: string, text: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [write(name, text)], { cwd: folder });
  return JSON.parse(stdout);
}

/** What the compiler says of a file; nothing where all is well. */
async function typeCheck(file: string, options: Record<string, unknown>): Promise<string> {
  const name = `tsconfig.${file}.json`;
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    // Nothing of the package is taken on trust.
    skipLibCheck: false,
    typeRoots: [path.join(NODE_MODULES, '@types')],
    types: [],
    ...options,
  };
  write(name, JSON.stringify({ compilerOptions, files: [file] }));
  const tsc = path.join(NODE_MODULES, 'typescript/bin/tsc');
  const done = run(process.execPath, [tsc, '-p', name], { cwd: folder });
  return done.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(place, path.join(entry.parentPath, entry.name)));
}

function leaves(node: unknown, condition = ''): [string, string][] {
  if (typeof node === 'string') return [[condition, node]];
  return Object.entries(node as object).flatMap(([name, inner]) => leaves(inner, name));
}

interface Manifest {
  readonly exports: object;
  readonly main: string;
  readonly types: string;
  readonly dependencies?: object;
}

describe('the tarball', () => {
  test('depends on nothing, and brings nothing but code, types and words', () => {
    const manifest = JSON.parse(
      readFileSync(path.join(installed, 'package.json'), 'utf8'),
    ) as Manifest;

    expect(manifest.dependencies).toBeUndefined();
    expect(readdirSync(path.join(folder, 'node_modules/@heliograph'))).toEqual(['client']);
    const others = filesIn(installed).filter(
      (file) => !/^(cjs\/)?dist\/.*\.(js|d\.ts)$/.test(file),
    );
    expect(others.toSorted()).toEqual(['README.md', 'cjs/package.json', 'package.json']);
    expect(filesIn(installed).filter((file) => file.includes('test'))).toEqual([]);
  });

  test('has every file that its manifest names', () => {
    const { exports, main, types } = JSON.parse(
      readFileSync(path.join(installed, 'package.json'), 'utf8'),
    ) as Manifest;
    // A condition of our own, which nobody else sets.
    const named = leaves(exports).filter(([condition]) => condition !== '@heliograph/source');

    expect(named).toHaveLength(13);
    for (const file of [main, types, ...named.map(([, name]) => name)])
      expect([file, existsSync(path.join(installed, file))]).toEqual([file, true]);
  });

  test('imports nothing but itself, and node:crypto where it signs', () => {
    const imports = filesIn(installed)
      .filter((file) => /\.(js|ts)$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(path.join(installed, file), 'utf8');
        const found = text.matchAll(
          /(?:\bfrom |\brequire\(|\bimport\(|^import )["']([^"']+)["']/gm,
        );
        return Array.from(found, ([, name = '']) => [name, path.basename(file, '.js')] as const);
      })
      .filter(([name]) => !name.startsWith('.'));

    expect(imports.length).toBeGreaterThan(0);
    expect(new Set(imports.map((found) => found.join(' in ')))).toEqual(
      new Set(['node:crypto in signature', 'node:crypto in m800', 'node:crypto in callbacks']),
    );
  });

  const NAMES = {
    '.': ['HeliographError', 'createClient'],
    './m800': ['HeliographError', 'createM800Client', 'signRequest'],
    './callbacks': ['CallbackError', 'verifyCallback'],
  };
  const SPECIFIERS = Object.keys(NAMES).map((name) => name.replace('.', '@heliograph/client'));

  test('is loaded as an ES module', async () => {
    const found = await runScript(
      'load.mjs',
      `const found = [];
      for (const name of ${JSON.stringify(SPECIFIERS)})
        found.push([import.meta.resolve(name).includes('/cjs/'), Object.keys(await import(name)).sort()]);
      console.log(JSON.stringify(found));`,
    );

    expect(found).toEqual(Object.values(NAMES).map((names) => [false, names]));
  });

  test('is loaded as CommonJS', async () => {
    const found = await runScript(
      'load.cjs',
      `const found = ${JSON.stringify(SPECIFIERS)}.map((name) =>
        [require.resolve(name).includes('/cjs/'), Object.keys(require(name)).sort()]);
      console.log(JSON.stringify(found));`,
    );

    expect(found).toEqual(Object.values(NAMES).map((names) => [true, names]));
  });

  const CONSUMER = `
    import { createClient, HeliographError, type PushMessage, type RunDevice } from '@heliograph/client';
    import { createM800Client } from '@heliograph/client/m800';
    import { verifyCallback, type CallbackEvent } from '@heliograph/client/callbacks';
    const client = createClient({ baseUrl: 'https://host', apiKey: 'k' });
    const message: PushMessage = { userId: 'u', body: { title: undefined } };
    export const sent: Promise<readonly string[]> = client.messages
      .send({ appId: 1, message }, { idempotencyKey: 'k' })
      .then(({ messageIds }) => messageIds);
    export const devices: AsyncIterable<RunDevice> = client.runs.devices(1);
    export const m800 = createM800Client({ baseUrl: 'https://host', developerKey: 'k', secret: 's' });
    export const event: CallbackEvent | undefined =
      verifyCallback({ url: '/', headers: new Headers(), body: '' }, { secrets: [] }).events[0];
    if (event?.type === 'run.halted') console.log(event.data.counts.ios?.sent);
    export const isOurs = (error: unknown) => error instanceof HeliographError && error.mayRetry;
    // @ts-expect-error: there is no such field.
    void client.messages.send({ appId: 1, message, nonsense: 1 });
    // @ts-expect-error: what is not sent has no key.
    void client.apps.list({ idempotencyKey: 'k' });
  `;
  const DOM = { lib: ['es2023', 'dom'] };
  const NODE = { lib: ['es2023'], types: ['node'] };
  const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };

  test.each([
    ['consumer.mts', { module: 'nodenext', ...DOM }],
    ['consumer.cts', { module: 'nodenext', ...DOM }],
    ['node.mts', { module: 'nodenext', ...NODE, exactOptionalPropertyTypes: true }],
    ['node.cts', { module: 'node16', ...NODE }],
    ['bundled.ts', { ...BUNDLER, ...DOM }],
    ['bundled-node.ts', { ...BUNDLER, ...NODE, noUncheckedIndexedAccess: true }],
  ])('has types for %s', async (file, options) => {
    write(file, CONSUMER);

    expect(await typeCheck(file, options)).toBe('');
  });
});

describe('the README', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openTestApi({ auth: 'on' });
  });
  afterAll(() => api.close());

  test('has examples that compile', async () => {
    write('readme.mts', toProgram());

    const options = { module: 'nodenext', lib: ['es2023'], types: ['node'] };
    expect(await typeCheck('readme.mts', options)).toBe('');
  });

  test('has examples that work, against a real server', async () => {
    const { text: key } = await makeKey(api.db, {});
    const { env, appRef } = await makeWorldOfExamples(key);
    const file = write('readme.mjs', toProgram());

    const program = spawn(process.execPath, [file], {
      cwd: folder,
      env: { ...process.env, ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [program.stdout, program.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
    const exited = new Promise((resolve) => program.once('exit', resolve));
    await finishRunOnceThere(appRef);

    await eventually(() => expect(said.join('')).toContain('alice@acme.com'), LONG);
    // The receiver of callbacks keeps it running.
    program.kill();
    await exited;
    expect(said.join('').split('\n').filter(Boolean)).toEqual([
      'stored, with 1 deliveries',
      '404 ERROR_GENERIC false false',
      expect.stringMatching(/^(scheduled|completed) 0$/),
      ...(said.join('').includes('scheduled') ? ['completed 0'] : []),
      '1 Your statement',
      'alice@acme.com',
    ]);
    const users = await api.db
      .selectFrom('campaignUsers')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    expect(Number(users.count)).toBe(25_000);
  });

  test('has a receiver of callbacks that takes ours, and no others', async () => {
    const example = /```ts\n(import \{ createServer \}[^]*?)```/.exec(README)?.[1] ?? '';
    const file = write(
      'receiver.mjs',
      `${example}\nreceiver.once('listening', () => console.log(JSON.stringify(receiver.address())));`,
    );
    const program = spawn(process.execPath, [file], {
      cwd: folder,
      env: { ...process.env, CALLBACK_SECRET: 'the secret', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: string[] = [];
    program.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
    await eventually(() => expect(said.join('')).toContain('\n'));
    const { port } = JSON.parse(said.join('')) as { port: number };
    const post = (secret: string) => fetch(`http://127.0.0.1:${port}/outcomes`, toCallback(secret));

    const [ours, theirs] = [await post('the secret'), await post('another')];

    expect([ours.status, theirs.status]).toEqual([204, 401]);
    await eventually(() => expect(said.join('')).toContain('alice BadDeviceToken'));
    program.kill();
  });

  async function makeWorldOfExamples(key: string) {
    const ask = async (method: string, place: string, requestObject: unknown) => {
      const answer = await api.call(
        method,
        place,
        { requestObject },
        { authorization: `Bearer ${key}` },
      );
      expect([place, answer.status]).toEqual([place, 200]);
      return answer.body.responseObject;
    };
    const { id: appRef } = await ask('POST', '/admin/app/create', { appId: 'my-bank' });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    const credential = { appId: 'my-bank', projectId: 'p', privateKeyBase64 };
    await ask('PUT', '/admin/app/fcm', credential);
    const made = await ask('POST', '/admin/app/developer-key/create', {
      appId: 'my-bank',
      name: 'billing',
      carriers: ['acme.com'],
    });
    const { developerKey, secret } = made as unknown as Record<string, string>;
    await makeDevice(api.db, appRef, { provider: 'fcm', userId: 'alice' });
    const env = {
      HELIOGRAPH_URL: api.url,
      HELIOGRAPH_API_KEY: key,
      DEVELOPER_KEY: developerKey,
      DEVELOPER_SECRET: secret,
    };
    return { env, appRef };
  }

  /** What a dispatcher does with a run of nobody who has a device. */
  async function finishRunOnceThere(appRef: number): Promise<void> {
    await eventually(async () => {
      const done = await api.db
        .updateTable('campaignRuns')
        .set({ state: 'completed', finishedAt: new Date(), startedAt: new Date() })
        .where('appRef', '=', appRef)
        .executeTakeFirst();
      expect(Number(done.numUpdatedRows)).toBe(1);
    }, LONG);
  }
});

function toCallback(secret: string): RequestInit {
  const data = { userId: 'alice', reason: 'BadDeviceToken' };
  const body = JSON.stringify({
    appId: 1,
    events: [{ id: 'e1', type: 'delivery.failed', at: new Date().toISOString(), data }],
    cursor: 'c1',
  });
  const date = new Date().toUTCString();
  const contentType = 'application/json';
  const signature = signRequest({
    method: 'POST',
    uri: '/outcomes',
    body: Buffer.from(body),
    contentType,
    date,
    nonce: 'n1',
    secret,
  });
  return {
    method: 'POST',
    body,
    headers: {
      'content-type': contentType,
      'x-m-date': date,
      authorization: toAuthorization({ key: 'cb-1', nonce: 'n1', signature }),
    },
  };
}
