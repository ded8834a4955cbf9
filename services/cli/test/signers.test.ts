import { execFile, type ExecFileOptions } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import {
  describeWithForeign,
  makeDevice,
  openTestRedis,
  spawnService,
  useTestDatabase,
  type SpawnedService,
} from '@heliograph/testing';

const ROOT = path.join(__dirname, '../../..');
const BODY = `{"appMessage": {"content": "it's you & \\"Größe\\" %s\\\\n"}, "push": {"content": "Knock"}}`;

const database = useTestDatabase();
let api: SpawnedService;
let folder: string;
let developerKey: string;
let secret: string;
let userId: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-signers-'));
  const redis = await openTestRedis();
  api = spawnService('api', {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
  });
  await api.waitReady();
  const { id } = await post('/admin/app/create', { appId: 1 });
  userId = (await makeDevice(database.db, Number(id), { userId: 'john.doe' })).userId;
  const fields = { appId: 1, name: 'test', carriers: ['acme.com'] };
  const key = await post('/admin/app/developer-key/create', fields);
  [developerKey, secret] = [String(key['developerKey']), String(key['secret'])];
});
afterAll(async () => {
  api.kill();
  await api.exited;
  rmSync(folder, { recursive: true, force: true });
});

async function post(route: string, requestObject: object): Promise<Record<string, unknown>> {
  const answer = await fetch(api.url + route, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ requestObject }),
  });
  const { responseObject } = (await answer.json()) as { responseObject: Record<string, unknown> };
  return responseObject;
}

async function run(program: string, args: readonly string[], options: ExecFileOptions = {}) {
  const { stdout } = await promisify(execFile)(program, [...args], {
    encoding: 'utf8',
    ...options,
  });
  return String(stdout);
}

function inboxOf(id: string) {
  return database.db
    .selectFrom('inboxMessages')
    .select(['userId', 'body'])
    .where('id', '=', id)
    .execute();
}

/** The block of code below a heading of docs/m800.md. */
function codeOnPage(heading: string): string {
  const page = readFileSync(path.join(ROOT, 'docs/m800.md'), 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return /```sh\n(.*?)```/s.exec(section)?.[1] ?? '';
}

describeWithForeign('curl', 'with curl', (curl) => {
  const PATH = (...programs: readonly string[]) =>
    [...programs.map((program) => path.dirname(program)), process.env['PATH']].join(':');

  describeWithForeign('openssl', 'the signer in shell of docs/m800.md', (openssl) => {
    const call = async (...args: readonly string[]) => {
      const script = path.join(folder, 'signed.sh');
      writeFileSync(script, codeOnPage('A signer in shell'));
      const env = {
        PATH: PATH(curl, openssl),
        BASE_URL: api.url,
        DEVELOPER_KEY: developerKey,
        DEVELOPER_SECRET: secret,
      };
      return JSON.parse(await run('sh', [script, ...args], { env }));
    };

    test('sends a push that is accepted, and asks what became of it', async () => {
      const { requestId } = await call('POST', `/api/1.0/push/${userId}@acme.com`, BODY);
      const found = await call('GET', `/api/1.0/push/requests/${requestId}?x=1`);

      expect(await inboxOf(requestId)).toEqual([
        { userId, body: JSON.parse(BODY).appMessage.content },
      ]);
      expect(found).toMatchObject({ requestId, receiver: 'john.doe@acme.com' });
    });

    test('is refused with a wrong secret', async () => {
      const right = secret;
      secret = 'wrong';

      const answer = await call('POST', `/api/1.0/push/${userId}@acme.com`, BODY);
      secret = right;

      expect(answer).toMatchObject({ error: { status: 401, code: 40105 } });
    });
  });

  describe('heliograph sign', () => {
    /** Runs the command, and then the line for curl that it printed. */
    const signAndSend = async (...args: readonly string[]) => {
      const secretFile = path.join(folder, 'secret.txt');
      writeFileSync(secretFile, `${secret}\n`);
      const source = ['--conditions=@heliograph/source', '--import', 'tsx'];
      const printed = await run(
        process.execPath,
        [
          ...source,
          path.join(ROOT, 'services/cli/src/main.ts'),
          'sign',
          `--key=${developerKey}`,
          `--secret-file=${secretFile}`,
          ...args,
        ],
        { cwd: ROOT },
      );
      const line = printed.trimEnd().split('\n').at(-1) ?? '';
      const env = { PATH: PATH(curl) };
      return JSON.parse(await run('sh', ['-c', line], { env, cwd: folder }));
    };

    test('prints a line for curl that is accepted', async () => {
      const url = `${api.url}/api/1.0/push/${userId}@acme.com?x=[1]&y={2}`;

      const { requestId } = await signAndSend(`--url=${url}`, `--body=${BODY}`);

      expect(await inboxOf(requestId)).toEqual([
        { userId, body: JSON.parse(BODY).appMessage.content },
      ]);
    });

    test('prints one that sends a file as it is', async () => {
      const file = path.join(folder, 'body.json');
      writeFileSync(file, `\n${BODY}\r\n\n`);

      const { requestId } = await signAndSend(
        `--url=${api.url}/api/1.0/push/${userId}`,
        `--body-file=${file}`,
      );

      expect(await inboxOf(requestId)).toHaveLength(1);
    });

    test('signs a query', async () => {
      const answer = await signAndSend(
        '--method=GET',
        `--url=${api.url}/api/1.0/push/requests/unknown`,
      );

      expect(answer).toMatchObject({ error: { status: 404, code: 40402 } });
    });
  });
});
