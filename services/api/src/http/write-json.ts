import type { ServerResponse } from 'node:http';

/** Express' own `json` would look for ETags, formats and settings on each answer. */
export function writeJson(res: ServerResponse, status: number, body: unknown): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(body));
}
