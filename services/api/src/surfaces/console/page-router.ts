import { randomBytes } from 'node:crypto';

import { Refusal } from '@heliograph/core';
import { Router, type Request, type Response } from 'express';

import {
  ENCODINGS,
  type ConsoleFile,
  type ConsoleFiles,
  type Encoding,
} from '../../console/console-files.ts';

export const ROOT = '/console';

/** In `index.html`; a new one each time stands in its place, and in the policy. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';
/** Likewise the path under which the page and its files are, with a slash at its end. */
const BASE_PLACEHOLDER = '__CONSOLE_BASE__';

const NONCE_BYTES = 16;
const FOR_EVER = 'public, max-age=31536000, immutable';

const HOW_TO_BUILD = `The console is not built: its page would be in services/console/dist.
Build it with: npm run build
Then start the api again.
`;

/** The page below `/console`: its files by their names, and itself at every other path, which its own router reads. */
export function pageRouter(files: ConsoleFiles | undefined, basePath: string): Router {
  const base = `${basePath === '/' ? '' : basePath}${ROOT}/`;
  const router = Router({ caseSensitive: true });
  router.use(ROOT, (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      throw new Refusal('method_not_allowed', 'This path takes GET.');
    }
    setPolicies(res);
    if (files === undefined) return sendHowToBuild(res);
    const name = toName(req);
    const file = files.files.get(name);
    if (file !== undefined) return sendFile(req, res, file);
    if (name.startsWith('assets/'))
      throw new Refusal('not_found', 'The page has no such file: it may be of another version.');
    sendIndex(res, files.index, base);
  });
  return router;
}

/** Refuses what no link of ours says. Names are looked up, not opened, so this keeps nobody out of anything. */
function toName({ path }: Request): string {
  let name: string;
  try {
    name = decodeURIComponent(path).replace(/^\//, '');
  } catch {
    throw new Refusal('invalid_request', 'The path is malformed.');
  }
  if (/[\\\0]/.test(name) || name.split('/').some((step) => step === '..' || step === '.'))
    throw new Refusal('not_found', 'There is nothing at this path.');
  return name;
}

function setPolicies(res: Response, nonce?: string): void {
  res.setHeader('Content-Security-Policy', toPolicy(nonce));
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  res.setHeader(
    'Permissions-Policy',
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()',
  );
}

/** Nothing from elsewhere, and no script in the page. Elements with the nonce may style it, as may attributes: components set sizes by them. */
function toPolicy(nonce: string | undefined): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${nonce === undefined ? '' : ` 'nonce-${nonce}'`}`,
    "style-src-attr 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
}

function sendHowToBuild(res: Response): void {
  res.statusCode = 404;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end(HOW_TO_BUILD);
}

function sendIndex(res: Response, index: string, base: string): void {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  setPolicies(res, nonce);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  const page = index.replaceAll(NONCE_PLACEHOLDER, nonce).replaceAll(BASE_PLACEHOLDER, base);
  res.setHeader('Content-Length', Buffer.byteLength(page));
  res.end(page);
}

function sendFile(req: Request, res: Response, file: ConsoleFile): void {
  res.setHeader('Cache-Control', file.isImmutable ? FOR_EVER : 'no-cache');
  res.setHeader('ETag', file.etag);
  if (file.encoded.size > 0) res.setHeader('Vary', 'Accept-Encoding');
  if (isKnown(req, file.etag)) {
    res.statusCode = 304;
    return void res.end();
  }
  const encoding = ENCODINGS.find((one) => file.encoded.has(one) && accepts(req, one));
  const body = (encoding && file.encoded.get(encoding)) ?? file.plain;
  if (encoding !== undefined) res.setHeader('Content-Encoding', encoding);
  res.setHeader('Content-Type', file.type);
  res.setHeader('Content-Length', body.length);
  res.end(body);
}

function isKnown({ headers }: Request, etag: string): boolean {
  const known = headers['if-none-match'] ?? '';
  return known.split(',').some((one) => one.trim() === etag);
}

function accepts({ headers }: Request, encoding: Encoding): boolean {
  const accepted = (headers['accept-encoding'] ?? '').toLowerCase();
  return accepted.split(',').some((entry) => {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    return name === encoding && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one));
  });
}
