import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A file of the built page, as it is sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly etag: string;
  /** Its name changes with what is in it. */
  readonly isImmutable: boolean;
  readonly plain: Buffer;
  /** The same in the encodings in which the build left it. */
  readonly encoded: ReadonlyMap<Encoding, Buffer>;
}

export const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** The built page: found by names, such as `assets/app-1a2b3c4d.js`, and by nothing else. */
export interface ConsoleFiles {
  /** With its placeholders. */
  readonly index: string;
  readonly files: ReadonlyMap<string, ConsoleFile>;
}

const INDEX = 'index.html';
const SUFFIXES: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' };
const HASHED = /^assets\/.*-[\w-]{8,}\.\w+$/;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/**
 * Reads the folder into memory, once: afterwards no request comes near the file system, whatever path it makes up. Undefined where there is
 * no built page. Source maps stay out.
 */
export function readConsoleFiles(folder: string): ConsoleFiles | undefined {
  if (!existsSync(path.join(folder, INDEX))) return undefined;
  const names = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(path.join(folder, name)).isFile())
      .map((name) => name.split(path.sep).join('/')),
  );
  const read = (name: string) => readFileSync(path.join(folder, name));
  const isShown = (name: string) =>
    name !== INDEX &&
    !name.endsWith('.map') &&
    !Object.values(SUFFIXES).some(
      (suffix) => name.endsWith(suffix) && names.has(name.slice(0, -suffix.length)),
    );

  return {
    index: read(INDEX).toString(),
    files: new Map(
      [...names].filter(isShown).map((name) => {
        const plain = read(name);
        const encoded = ENCODINGS.flatMap((encoding) => {
          const other = name + SUFFIXES[encoding];
          return names.has(other) ? [[encoding, read(other)] as const] : [];
        });
        const file: ConsoleFile = {
          type: TYPES[path.extname(name)] ?? 'application/octet-stream',
          // Weak: the same in every encoding.
          etag: `W/"${createHash('sha256').update(plain).digest('base64url')}"`,
          isImmutable: HASHED.test(name),
          plain,
          encoded: new Map(encoded),
        };
        return [name, file];
      }),
    ),
  };
}
