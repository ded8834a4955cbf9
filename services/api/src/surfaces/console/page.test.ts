import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';

import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';

const INDEX =
  '<meta name="nonce" content="__CSP_NONCE__"><script type="module" src="__CONSOLE_BASE__assets/app-1a2b3c4d.js"></script>';
const SCRIPT = 'console.log(1)';
const STYLE = 'body{}';

let root: string;
let api: TestApi;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'heliograph-console-'));
  const folder = path.join(root, 'dist');
  mkdirSync(path.join(folder, 'assets'), { recursive: true });
  const write = (name: string, content: string | Buffer) =>
    writeFileSync(path.join(folder, name), content);
  write('index.html', INDEX);
  write('favicon.svg', '<svg/>');
  write('assets/app-1a2b3c4d.js', SCRIPT);
  write('assets/app-1a2b3c4d.js.br', brotliCompressSync(SCRIPT));
  write('assets/app-1a2b3c4d.js.gz', gzipSync(SCRIPT));
  write('assets/app-1a2b3c4d.js.map', 'a source map');
  write('assets/app-5e6f7a8b.css', STYLE);
  write('assets/plain.css', STYLE);
  writeFileSync(path.join(root, 'secret.txt'), 'a secret');
  api = await openTestApi({ auth: 'on', basePaths: ['/', '/base'], console: { folder } });
});
afterAll(async () => {
  await api.close();
  rmSync(root, { recursive: true });
});

const get = (name: string, headers: Record<string, string> = {}): Promise<Answer> =>
  api.call('GET', name, undefined, headers);

/** The answer to a path as it stands here: clients would tidy it up. */
function exchange(target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}

describe('the page', () => {
  test.each([
    '/console',
    '/console/',
    '/console/index.html',
    '/console/campaigns/7',
    '/console/users/ada.b',
  ])('is served at %s, to everybody, and kept by nobody', async (target) => {
    const answer = await get(target);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text).toContain('src="/console/assets/app-1a2b3c4d.js"');
  });

  test('names its files by the path under which it was asked for', async () => {
    const page = await get('/base/console/campaigns/7');
    const file = await get('/base/console/assets/app-1a2b3c4d.js');

    expect(page.text).toContain('src="/base/console/assets/app-1a2b3c4d.js"');
    expect([file.status, file.text]).toEqual([200, SCRIPT]);
  });

  test('lets nothing in from elsewhere, and no style without the nonce of this answer', async () => {
    const [one, other] = [await get('/console/'), await get('/console/')];

    const nonceOf = ({ text }: Answer) => /content="([\w-]{22})"/.exec(text)?.[1];
    expect(nonceOf(one)).not.toBe(nonceOf(other));
    expect(one.headers.get('content-security-policy')).toBe(
      [
        "default-src 'none'",
        "script-src 'self'",
        `style-src 'self' 'nonce-${nonceOf(one)}'`,
        "style-src-attr 'unsafe-inline'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
      ].join('; '),
    );
    expect(Object.fromEntries(one.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()') as string,
    });
    expect(one.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('answers HEAD and nothing that writes', async () => {
    const [head, post] = [
      await api.call('HEAD', '/console/campaigns'),
      await api.call('POST', '/console/campaigns', {}),
    ];

    expect([head.status, head.text]).toEqual([200, '']);
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, HEAD');
  });

  test('leaves the rest of the api alone', async () => {
    const answers = [
      await get('/console/session'),
      await get('/consoles'),
      await get('/admin/app/list'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 404, 401]);
  });
});

describe('a file of the page', () => {
  test.each([
    ['/console/assets/app-1a2b3c4d.js', 'text/javascript; charset=utf-8', SCRIPT],
    ['/console/assets/app-5e6f7a8b.css', 'text/css; charset=utf-8', STYLE],
  ])('is kept for ever where its name is that of its content: %s', async (target, type, text) => {
    const answer = await get(target);

    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('is asked for again where its name says nothing, and told to be the same', async () => {
    const first = await get('/console/favicon.svg');
    const second = await get('/console/favicon.svg', {
      'if-none-match': first.headers.get('etag') ?? '',
    });
    const changed = await get('/console/favicon.svg', { 'if-none-match': 'W/"another"' });

    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect((await get('/console/assets/plain.css')).headers.get('cache-control')).toBe('no-cache');
    expect([first.status, second.status, changed.status]).toEqual([200, 304, 200]);
    expect(second.text).toBe('');
  });

  test.each([
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['br;q=0.0', null],
    ['identity', null],
  ])('is sent as the build compressed it, to who accepts %s', async (accepted, encoding) => {
    const answer = await get('/console/assets/app-1a2b3c4d.js', { 'accept-encoding': accepted });

    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toBe('Accept-Encoding');
    expect(answer.text).toBe(SCRIPT);
  });

  test('comes compressed as it was, to the byte', async () => {
    const text = await exchange('/console/assets/app-1a2b3c4d.js.gz');

    // The compressed one is no file of its own.
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(gunzipSync(gzipSync(SCRIPT)).toString()).toBe(SCRIPT);
  });

  test.each(['/console/assets/app-00000000.js', '/console/assets/app-1a2b3c4d.js.map'])(
    'that there is not is not the page: %s',
    async (target) => {
      expect((await get(target)).status).toBe(404);
    },
  );

  test.each([
    '/console/../secret.txt',
    '/console/../../secret.txt',
    '/console/%2e%2e/secret.txt',
    '/console/..%2fsecret.txt',
    '/console/..%5csecret.txt',
    '/console/%2e%2e%2fsecret.txt',
    '/console/%252e%252e%252fsecret.txt',
    '/console/assets/../../secret.txt',
    '/console/assets/..%2f..%2fsecret.txt',
    '/console//../secret.txt',
    '/console/....//secret.txt',
    '/console/..;/secret.txt',
    '/console/%c0%ae%c0%ae/secret.txt',
    '/console/secret.txt%00.js',
    '/console/%',
    '/console/\\..\\secret.txt',
    '//etc/passwd',
    '/console//etc/passwd',
    '/console/%2fetc%2fpasswd',
    '/console/file:///etc/passwd',
  ])('is never one from elsewhere: %s', async (target) => {
    const answer = await exchange(target);

    expect(answer).toMatch(/^HTTP\/1\.1 (200|302|400|401|404) /);
    expect(answer).not.toContain('a secret');
    expect(answer).not.toContain('root:');
    if (answer.startsWith('HTTP/1.1 200'))
      expect(answer).toContain('/console/assets/app-1a2b3c4d.js');
  });
});

test('a page that was not built is missed in words that say how to build it', async () => {
  const unbuilt = await openTestApi({ auth: 'on' });

  const answer = await unbuilt.get('/console/campaigns');
  await unbuilt.close();

  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(answer.text).toContain('npm run build');
});

test('without a console there is no page, and no sign-in', async () => {
  const none = await openTestApi({ auth: 'on', console: 'off' });

  const answers = [
    await none.get('/console'),
    await none.get('/console/session'),
    await none.call('POST', '/console/session', { requestObject: { name: 'a', password: 'b' } }),
  ];
  await none.close();

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect(answers[0]?.headers.get('content-type')).toBe('application/json');
});
