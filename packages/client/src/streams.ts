import { HeliographError, type Failure } from './error.ts';
import { EventStreamParser, type ServerSentBlock } from './event-stream.ts';
import { toFailure } from './exchange.ts';
import type { InboxMessageSummary, RunProgress } from './generated/schemas.ts';
import type { CallOptions, Endpoint, Http, OpenStream } from './http.ts';
import { mayRepeat, toWaitMs, type Attempt } from './retry.ts';

export interface StreamOptions extends Pick<CallOptions, 'signal' | 'correlationId'> {
  /** A connection that is silent for so long is taken for lost, ms; 45,000 unless given. The server shows every 15 s that it lives. */
  readonly idleTimeoutMs?: number | undefined;
}

export interface InboxStreamOptions extends StreamOptions {
  /** Begins after this number; 0 with the oldest message. With what comes from now on unless given. */
  readonly lastEventId?: number | undefined;
}

export interface InboxEvent {
  /** Counts the user's messages. Keep the last one, and give it as `lastEventId` to go on after it. */
  readonly id: number;
  readonly message: InboxMessageSummary;
}

const IDLE_MS = 45_000;
/** How long to wait after a stream that ended, unless the server says so. */
const RETRY_MS = 1000;
const MAX_WAIT_MS = 30_000;

/** What comes into an inbox, each message once and in order, over any number of connections. */
export async function* followInbox(
  http: Http,
  endpoint: Endpoint,
  { lastEventId, ...options }: InboxStreamOptions = {},
): AsyncGenerator<InboxEvent, void> {
  const position = { id: lastEventId === undefined ? undefined : String(lastEventId) };
  for await (const { event, data } of follow(http, endpoint, position, options)) {
    if (event !== 'message' || data === undefined) continue;
    const message: InboxMessageSummary = JSON.parse(data);
    yield { id: Number(position.id), message };
  }
}

/** How far a run is, until it is over. */
export async function* followRun(
  http: Http,
  endpoint: Endpoint,
  options: StreamOptions = {},
): AsyncGenerator<RunProgress, void> {
  for await (const { event, data } of follow(http, endpoint, undefined, options)) {
    if (event === 'end') return;
    if (event !== 'progress' || data === undefined) continue;
    const progress: RunProgress = JSON.parse(data);
    yield progress;
  }
}

/** The blocks of one connection after the other. `position` is where the next one goes on. */
async function* follow(
  http: Http,
  endpoint: Endpoint,
  position: { id: string | undefined } | undefined,
  { idleTimeoutMs: idleMs = IDLE_MS, ...options }: StreamOptions,
): AsyncGenerator<ServerSentBlock, void> {
  const { signal } = options;
  let failures = 0;
  let retryMs = RETRY_MS;
  for (let connections = 1; ; connections += 1) {
    signal?.throwIfAborted();
    const headers: Record<string, string> =
      position?.id === undefined ? {} : { 'last-event-id': position.id };
    const opened = await http.openStream(endpoint, headers, { ...options, idleMs });
    let failure = opened.isAnswered ? undefined : opened.failure;
    if (opened.isAnswered) {
      for await (const read of readBlocks(opened.answer, signal)) {
        if (!read.isAnswered) {
          failure = read.failure;
          continue;
        }
        const block = read.answer;
        failures = 0;
        if (position !== undefined && block.id !== undefined) position.id = block.id;
        retryMs = block.retryMs ?? retryMs;
        yield block;
      }
    } else if (!mayRepeat(opened.failure, 'safe')) {
      throw refusedStream(endpoint, opened.failure, connections);
    }
    let waitMs = retryMs;
    if (failure !== undefined) {
      failures += 1;
      waitMs = toWaitMs(failure, failures, http.timing, MAX_WAIT_MS);
      const { code, status } = failure;
      const call = toCall(endpoint);
      http.onRetry?.({ call, attempts: failures, waitMs, code, status, idempotencyKey: undefined });
    }
    await http.timing.sleep(waitMs, signal);
  }
}

function refusedStream(endpoint: Endpoint, failure: Failure, attempts: number): HeliographError {
  return new HeliographError(failure, {
    call: toCall(endpoint),
    attempts,
    idempotencyKey: undefined,
    mayBeDone: false,
    mayRetry: false,
  });
}

function toCall({ method, path }: Endpoint): string {
  return `${method} ${path}`;
}

/** Ends where the connection does, with a failure when it was lost. The time runs only while we wait for bytes. */
async function* readBlocks(
  { body, deadline }: OpenStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Attempt<ServerSentBlock>, void> {
  const parser = new EventStreamParser();
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  try {
    for (;;) {
      deadline.restart();
      const { done, value } = await reader.read();
      deadline.stop();
      if (done) return;
      for (const answer of parser.push(value)) yield { isAnswered: true, answer };
    }
  } catch (error) {
    yield { isAnswered: false, failure: toFailure(error, { signal }, deadline) };
  } finally {
    deadline.stop();
    await reader.cancel().catch(() => undefined);
  }
}
