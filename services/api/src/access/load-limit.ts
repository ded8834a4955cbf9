import type { RequestListener, ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';

/** Bounds the requests that are worked on at once: what is over it would only wait, and fill our memory meanwhile. */
export interface LoadLimit {
  isFull(): boolean;
  /** One was turned away before anything was made of it. */
  noteShed(): void;
  /** Counts the request until its answer is over. Refuses it where there are too many. */
  enter(res: ServerResponse): void;
}

export function createLoadLimit({
  maxRequests,
  onShed,
}: {
  readonly maxRequests: number;
  readonly onShed: () => void;
}): LoadLimit {
  let open = 0;
  const leave = () => {
    open -= 1;
  };
  return {
    isFull: () => open >= maxRequests,
    noteShed: onShed,
    enter(res) {
      if (open >= maxRequests) {
        onShed();
        throw toRefusal();
      }
      open += 1;
      // Comes after the last byte, and when the caller goes before that.
      res.once('close', leave);
    },
  };
}

function toRefusal(): Refusal {
  return new Refusal('overloaded', 'There are more requests than this server can take now.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

const RETRY_AFTER_SECONDS = 1;
/** Health is told while we are busy, too; and signed requests have a shape of their own, in which they are refused later. */
const PASSED = /\/(?:actuator|api\/1\.0)\//;

/**
 * Refuses requests before anything is made of them: while there are too many, what a refusal costs is taken from those that were accepted.
 */
export function shedding(
  load: LoadLimit,
  render: (refusal: Refusal) => unknown,
  listener: RequestListener,
): RequestListener {
  const body = JSON.stringify(render(toRefusal()));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Retry-After': RETRY_AFTER_SECONDS,
  };
  return (req, res) => {
    if (!load.isFull() || PASSED.test(req.url ?? '')) return listener(req, res);
    load.noteShed();
    res.writeHead(503, headers).end(body);
  };
}
