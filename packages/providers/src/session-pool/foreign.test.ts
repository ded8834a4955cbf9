import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { describeWithForeign, eventually, type ForeignServer } from '@heliograph/testing';

import { findFreePort } from '../test-fixtures.ts';
import { createTrust } from '../trust.ts';
import { SessionPool } from './session-pool.ts';
import { QUICK } from './test-pool.ts';
import { TestFeed, TestRequest } from './test-request.ts';

const LOG = { info: () => undefined, warn: () => undefined };
const REQUESTS = 2_000;

/** Goes away after every 50 requests of a connection, and allows 16 at once. */
const toNginxConfig = (folder: string, port: number) => `
  daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
  events { worker_connections 256; }
  http {
    client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
    log_format pushes '$uri'; access_log ${folder}/access.log pushes;
    server {
      listen 127.0.0.1:${port} ssl http2;
      ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
      keepalive_requests 50; http2_max_concurrent_streams 16;
      location / { return 200; }
    }
  }`;

const toArguments: Record<ForeignServer, (folder: string, port: number) => string[]> = {
  nginx: (folder) => ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`],
  nghttpd: (folder, port) => {
    const options = ['--address=127.0.0.1', '--echo-upload', '-m', '16'];
    return [...options, String(port), `${folder}/server-key.pem`, `${folder}/server.pem`];
  },
};

describe.each(['nginx', 'nghttpd'] as const)('the pool with %s', (name) => {
  describeWithForeign(name, 'as the server', (program) => {
    let folder: string;
    let server: ChildProcess;
    let sandbox: Sandbox;
    let pool: SessionPool;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), `heliograph-${name}-`));
      mkdirSync(path.join(folder, 'body'));
      // For its certificates only.
      sandbox = await createSandbox({ dir: folder });
      const port = await findFreePort();
      writeFileSync(path.join(folder, 'nginx.conf'), toNginxConfig(folder, port));
      server = spawn(program, toArguments[name](folder, port), { stdio: 'ignore' });
      pool = new SessionPool({
        url: new URL(`https://127.0.0.1:${port}`),
        secureContext: createTrust(sandbox.caPem),
        maxSessions: 2,
        log: LOG,
        connectLimits: { ...QUICK, burst: 1_000 },
      });
      await eventually(async () => expect((await sendOne('/first')).kind).toBe('answered'));
    });

    afterAll(async () => {
      await pool.close();
      server.kill('SIGTERM');
      await once(server, 'exit');
      await sandbox.close();
      rmSync(folder, { recursive: true });
    });

    function sendOne(at: string) {
      const request = new TestRequest(at);
      pool.send(request);
      return request.end;
    }

    /** As the dispatcher does it: what was provably not processed goes again. */
    async function sendUntilProcessed(at: string): Promise<string> {
      for (;;) {
        const end = await sendOne(at);
        if (end.kind === 'answered') return String(end.status);
        if (end.kind !== 'unprocessed') return JSON.stringify(end);
      }
    }

    test('has every single request answered once', async () => {
      const paths = Array.from({ length: REQUESTS }, (_, n) => `/single/${n}`);

      const ends = await Promise.all(paths.map(sendUntilProcessed));

      expect(new Set(ends)).toEqual(new Set(['200']));
      if (name === 'nginx')
        await eventually(() => expect(readLog('/single/')).toEqual(paths.toSorted()));
    });

    test('has every request of two feeds answered, or provably not processed', async () => {
      const feeds = [new TestFeed('a', REQUESTS), new TestFeed('b', REQUESTS)];
      for (const feed of feeds) pool.feed(feed);
      await eventually(
        () => expect(feeds.map(({ given }) => given.length)).toEqual([REQUESTS, REQUESTS]),
        {
          timeoutMs: 25_000,
        },
      );

      const requests = feeds.flatMap(({ given }) => given);
      const ends = await Promise.all(requests.map(({ end }) => end));

      const answered = requests.filter((_, n) => ends[n]?.kind === 'answered');
      expect(ends.filter(({ kind }) => kind !== 'answered' && kind !== 'unprocessed')).toEqual([]);
      expect(answered.length).toBeGreaterThan(REQUESTS);
      expect(requests.every(({ settled }) => settled === 1)).toBe(true);
      if (name === 'nginx')
        await eventually(() =>
          expect([...readLog('/a/'), ...readLog('/b/')]).toEqual(
            answered.map(({ path: at }) => at).toSorted(),
          ),
        );
    });

    const readLog = (prefix: string) =>
      readFileSync(path.join(folder, 'access.log'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(prefix))
        .toSorted();
  });
});
