import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import { beginAnswer } from './begin-answer.ts';
import type { AnswerError } from './error-handler.ts';
import { refuseHeaderFlood } from './header-flood.ts';
import type { Serve } from './mount-routes.ts';

export interface ExactPathsDeps {
  /** By method and path. */
  readonly exact: ReadonlyMap<string, Serve>;
  /** All of them are found under each; `/` for none. */
  readonly basePaths: readonly string[];
  readonly answerError: AnswerError;
}

/**
 * Serves what names an endpoint to the letter without Express, whose way there was measured to be a third of what a message costs us.
 * All else comes to the same endpoints through Express: a query, a slash at the end, HEAD, a path that names something.
 */
export function exactPaths(
  { exact, basePaths, answerError }: ExactPathsDeps,
  express: RequestListener,
): RequestListener {
  const served = new Map(
    basePaths.flatMap((base) => [...exact].map(([name, serve]) => [under(base, name), serve])),
  );
  return (req, res) => {
    const serve = served.get(`${req.method} ${req.url}`);
    if (serve === undefined) return express(req, res);
    answer(serve, req, res).catch((error: unknown) => answerError(error, req, res));
  };
}

/** `POST /push/message/send` is `POST /base/push/message/send` there. */
function under(base: string, name: string): string {
  return base === '/' ? name : name.replace(' ', ` ${base}`);
}

const NONE = {};

async function answer(serve: Serve, req: IncomingMessage, res: ServerResponse): Promise<void> {
  beginAnswer(req, res);
  refuseHeaderFlood(req);
  await serve(Object.assign(req, { query: NONE, params: NONE }), res);
}
