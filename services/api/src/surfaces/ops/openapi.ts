import type { TSchema } from '@sinclair/typebox';

import type { EndpointDoc, EndpointScope, Method } from '../../http/endpoint.ts';
import { isRecord } from '../../http/reader.ts';

export interface OpenApiOptions {
  readonly endpoints: readonly EndpointDoc[];
  /** The body of every refusal. */
  readonly error: unknown;
}

const INFO = {
  title: 'Heliograph',
  version: '1',
  description: [
    'Push notifications over HTTP, in the dialect of PowerAuth Push Server.',
    'In requests null means absent, unknown fields are ignored, numbers and booleans may come as strings and strings as numbers.',
  ].join(' '),
};

/** The OpenAPI 3.1 document. Schemas with a title become components; each alias of an endpoint is an operation of its own. */
export function toOpenApi({ endpoints, error }: OpenApiOptions): Record<string, unknown> {
  const schemas: Record<string, unknown> = {};
  const toSchema = (schema: unknown): unknown => hoist(schema, schemas);

  const refused = { description: 'Refused', content: toContent(toSchema(error)) };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints)
    for (const path of endpoint.paths)
      for (const method of endpoint.methods) {
        const name = path.replaceAll(/:(\w+)/g, '{$1}');
        const operations = (paths[name] ??= {});
        operations[method] = toOperation(endpoint, method, path, toSchema, refused);
      }
  return {
    openapi: '3.1.0',
    info: INFO,
    // Relative to this document, whatever path the server is mounted at.
    servers: [{ url: '..' }],
    paths,
    security: [{ apiKey: [] }, { apiKeyBasic: [] }],
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).toSorted(byName)),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const SECURITY_SCHEMES = {
  apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'hg_<id>_<secret>' },
  apiKeyBasic: {
    type: 'http',
    scheme: 'basic',
    description: 'The id of an API key as user name, its secret as password.',
  },
};

function toScopeWords(scope: EndpointScope): string {
  return scope === 'open'
    ? 'Open to everybody.'
    : `Takes an API key with the scope ${[...new Set([...scope, 'admin'])].join(' or ')}.`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function toOperation(
  endpoint: EndpointDoc,
  method: Method,
  path: string,
  toSchema: (schema: unknown) => unknown,
  refused: unknown,
) {
  const parameters = [...toParameters(endpoint, toSchema), ...toHeaders(endpoint)];
  const isAlias = method !== endpoint.methods[0] || path !== endpoint.paths[0];
  return {
    tags: [endpoint.tag],
    summary: endpoint.summary,
    operationId: toOperationId(method, path),
    description: [
      toScopeWords(endpoint.scope),
      ...(isAlias ? [`The same as ${endpoint.methods[0]} ${endpoint.paths[0]}.`] : []),
    ].join(' '),
    ...(endpoint.scope === 'open' ? { security: [] } : {}),
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
      '200': {
        description: 'OK',
        content: { [endpoint.answerType]: { schema: toSchema(endpoint.answer) } },
      },
      default: refused,
    },
  };
}

function toParameters(endpoint: EndpointDoc, toSchema: (schema: unknown) => unknown) {
  const { from, request, params } = endpoint;
  const places = [['path', params] as const, [from, request] as const];
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

function toHeaders({ headers }: EndpointDoc) {
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
