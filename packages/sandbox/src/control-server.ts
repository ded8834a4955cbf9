import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseAnswer } from './answers/parse-answer.ts';
import type { Answer, PushProvider, SandboxProvider } from './answers/answer.ts';
import type { ScriptBook, ScriptTarget } from './answers/script-book.ts';
import type { TokenFaults } from './answers/token-faults.ts';
import type { CallbackKeys } from './callbacks/callback-endpoint.ts';
import type { CallbackLog } from './callbacks/callback-log.ts';
import { isObject, parseJson } from './json.ts';
import type { Recorder } from './recording/recorder.ts';
import { portOf, type Listener } from './transport/listener.ts';
import { readBody } from './transport/read-body.ts';

const DEFAULT_LIMIT = 100;
const PUSH_PROVIDERS: readonly PushProvider[] = ['apns', 'fcm', 'proxy'];
const PROVIDERS: readonly SandboxProvider[] = [...PUSH_PROVIDERS, 'google-token', 'callback'];

export interface ControlDeps {
  readonly recorder: Recorder;
  readonly scripts: ScriptBook;
  readonly script: (
    provider: SandboxProvider,
    target: ScriptTarget,
    answers: readonly Answer[],
  ) => void;
  readonly tokenFaults: readonly TokenFaults[];
  readonly callbackKeys: CallbackKeys;
  readonly callbackLog: CallbackLog;
}

/** Plain HTTP on 127.0.0.1 for shells and other languages. */
export async function openControlServer(deps: ControlDeps, port: number): Promise<Listener> {
  const server = createServer((request, response) => {
    readBody(request, (body) => answer(deps, request, response, body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  deps: ControlDeps,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  switch (`${method} ${pathname}`) {
    case 'GET /health':
      return send(response, 200, { status: 'ok' });
    case 'GET /received':
      return send(response, 200, listReceived(deps.recorder, searchParams));
    case 'DELETE /received':
      deps.recorder.clear();
      deps.callbackLog.clear();
      for (const faults of deps.tokenFaults) faults.clear();
      return send(response, 200, {});
    case 'POST /script':
      return addOrExplain(response, () => addScript(deps, body));
    case 'DELETE /script':
      deps.scripts.clear();
      return send(response, 200, {});
    case 'POST /callbacks/keys':
      return addOrExplain(response, () => addCallbackKey(deps, body));
    case 'GET /callbacks':
      return send(response, 200, listCallbacks(deps.callbackLog, searchParams));
    default:
      return send(response, 404, { error: `There is no ${method} ${pathname}.` });
  }
}

function listReceived(recorder: Recorder, query: URLSearchParams): Record<string, unknown> {
  const token = query.get('token');
  const wanted = query.get('provider');
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  const providers = PUSH_PROVIDERS.filter((name) => wanted === null || wanted === name);
  return Object.fromEntries(
    providers.map((provider) => {
      const pushes = recorder.list({ provider, ...(token !== null && { token }) });
      const totals = recorder.totals(provider);
      const accepted = pushes.filter((push) => push.accepted).length;
      // The counters know more than the ring, but not of single tokens.
      const counts = token === null ? totals : { count: pushes.length, accepted };
      return [provider, { ...counts, pushes: limit > 0 ? pushes.slice(-limit) : [] }];
    }),
  );
}

function listCallbacks(log: CallbackLog, query: URLSearchParams): Record<string, unknown> {
  const wanted = query.get('key');
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  return Object.fromEntries(
    log
      .keys()
      .filter((key) => wanted === null || wanted === key)
      .map((key) => {
        const { events, ...counts } = log.summary(key);
        const last = limit > 0 ? events.slice(-limit).map(({ content }) => content) : [];
        const refusals = log.calls(key).flatMap(({ refusal }) => refusal ?? []);
        return [
          key,
          { ...counts, refusals: refusals.slice(-limit), count: events.length, events: last },
        ];
      }),
  );
}

function addOrExplain(response: ServerResponse, add: () => void): void {
  try {
    add();
    send(response, 200, {});
  } catch (error) {
    send(response, 400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function addScript(deps: ControlDeps, body: string): void {
  const script = parseScript(parseJson(body));
  deps.script(script.provider, script.target, script.answers);
}

function addCallbackKey({ callbackKeys }: ControlDeps, body: string): void {
  const input = parseJson(body);
  const [key, secret] = isObject(input) ? [input['key'], input['secret']] : [];
  if (typeof key !== 'string' || typeof secret !== 'string') {
    throw new TypeError('`key` and `secret` must be strings.');
  }
  callbackKeys.add(key, secret);
}

function parseScript(input: unknown) {
  if (!isObject(input)) throw new TypeError('A script is a JSON object.');
  const provider = PROVIDERS.find((name) => name === input['provider']);
  if (!provider) throw new TypeError(`\`provider\` must be one of ${PROVIDERS.join(', ')}.`);
  const { answers } = input;
  if (!Array.isArray(answers)) throw new TypeError('`answers` must be an array.');

  const target: Record<string, string> = {};
  for (const name of ['token', 'environment', 'apnsTopic', 'projectId']) {
    const value = input[name];
    if (typeof value === 'string') target[name] = value;
    else if (value !== undefined) throw new TypeError(`\`${name}\` must be a string.`);
  }
  return { provider, target, answers: answers.map(parseAnswer) };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
