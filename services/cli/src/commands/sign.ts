import { UsageError, type Command, type CommandIo } from '../command.ts';
import { toCurl } from '../curl.ts';
import { parseOptions, required } from '../parse-options.ts';
import { signHeaders } from '../sign-headers.ts';

const HELP = `Usage: heliograph sign --key KEY --secret-file FILE --url URL [--body JSON | --body-file FILE]

Signs a request to /api/1.0 (M800), and prints its headers and a line for curl that sends it. The line is good for
one request within five minutes: its date and its nonce are signed.

  --key KEY            the developer key
  --secret-file FILE   the file that holds its secret; a line break at its end does not count
  --secret-env NAME    the environment variable that holds it
  --secret SECRET      the secret itself. Everybody on this machine can read it in the list of processes, and your
                       shell keeps it in its history: use it for trying out only
  --method METHOD      POST unless given
  --url URL            where the request goes, with its query
  --body TEXT          the body
  --body-file FILE     the file that holds the body
  --content-type TYPE  application/json unless given; it counts where there is a body
  --nonce NONCE        a random one unless given
  --date DATE          now unless given, such as 'Thu, 12 Sep 2013 18:49:58 GMT'
`;

export const SIGN: Command = {
  summary: 'prints the headers of a signed request, and a line for curl',
  help: HELP,
  run: sign,
};

function sign(args: readonly string[], io: CommandIo): number {
  const { values } = parseOptions(args, OPTIONS);
  const url = parseUrl(required('--url', values.url));
  const method = required('--method', values.method).toUpperCase();
  const body = readBody(values, io);
  const headers = signHeaders({
    key: required('--key', values.key),
    secret: readSecret(values, io),
    method,
    uri: url.pathname + url.search,
    body,
    contentType: values['content-type'],
    nonce: values.nonce,
    date: values.date ?? io.now().toUTCString(),
  });

  for (const [name, value] of headers) io.out(`${name}: ${value}\n`);
  const bodyFile = values['body-file'];
  const sent =
    body.length === 0 ? undefined : bodyFile === undefined ? { text: body } : { file: bodyFile };
  io.out(`\n${toCurl({ method, url: url.origin + url.pathname + url.search, headers, sent })}\n`);
  return 0;
}

const OPTIONS = {
  key: { type: 'string' },
  'secret-file': { type: 'string' },
  'secret-env': { type: 'string' },
  secret: { type: 'string' },
  method: { type: 'string', default: 'POST' },
  url: { type: 'string' },
  body: { type: 'string' },
  'body-file': { type: 'string' },
  'content-type': { type: 'string', default: 'application/json' },
  nonce: { type: 'string' },
  date: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseOptions<typeof OPTIONS>>['values'];

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--url ${text} is no URL of http or https.`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError('--url must not hold a user or a password.');
  return url;
}

function readSecret(values: Options, io: CommandIo): string {
  const given = ['secret-file', 'secret-env', 'secret'] as const;
  if (given.filter((name) => values[name] !== undefined).length !== 1)
    throw new UsageError('Give one of --secret-file, --secret-env and --secret.');
  return required('The secret', findSecret(values, io));
}

function findSecret(values: Options, io: CommandIo): string | undefined {
  if (values['secret-file'] !== undefined)
    return readFile('--secret-file', values['secret-file'], io)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  if (values['secret-env'] !== undefined) return io.env[values['secret-env']];
  return values.secret;
}

function readBody(values: Options, io: CommandIo): Buffer {
  if (values.body !== undefined && values['body-file'] !== undefined)
    throw new UsageError('Give --body or --body-file, not both.');
  if (values['body-file'] !== undefined) return readFile('--body-file', values['body-file'], io);
  return Buffer.from(values.body ?? '', 'utf8');
}

function readFile(option: string, path: string, io: CommandIo): Buffer {
  try {
    return io.readFile(path);
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${String(error)}`);
  }
}
