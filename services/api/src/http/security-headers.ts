import type { ServerResponse } from 'node:http';

/** The answers are data: nothing frames, sniffs, stores or runs them. Pages of ours set a policy of their own. */
export function setSecurityHeaders(res: ServerResponse): void {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('X-Frame-Options', 'DENY');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Security-Policy', "default-src 'none'");
}
