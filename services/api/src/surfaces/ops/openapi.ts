import type { TSchema } from '@sinclair/typebox';

import type { EndpointDoc, EndpointScope, Method } from '../../http/endpoint.ts';
import { isRecord } from '../../http/reader.ts';

/** An endpoint, as the document describes it. */
export interface DescribedEndpoint extends Omit<EndpointDoc, 'scope' | 'readsOnly'> {
  /** Undefined where the surface says for all of its endpoints who may call them. */
  readonly scope?: EndpointScope;
}

/** How callers show who they are where that is not by API keys. */
export interface DescribedSecurity {
  readonly name: string;
  /** What the description of each operation says of it. */
  readonly words: string;
  /** A Security Scheme Object of OpenAPI. */
  readonly scheme: Readonly<Record<string, string>>;
}

/** A wire, as the document describes it. */
export interface DescribedSurface {
  readonly endpoints: readonly DescribedEndpoint[];
  /** By API keys and their scopes unless given. */
  readonly security?: DescribedSecurity;
  /** The body of every refusal. */
  readonly error: unknown;
}

const INFO = {
  title: 'Heliograph',
  version: '1',
  description: [
    'Push notifications over HTTP, in the dialect of PowerAuth Push Server, and signed ones as M800 has them.',
    'In requests null means absent, unknown fields are ignored, numbers and booleans may come as strings and strings as numbers.',
  ].join(' '),
};

/** The OpenAPI 3.1 document. Schemas with a title become components; each alias of an endpoint is an operation of its own. */
export function toOpenApi(surfaces: readonly DescribedSurface[]): Record<string, unknown> {
  const schemas: Record<string, unknown> = {};
  const toSchema = (schema: unknown): unknown => hoist(schema, schemas);
  const paths: Record<string, Record<string, unknown>> = {};

  function describe(endpoint: DescribedEndpoint, surface: DescribedSurface): void {
    for (const path of endpoint.paths)
      for (const method of endpoint.methods) {
        const name = path.replaceAll(/:(\w+)/g, '{$1}');
        const operations = (paths[name] ??= {});
        operations[method] = toOperation(endpoint, method, path, toSchema, surface);
      }
  }

  for (const surface of surfaces)
    for (const endpoint of surface.endpoints) describe(endpoint, surface);
  return {
    openapi: '3.1.0',
    info: INFO,
    // Relative to this document, whatever path the server is mounted at.
    servers: [{ url: '..' }],
    paths,
    security: [{ apiKey: [] }, { apiKeyBasic: [] }, { consoleSession: [] }],
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).toSorted(byName)),
      securitySchemes: {
        ...KEY_SCHEMES,
        ...Object.fromEntries(
          surfaces.flatMap(({ security }) => (security ? [[security.name, security.scheme]] : [])),
        ),
      },
    },
  };
}

const KEY_SCHEMES = {
  apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'hg_<id>_<secret>' },
  apiKeyBasic: {
    type: 'http',
    scheme: 'basic',
    description: 'The id of an API key as user name, its secret as password.',
  },
};

function toAccessWords(scope: EndpointScope | undefined, { security }: DescribedSurface): string {
  if (scope === undefined) return security?.words ?? '';
  return scope === 'open'
    ? 'Open to everybody.'
    : `Takes an API key, or a user of the console, with the scope ${[...new Set([...scope, 'admin'])].join(' or ')}.`;
}

/** Nothing where it is by API keys, as the whole document says. */
function toSecurity(scope: EndpointScope | undefined, { security }: DescribedSurface) {
  if (scope === 'open') return { security: [] };
  return security === undefined ? {} : { security: [{ [security.name]: [] }] };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function toOperation(
  endpoint: DescribedEndpoint,
  method: Method,
  path: string,
  toSchema: (schema: unknown) => unknown,
  surface: DescribedSurface,
) {
  const parameters = [...toParameters(endpoint, toSchema), ...toHeaders(endpoint)];
  const isAlias = method !== endpoint.methods[0] || path !== endpoint.paths[0];
  return {
    tags: [endpoint.tag],
    summary: endpoint.summary,
    operationId: toOperationId(method, path),
    description: [
      toAccessWords(endpoint.scope, surface),
      ...(isAlias ? [`The same as ${endpoint.methods[0]} ${endpoint.paths[0]}.`] : []),
    ].join(' '),
    ...toSecurity(endpoint.scope, surface),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.from === 'body'
      ? {
          requestBody: {
            required: toRequired(endpoint.request).length > 0,
            content: toContent(toSchema(endpoint.request)),
          },
        }
      : {}),
    responses: {
      ...toSuccess(endpoint, toSchema),
      default: { description: 'Refused', content: toContent(toSchema(surface.error)) },
    },
  };
}

function toSuccess(
  { answer, answerType, leadsTo }: DescribedEndpoint,
  toSchema: (schema: unknown) => unknown,
) {
  if (leadsTo !== undefined) return { '303': { description: leadsTo } };
  return {
    '200': { description: 'OK', content: { [answerType]: { schema: toSchema(answer) } } },
  };
}

function toParameters(endpoint: DescribedEndpoint, toSchema: (schema: unknown) => unknown) {
  const { from, request, params, query } = endpoint;
  const places = [
    ['path', params],
    [from, request],
    ['query', query],
  ] as const;
  return places.flatMap(([place, schema]) => {
    if (schema === undefined || (place !== 'query' && place !== 'path')) return [];
    const required = toRequired(schema);
    return Object.entries(schema['properties'] ?? {}).map(([name, parameter]) => ({
      name,
      in: place,
      required: required.includes(name),
      schema: toSchema(parameter),
    }));
  });
}

function toRequired(schema: TSchema | undefined): readonly string[] {
  return schema?.['required'] ?? [];
}

function toHeaders({ headers }: DescribedEndpoint) {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
}

function toOperationId(method: Method, path: string): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== '');
  return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

function toContent(schema: unknown) {
  return { 'application/json': { schema } };
}

/** Copies a schema; parts with a title move to `schemas` and are referred to. */
function hoist(schema: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => hoist(part, schemas));
  if (!isRecord(schema)) return schema;
  // Among the properties of a schema, `title` is a schema itself.
  const { title } = schema;
  const copy = Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(key === 'title' && typeof value === 'string'))
      // Of no use to anybody but our validator.
      .filter(([key, value]) => !(key === 'format' && value === 'text'))
      .map(([key, value]) => [key, hoist(value, schemas)]),
  );
  if (typeof title !== 'string') return copy;
  schemas[title] = copy;
  return { $ref: `#/components/schemas/${title}` };
}
