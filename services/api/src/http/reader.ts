import type { TSchema } from '@sinclair/typebox';

/** Brings a value of the wire closer to its schema; what it cannot, it leaves for the validator to refuse. */
export type Reader = (value: unknown) => unknown;

/**
 * Reads JSON as the original server's mapper does: null is absent, numbers and booleans are taken from strings and strings from
 * them, an empty string is no number, fractions are cut off integers, unknown fields are dropped. Inside an object without
 * properties of its own (`extras`) everything stays as it is. A number too big to be exact becomes no text: it would name another
 * user or application than the caller wrote.
 */
export function compileReader(schema: TSchema): Reader {
  switch (schema['type']) {
    case 'object':
      return compileObjectReader(schema);
    case 'array': {
      const readItem = compileReader(schema['items']);
      return (value) => (Array.isArray(value) ? value.map(readItem) : value);
    }
    case 'integer':
      return readInteger;
    case 'number':
      return readNumber;
    case 'boolean':
      return readBoolean;
    case 'string':
      return schema['x-any-case'] === true ? readLowerCase : readText;
    default:
      return Array.isArray(schema['type']) && schema['type'].includes('integer')
        ? readNumberAsText
        : readAsIs;
  }
}

function compileObjectReader(schema: TSchema): Reader {
  const properties = Object.entries<TSchema>(schema['properties'] ?? {});
  if (properties.length === 0) return readAsIs;
  const fields = properties.map(([name, property]) => [name, compileReader(property)] as const);
  return (value) => {
    if (!isRecord(value)) return value;
    const result: Record<string, unknown> = {};
    for (const [name, read] of fields) {
      const given = value[name];
      if (given === undefined || given === null) continue;
      const known = read(given);
      if (known !== undefined) result[name] = known;
    }
    return result;
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NUMBER = /^\s*[+-]?\d+(?:\.\d+)?\s*$/;

function readInteger(value: unknown): unknown {
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  return NUMBER.test(value) ? Math.trunc(Number(value)) : value;
}

function readNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  return NUMBER.test(value) ? Number(value) : value;
}

function readBoolean(value: unknown): unknown {
  if (value === 'true') return true;
  if (value === 'false') return false;
  return value === '' ? undefined : value;
}

function readText(value: unknown): unknown {
  return isExact(value) || typeof value === 'boolean' ? String(value) : value;
}

function isExact(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function readLowerCase(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/** An id that is a number to some callers and a string to others. */
function readNumberAsText(value: unknown): unknown {
  return isExact(value) ? String(Math.trunc(value)) : value;
}

function readAsIs(value: unknown): unknown {
  return value;
}
