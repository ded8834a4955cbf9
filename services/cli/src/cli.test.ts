import { signRequest } from '@heliograph/core';

import { runCli } from './cli.ts';

const NOW = new Date('2013-09-12T18:49:58Z');
const DATE = 'Thu, 12 Sep 2013 18:49:58 GMT';
const URL_TEXT = 'https://push.example.com/api/1.0/push/alice@acme.com';
const FILES: Readonly<Record<string, string>> = {
  secret: 'a-demo-secret\n',
  'secret-crlf': 'a-demo-secret\r\n',
  empty: '\n',
  body: '{"appMessage":{"content":"from a file"}}\n',
};

async function run(...args: string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    errIsTerminal: false,
    inIsTerminal: false,
    readSecret: () => Promise.reject(new Error('nothing is asked')),
    env: { SECRET: 'a-demo-secret', EMPTY: '' },
    readFile(name) {
      const text = FILES[name];
      if (text === undefined) throw new Error('ENOENT');
      return Buffer.from(text);
    },
    now: () => NOW,
  });
  return { code, out, err };
}

/** The call with these options beside, or in place of, the usual ones; undefined removes one. */
function sign(options: Record<string, string | undefined> = {}) {
  const all = { key: 'K', 'secret-file': 'secret', url: URL_TEXT, nonce: 'N', ...options };
  return run(
    'sign',
    ...Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
  );
}

function signatureOf(changes: Partial<Parameters<typeof signRequest>[0]> = {}): string {
  return signRequest({
    method: 'POST',
    uri: '/api/1.0/push/alice@acme.com',
    body: Buffer.alloc(0),
    contentType: 'application/json',
    date: DATE,
    nonce: 'N',
    secret: 'a-demo-secret',
    ...changes,
  });
}

describe('heliograph sign', () => {
  test('prints the headers of a request, and a line for curl', async () => {
    const body = `{"appMessage":{"content":"it's me"}}`;

    const { code, out, err } = await sign({ body });

    const authorization = `Authorization: MAAIISDK10 key="K", nonce="N", signature="${signatureOf({ body: Buffer.from(body) })}"`;
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        authorization,
        `X-M-Date: ${DATE}`,
        'Content-Type: application/json',
        '',
        `curl -sS --globoff --path-as-is -X 'POST' -H '${authorization}' -H 'X-M-Date: ${DATE}' -H 'Content-Type: application/json' --data-raw '{"appMessage":{"content":"it'\\''s me"}}' '${URL_TEXT}'`,
        '',
      ].join('\n'),
    );
  });

  test('takes the body from a file, as it is', async () => {
    const { out } = await sign({ 'body-file': 'body' });

    expect(out).toContain(signatureOf({ body: Buffer.from(FILES['body'] ?? '') }));
    expect(out).toContain(`--data-binary '@body'`);
  });

  test.each([
    ['a file', { 'secret-file': 'secret' }],
    ['a file with a line break of Windows', { 'secret-file': 'secret-crlf' }],
    ['the environment', { 'secret-file': undefined, 'secret-env': 'SECRET' }],
    ['the command line', { 'secret-file': undefined, secret: 'a-demo-secret' }],
  ])('takes the secret from %s, and never shows it', async (_name, options) => {
    const { code, out } = await sign(options);

    expect(code).toBe(0);
    expect(out).toContain(signatureOf());
    expect(out).not.toContain('a-demo-secret');
  });

  test('signs path and query as curl will send them', async () => {
    const url = 'https://push.example.com:8443/api/1.0/push/ä b@acme.com?x=[1]&y#fragment';

    const { out } = await sign({ url, method: 'get', 'content-type': 'text/plain' });

    const uri = '/api/1.0/push/%C3%A4%20b@acme.com?x=[1]&y';
    expect(out).toContain(signatureOf({ method: 'GET', uri }));
    expect(out).toContain(` 'https://push.example.com:8443${uri}'\n`);
    expect(out).not.toContain('Content-Type');
  });

  test('has a nonce of its own each time, and sends HEAD as curl wants it', async () => {
    const signed = [await sign({ nonce: undefined }), await sign({ nonce: undefined })];
    const nonces = signed.map(({ out }) => /nonce="(\w{32})"/.exec(out)?.[1]);
    const { out } = await sign({ method: 'HEAD' });

    expect(new Set(nonces).size).toBe(2);
    expect(nonces).not.toContain(undefined);
    expect(out).toContain('--path-as-is --head -H');
  });

  test.each([
    ['--key is missing', { key: undefined }],
    ['--url is missing', { url: undefined }],
    ['is no URL', { url: '/api/1.0/push/alice' }],
    ['is no URL', { url: 'ftp://example.com/' }],
    ['user or a password', { url: 'https://u:p@example.com/' }],
    ['Give one of', { 'secret-file': undefined }],
    ['Give one of', { 'secret-env': 'SECRET' }],
    ['secret is missing', { 'secret-file': 'empty' }],
    ['secret is missing', { 'secret-file': undefined, 'secret-env': 'EMPTY' }],
    ['secret is missing', { 'secret-file': undefined, 'secret-env': 'NOWHERE' }],
    ['cannot be read', { 'secret-file': 'nowhere' }],
    ['cannot be read', { 'body-file': 'nowhere' }],
    ['not both', { body: 'x', 'body-file': 'body' }],
    ['--date yesterday is not', { date: 'yesterday' }],
    ['no quote', { nonce: 'a"b' }],
    ['no quote', { key: 'a\nb' }],
    ['no header', { 'content-type': 'a\r\nb: c' }],
    ["Unknown option '--bogus'", { bogus: 'x' }],
  ])('ends with code 2 and says "%s"', async (mistake, options) => {
    const { code, out, err } = await sign(options);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(mistake);
    expect(err).toContain('Usage: heliograph sign');
  });

  test('explains itself, and warns of secrets on the command line', async () => {
    const { code, out } = await run('sign', '--help');

    expect(code).toBe(0);
    expect(out).toMatch(/--secret SECRET .*Everybody on this machine can read it/);
  });
});

describe('heliograph', () => {
  test.each([['--help'], ['help']])('lists its commands with %s', async (argument) => {
    const { code, out } = await run(argument);

    expect(code).toBe(0);
    expect(out).toContain('  sign ');
  });

  test.each([
    ['Name a command.', []],
    ['There is no command sing.', ['sing']],
    ['There is no command toString.', ['toString']],
  ])('ends with code 2 and says "%s"', async (mistake, args) => {
    const { code, out, err } = await run(...args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(mistake);
    expect(err).toContain('  sign ');
  });
});
