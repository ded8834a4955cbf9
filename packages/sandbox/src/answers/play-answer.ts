import type { Exchange, HttpAnswer } from '../transport/exchange.ts';
import type { Answer, Refuse } from './answer.ts';

/** How a provider words what every provider can say. */
export interface Wording {
  accept(): HttpAnswer;
  refuse(refusal: Refuse): HttpAnswer;
}

/** Gives the answer to the client, after its delay. Answers to a client that has gone away are dropped. */
export function playAnswer(exchange: Exchange, answer: Answer, wording: Wording): void {
  if (answer.delayMs === undefined) return play(exchange, answer, wording);
  // Not waited for at close: nobody is there to hear it then.
  setTimeout(() => play(exchange, answer, wording), answer.delayMs).unref();
}

function play(exchange: Exchange, answer: Answer, wording: Wording): void {
  switch (answer.kind) {
    case 'accept':
      exchange.respond(wording.accept());
      break;
    case 'refuse':
      exchange.respond(withRetryAfter(wording.refuse(answer), answer));
      break;
    case 'raw':
      exchange.respond(
        withRetryAfter(
          {
            status: answer.status,
            headers: { 'content-type': answer.contentType ?? 'text/html; charset=UTF-8' },
            body: answer.body ?? `<html><title>Error ${answer.status}</title></html>`,
          },
          answer,
        ),
      );
      break;
    case 'silence':
      break;
    case 'goaway':
      if (answer.streams === 'answer') exchange.respond(wording.accept());
      exchange.goaway(answer.streams, answer.reason);
      break;
    case 'fin':
      exchange.closeConnection();
      break;
    case 'tcp-reset':
      exchange.resetConnection();
      break;
    case 'reset-unread':
      exchange.resetConnection();
      break;
    case 'redirect': {
      const { location = exchange.path, status = 307 } = answer;
      exchange.respond({ status, headers: { location } });
      break;
    }
    case 'endless':
      exchange.respondEndlessly(answer.everyMs ?? 0);
      break;
    case 'rst-stream':
      exchange.resetStream(answer.code);
      break;
  }
  if (answer.streamLimit !== undefined) exchange.limitStreams(answer.streamLimit);
}

function withRetryAfter(
  http: HttpAnswer,
  {
    retryAfterSeconds,
    retryAfterAsDate,
  }: { retryAfterSeconds?: number; retryAfterAsDate?: boolean },
): HttpAnswer {
  if (retryAfterSeconds === undefined) return http;
  const value = retryAfterAsDate
    ? new Date(Date.now() + retryAfterSeconds * 1000).toUTCString()
    : String(retryAfterSeconds);
  return { ...http, headers: { ...http.headers, 'retry-after': value } };
}
