import { toRefName, type Schema } from './document.ts';

/** A schema as a TypeScript type; what it refers to goes by its name. */
export function toType(schema: Schema): string {
  if (schema.$ref !== undefined) return toRefName(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.anyOf !== undefined) return union(schema.anyOf.map(toType));
  if (typeof schema.type === 'object')
    return union(schema.type.map((type) => toType({ ...schema, type })));

  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `readonly (${toType(schema.items ?? {})})[]`;
    case 'object':
      return toObject(schema);
    case undefined:
      return 'unknown';
    default:
      throw new Error(`There is no TypeScript type for ${schema.type}.`);
  }
}

function toObject(schema: Schema): string {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return 'Readonly<Record<string, unknown>>';
  return `{\n${toFields(schema).join('\n')}\n}`;
}

/** The fields of an object, each with what its schema says of it. A field that may be absent may be undefined, too. */
export function toFields({ properties = {}, required = [] }: Schema): readonly string[] {
  return Object.entries(properties).map(([name, schema]) => {
    const isRequired = required.includes(name);
    const type = `${toType(schema)}${isRequired ? '' : ' | undefined'}`;
    return `${toComment([describe(schema)])}readonly ${toKey(name)}${isRequired ? '' : '?'}: ${type};`;
  });
}

/** A named type. */
export function toDeclaration(name: string, schema: Schema): string {
  const comment = toComment([describe(schema)]);
  const isInterface = schema.type === 'object' && Object.keys(schema.properties ?? {}).length > 0;
  return isInterface
    ? `${comment}export interface ${name} ${toObject(schema)}\n`
    : `${comment}export type ${name} = ${toType(schema)};\n`;
}

/** A doc comment of these paragraphs; empty where they are. */
export function toComment(paragraphs: readonly string[]): string {
  const said = paragraphs.filter((paragraph) => paragraph !== '');
  if (said.length === 0) return '';
  if (said.length === 1) return `/** ${said[0]} */\n`;
  return `/**\n${said.map((paragraph) => ` * ${paragraph}\n`).join(' *\n')} */\n`;
}

/** What a schema says in words, its bounds, and its default. */
export function describe(schema: Schema): string {
  const words = [
    endSentence(schema.description ?? nullableDescription(schema)),
    toBounds(schema),
    schema.default === undefined ? '' : `Default: ${JSON.stringify(schema.default)}.`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** Of `anyOf` something and null, the words stand at the something. */
function nullableDescription({ anyOf = [] }: Schema): string {
  return anyOf.map(({ description = '' }) => description).find((words) => words !== '') ?? '';
}

function toBounds(schema: Schema): string {
  const { minimum, exclusiveMinimum, maxLength, maxItems } = schema;
  // Beyond what a number can hold is no bound that anybody meets.
  const maximum =
    schema.maximum === Number.MAX_SAFE_INTEGER || typeof schema.type === 'object'
      ? undefined
      : schema.maximum;
  if (maxLength !== undefined) return `At most ${maxLength} characters.`;
  if (maxItems !== undefined) return `At most ${maxItems}.`;
  if (exclusiveMinimum !== undefined)
    return maximum === undefined
      ? `Above ${exclusiveMinimum}.`
      : `Above ${exclusiveMinimum}, at most ${maximum}.`;
  if (maximum !== undefined && minimum !== undefined) return `${minimum} to ${maximum}.`;
  return '';
}

export function endSentence(words: string): string {
  const text = words.replaceAll('*/', '*\\/');
  return text === '' || /[.:!?]$/.test(text) ? text : `${text}.`;
}

function toKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}
