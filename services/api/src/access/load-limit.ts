import type { ServerResponse } from 'node:http';

import { Refusal } from '@heliograph/core';

/** Bounds the requests that are worked on at once: what is over it would only wait, and fill our memory meanwhile. */
export interface LoadLimit {
  /** Counts the request until its answer is over. Refuses it where there are too many. */
  enter(res: ServerResponse): void;
}

export function createLoadLimit({ maxRequests }: { readonly maxRequests: number }): LoadLimit {
  let open = 0;
  const leave = () => {
    open -= 1;
  };
  return {
    enter(res) {
      if (open >= maxRequests)
        throw new Refusal('overloaded', 'There are more requests than this server can take now.', {
          retryAfterSeconds: 1,
        });
      open += 1;
      // Comes after the last byte, and when the caller goes before that.
      res.once('close', leave);
    },
  };
}
