import { Refusal, type Violation } from '@heliograph/core';
import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

import { FORMATS, isStorableJson } from './formats.ts';
import { compileReader } from './reader.ts';

/** A violation as the extended error of the wire shows it. */
export interface FieldViolation extends Violation {
  readonly invalidValue: unknown;
}

export interface ParserOptions {
  /** Names every wrong field, as data of the refusal; otherwise the first one ends it. */
  readonly listViolations?: boolean;
}

const AJV_OPTIONS = { allowUnionTypes: true, verbose: true, ownProperties: true } as const;
const firstError = createAjv({ ...AJV_OPTIONS });
const allErrors = createAjv({ ...AJV_OPTIONS, allErrors: true });

/** Made once per schema, and then used for every request. The parser refuses with `invalid_request`, naming the field. */
export function compileParser<T extends TSchema>(
  schema: T,
  { listViolations = false }: ParserOptions = {},
): (value: unknown) => Static<T> {
  const read = compileReader(schema);
  const validate = (listViolations ? allErrors : firstError).compile<Static<T>>(schema);
  return (value) => {
    // A request without a body is a request without fields.
    const known = read(value ?? {});
    if (validate(known)) return known;
    const violations = (validate.errors ?? []).map(toViolation);
    const message = violations.map(({ fieldName, hint }) => `${fieldName} ${hint}.`).join(' ');
    throw new Refusal('invalid_request', message, listViolations ? { violations } : {});
  };
}

function createAjv(options: ConstructorParameters<typeof Ajv>[0]): Ajv {
  const ajv = new Ajv(options);
  for (const [name, { validate }] of Object.entries(FORMATS)) ajv.addFormat(name, validate);
  // What it says of itself in the OpenAPI document; the reader acts on it.
  ajv.addVocabulary(['x-any-case', 'x-hint']);
  ajv.addKeyword({
    keyword: 'x-storable',
    type: 'object',
    schemaType: 'boolean',
    validate: (_schema: boolean, data: unknown) => isStorableJson(data),
    errors: false,
  });
  return ajv;
}

function toViolation(error: ErrorObject): FieldViolation {
  const missing = error.keyword === 'required' ? [String(error.params['missingProperty'])] : [];
  const path = [...error.instancePath.split('/').slice(1), ...missing];
  return {
    fieldName: toFieldName(path) || 'The request',
    // What was sent may be a key; it is shown only where it is short and no text.
    invalidValue:
      typeof error.data === 'number' || typeof error.data === 'boolean' ? error.data : null,
    hint: toHint(error),
  };
}

function toFieldName(path: readonly string[]): string {
  return path
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

function toHint({ keyword, params, parentSchema, message }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'minLength':
      return params['limit'] === 1
        ? 'must not be empty'
        : `must have at least ${params['limit']} characters`;
    case 'maxLength':
      return `must have at most ${params['limit']} characters`;
    case 'enum':
      return `must be one of ${[params['allowedValues']].flat().join(', ')}`;
    case 'format':
      return FORMATS[String(params['format'])]?.hint ?? 'has the wrong format';
    case 'pattern':
      // In words, since few callers read expressions: each pattern has its own.
      return typeof parentSchema?.['x-hint'] === 'string'
        ? parentSchema['x-hint']
        : 'has a value that is not allowed';
    case 'x-storable':
      return 'must not contain NUL characters, lone surrogates, or more than 32 levels';
    default:
      return message ?? 'is not valid';
  }
}
