import type { RequestHandler } from 'express';

/** The answers are data: nothing frames, sniffs, stores or runs them. Pages of ours set a policy of their own. */
export function securityHeaders(): RequestHandler {
  return (_req, res, next) => {
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('X-Frame-Options', 'DENY');
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Content-Security-Policy', "default-src 'none'");
    next();
  };
}
