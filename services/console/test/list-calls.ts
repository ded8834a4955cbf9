import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { NAMES } from '../../../packages/client/generator/names.ts';

const SOURCES = path.join(__dirname, '../src');
const OPENAPI = path.join(__dirname, '../../../docs/api/openapi.json');
/** They ask by a request that is no GET, and change nothing. */
const QUESTIONS = new Set(['apps.get', 'campaigns.preview']);

/** How a method of the client asks the api. */
export interface Operation {
  readonly method: string;
  /** With `:id` where it names a thing. */
  readonly path: string;
  readonly hasBody: boolean;
}

/** By the names of the client's methods. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries(readOpenApi().paths).flatMap(([place, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId, requestBody }]) => {
      const name = NAMES[operationId]?.name;
      const hasBody = requestBody !== undefined;
      return name === undefined
        ? []
        : [[name, { method, path: place.replace('{id}', ':id'), hasBody }] as const];
    }),
  ),
);

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDoc>>>>;
}

interface OperationDoc {
  readonly operationId: string;
  readonly requestBody?: unknown;
}

function readOpenApi(): OpenApi {
  return JSON.parse(readFileSync(OPENAPI, 'utf8')) as OpenApi;
}

/** What the console's code asks of the api that changes something: `FILE GROUP.METHOD`, each once, sorted. */
export function listChanges(): readonly string[] {
  const calls = listSources().flatMap(({ name, text }) =>
    listCalls(text).map((call) => ({ name, call })),
  );
  const changes = calls.filter(
    ({ call }) => OPERATIONS.get(call)?.method !== 'get' && !QUESTIONS.has(call),
  );
  return [...new Set(changes.map(({ name, call }) => `${name} ${call}`))].toSorted();
}

/** Files that ask the api past the client. */
export function listFetchers(): readonly string[] {
  return listSources()
    .filter(({ text }) => /\bfetch\(|\bXMLHttpRequest\b|\bsendBeacon\b/.test(text))
    .map(({ name }) => name);
}

/** Where the client is called something else than `api`, its calls are not found. */
export function listOtherNames(): readonly string[] {
  return listSources().flatMap(({ name, text }) => {
    const uses = text.match(/.*\buseApi\(\).*/g) ?? [];
    return uses
      .filter((line) => !/const api = useApi\(\);/.test(line) && !line.includes('function useApi'))
      .filter((line) => !/^\s*(?:\/\*\*|\*|\/\/)/.test(line))
      .map((line) => `${name}: ${line.trim()}`);
  });
}

function listSources(): readonly { readonly name: string; readonly text: string }[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => ({
      name: name.split(path.sep).join('/'),
      text: readFileSync(path.join(SOURCES, name), 'utf8'),
    }));
}

function listCalls(text: string): readonly string[] {
  const plain = [...text.matchAll(/\bapi\s*\.\s*(\w+)\s*\.\s*(\w+)/g)].map(
    ([, group, method]) => `${group}.${method}`,
  );
  // Chosen by a name that the file spells somewhere.
  const chosen = [...text.matchAll(/\bapi\s*\.\s*(\w+)\s*\[/g)].flatMap(([, group]) =>
    [...text.matchAll(/'(\w+)'/g)].map(([, word]) => `${group}.${word}`),
  );
  return [...plain, ...chosen].filter((call) => OPERATIONS.has(call));
}
