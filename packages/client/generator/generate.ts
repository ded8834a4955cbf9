import {
  answerOf,
  bodyOf,
  isAlias,
  listOperations,
  parametersIn,
  takesKey,
  toRefName,
  type Document,
  type Placed,
  type Schema,
} from './document.ts';
import { GROUPS, LEFT_OUT, NAMES, type Name } from './names.ts';
import { endSentence, toComment, toDeclaration, toType } from './types.ts';

const HEADER =
  '// Made from docs/api/openapi.json by `npm run generate -w @heliograph/client`: change that, not this.\n\n';

/** The sources that are made of the document, by file name; before they are formatted. Refuses a document that `names.ts` does not fit. */
export function generate(document: Document): Readonly<Record<string, string>> {
  const methods = toMethods(document);
  const declared = { ...document.components.schemas };
  const groups = Object.entries(GROUPS).map(([group, purpose]) => {
    const own = methods.filter((method) => method.group === group);
    return toGroup(group, purpose, own, declared);
  });
  // By hand are their methods, not their types.
  for (const method of methods.filter(({ group }) => !(group in GROUPS)))
    toSignature(method, declared);

  return {
    'schemas.ts': HEADER + toDeclarations(declared),
    'endpoints.ts':
      HEADER + toImports(groups.join('\n'), declared) + groups.join('\n') + toFactory(groups),
  };
}

/** Types that say more than the document can, and where they stand. */
const BY_HAND: Readonly<Record<string, string>> = { CallbackEvent: '../callback-event.ts' };

interface Method {
  readonly group: string;
  readonly method: string;
  readonly name: Name;
  readonly placed: Placed;
}

/** Every endpoint with its name, in the order of the names. Says all that does not fit at once. */
function toMethods(document: Document): readonly Method[] {
  const endpoints = new Map(
    listOperations(document)
      .filter((placed) => !isAlias(placed))
      .map((placed) => [placed.operation.operationId, placed]),
  );
  const faults = [
    ...[...endpoints.keys()]
      .filter((id) => !(id in NAMES) && !(id in LEFT_OUT))
      .map((id) => `${id} has no name`),
    ...[...Object.keys(NAMES), ...Object.keys(LEFT_OUT)]
      .filter((id) => !endpoints.has(id))
      .map((id) => `${id} is no endpoint of the document`),
    ...[...endpoints.values()].filter(hasUnclearRepeat).map(({ operation }) => {
      return `${operation.operationId} does not say what repeating it does`;
    }),
  ];
  if (faults.length > 0) throw new Error(`generator/names.ts: ${faults.join('; ')}.`);

  return Object.entries(NAMES).flatMap(([id, name]) => {
    const placed = endpoints.get(id);
    const [group = '', method = ''] = name.name.split('.');
    return placed === undefined ? [] : [{ group, method, name, placed }];
  });
}

function hasUnclearRepeat(placed: Placed): boolean {
  const name = NAMES[placed.operation.operationId];
  if (name === undefined || name.name.startsWith('m800.')) return false;
  return placed.method !== 'get' && !takesKey(placed) && name.repeat === undefined;
}

/** What a request does when it is made again, as the client is told. */
function toRepeat({ placed, name }: Method): string {
  if (placed.method === 'get') return 'safe';
  return takesKey(placed) ? 'keyed' : (name.repeat ?? 'once');
}

interface Input {
  readonly name: 'request' | 'query' | 'users';
  readonly parameter: string;
}

interface Signature {
  readonly parameters: readonly string[];
  /** What the server answers, and what the method resolves with or goes through. */
  readonly answer: string;
  readonly returns: string;
  /** How the arguments are named where they are handed on. */
  readonly path: readonly string[];
  readonly inputs: readonly Input['name'][];
}

/** Adds the types that have no name yet to `declared`. */
function toSignature(method: Method, declared: Record<string, Schema>): Signature {
  const { placed } = method;
  const stem = pascal(method.group) + pascal(method.method);
  const path = parametersIn('path', placed);
  const inputs = toInputs(method, stem, declared);
  const answer = toAnswer(placed, stem, declared);
  return {
    parameters: [
      ...path.map((one) => `${one.name}: ${toType(one.schema)}`),
      ...inputs.map(({ parameter }) => parameter),
      `options?: ${toOptions(method)}`,
    ],
    answer,
    returns: toReturns(method, answer, declared),
    path: path.map((one) => one.name),
    inputs: inputs.map(({ name }) => name),
  };
}

function toOptions({ name, placed }: Method): string {
  if (name.follow === 'followInbox') return 'InboxStreamOptions';
  if (name.follow === 'followRun') return 'StreamOptions';
  return takesKey(placed) ? 'KeyedOptions' : 'CallOptions';
}

function toInputs(
  method: Method,
  stem: string,
  declared: Record<string, Schema>,
): readonly Input[] {
  if (method.name.audience)
    return [{ name: 'users', parameter: 'users: Iterable<string> | AsyncIterable<string>' }];
  // Settings of a call come behind what it is about.
  return [toRequest(method, stem, declared), toQuery(method, stem, declared)].filter(
    (input) => input !== undefined,
  );
}

function toQuery({ placed }: Method, stem: string, declared: Record<string, Schema>) {
  const query = parametersIn('query', placed);
  if (query.length === 0) return undefined;
  const required = query.filter((one) => one.required).map((one) => one.name);
  const properties = Object.fromEntries(query.map((one) => [one.name, one.schema]));
  declared[`${stem}Query`] = { type: 'object', properties, required };
  const mark = required.length > 0 ? '' : '?';
  return { name: 'query', parameter: `query${mark}: ${stem}Query` } as const;
}

function toRequest({ placed }: Method, stem: string, declared: Record<string, Schema>) {
  const body = bodyOf(placed);
  if (body === undefined) return undefined;
  const schema = body.properties?.['requestObject'] ?? body;
  const mark = placed.operation.requestBody?.required ? '' : '?';
  return {
    name: 'request',
    parameter: `request${mark}: ${nameOf(schema, `${stem}Request`, declared)}`,
  } as const;
}

/** The answer without its envelope. */
function toAnswer(placed: Placed, stem: string, declared: Record<string, Schema>): string {
  const answer = answerOf(placed);
  if (answer === undefined) return 'string';
  if (answer.$ref !== undefined && toRefName(answer.$ref) === 'PlainOk') return 'void';
  return nameOf(answer.properties?.['responseObject'] ?? answer, `${stem}Answer`, declared);
}

/** Gives an object without a name this one. */
function nameOf(schema: Schema, name: string, declared: Record<string, Schema>): string {
  if (schema.type !== 'object') return toType(schema);
  declared[name] = schema;
  return name;
}

function toReturns(
  { name }: Method,
  answer: string,
  declared: Readonly<Record<string, Schema>>,
): string {
  if (name.audience) return 'Promise<void>';
  if (name.follow === 'followInbox') return 'AsyncIterable<InboxEvent>';
  if (name.follow === 'followRun') return 'AsyncIterable<RunProgress>';
  if (name.pages === undefined) return `Promise<${answer}>`;
  return `Paged<${toItem(name.pages.items, answer, declared)}, ${answer}>`;
}

function toItem(
  items: string | undefined,
  answer: string,
  declared: Readonly<Record<string, Schema>>,
): string {
  if (items === undefined) return `(${answer})[number]`;
  return toType(declared[answer]?.properties?.[items]?.items ?? {});
}

function toGroup(
  group: string,
  purpose: string,
  methods: readonly Method[],
  declared: Record<string, Schema>,
): string {
  const signed = methods.map((method) => ({ method, signature: toSignature(method, declared) }));
  const declarations = signed.map(
    ({ method, signature }) =>
      `${toMethodComment(method)}${method.method}(${signature.parameters.join(', ')}): ${signature.returns};`,
  );
  const implementations = signed.map(({ method, signature }) =>
    toImplementation(method, signature),
  );
  return [
    `/** ${purpose} */\nexport interface ${pascal(group)} {\n${declarations.join('\n\n')}\n}\n`,
    `function create${pascal(group)}(http: Http): ${pascal(group)} {\nreturn {\n${implementations.join(',\n')},\n};\n}\n`,
  ].join('\n');
}

const REPEATS: Readonly<Record<string, string>> = {
  safe: 'Repeated where no answer came.',
  keyed: 'Repeated under its Idempotency-Key where no answer came, and done once.',
  once: 'Repeated only where it was certainly not done.',
};

function toMethodComment(method: Method): string {
  const { placed, name } = method;
  const { operation, path } = placed;
  const lines = [
    endSentence(operation.summary),
    ...(name.audience
      ? ['Any number of them, in requests that the server takes; each may be repeated.']
      : []),
    ...(name.pages ? ['Pages are fetched as they are needed.'] : []),
    ...(name.follow
      ? ['Connects again by itself, for as long as it is gone through; rejects when it is refused.']
      : []),
    `\`${placed.method.toUpperCase()} ${path}\`. ${operation.description}${placed.method === 'get' ? '' : ` ${REPEATS[toRepeat(method)]}`}`,
  ];
  return toComment(lines);
}

function toImplementation(method: Method, { path, inputs, answer }: Signature): string {
  const { placed, name } = method;
  const names = [...path, ...inputs, 'options'];
  const endpoint = [
    `method: '${placed.method.toUpperCase()}'`,
    `path: ${toTemplate(placed.path)}`,
    `repeat: '${toRepeat(method)}'`,
    ...inputs.filter((input) => input !== 'users'),
  ];
  const call = `{ ${endpoint.join(', ')} }`;
  return `${method.method}: (${names.join(', ')}) => ${toCall(name, call, answer)}`;
}

function toCall(name: Name, call: string, answer: string): string {
  if (name.audience) return `sendAudience(http, ${call}, users, options)`;
  if (name.follow) return `${name.follow}(http, ${call}, options)`;
  const { pages } = name;
  if (pages === undefined) return `http.call(${call}, options)`;
  if (pages.by === 'number') {
    const items = pages.items === undefined ? 'page' : `page.${pages.items}`;
    return `pagesByNumber(http, ${call}, (page: ${answer}) => ${items}, options)`;
  }
  const { parameter, size, next, items } = pages;
  return `pagesByCursor(http, ${call}, { parameter: '${parameter}', size: '${size}', items: (page: ${answer}) => page.${items}, next: (page: ${answer}) => page.${next} }, options)`;
}

/** `/push/campaign/{id}/run` as an expression. */
function toTemplate(path: string): string {
  if (!path.includes('{')) return `'${path}'`;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `\${segment(${name})}`);
  return `\`${filled}\``;
}

/** What the code uses of the types beside it. */
function toImports(code: string, declared: Readonly<Record<string, Schema>>): string {
  const words = new Set(code.replaceAll(/\/\*\*[^]*?\*\//g, '').match(/\b[A-Z]\w+/g));
  const schemas = Object.keys(declared).filter((name) => words.has(name));
  return [
    "import { sendAudience } from '../audience.ts';",
    "import { segment, type CallOptions, type Http, type KeyedOptions } from '../http.ts';",
    "import { pagesByCursor, pagesByNumber, type Paged } from '../paged.ts';",
    "import { followInbox, followRun, type InboxEvent, type InboxStreamOptions, type StreamOptions } from '../streams.ts';",
    '',
    `import type { ${schemas.toSorted().join(', ')} } from './schemas.ts';`,
    '\n',
  ].join('\n');
}

function toFactory(groups: readonly string[]): string {
  const names = Object.keys(GROUPS);
  if (groups.length !== names.length) throw new Error('a group is missing');
  const fields = names.map((name) => `/** ${GROUPS[name]} */\nreadonly ${name}: ${pascal(name)};`);
  const made = names.map((name) => `${name}: create${pascal(name)}(http),`);
  return `\n/** All endpoints of the API. */\nexport interface Endpoints {\n${fields.join('\n')}\n}\n
export function createEndpoints(http: Http): Endpoints {\nreturn {\n${made.join('\n')}\n};\n}\n`;
}

function toDeclarations(schemas: Readonly<Record<string, Schema>>): string {
  return Object.entries(schemas)
    .filter(([name]) => name !== 'PlainOk')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) =>
      name in BY_HAND
        ? `import type { ${name} } from '${BY_HAND[name]}';\n\nexport type { ${name} };\n`
        : toDeclaration(name, schema),
    )
    .join('\n');
}

function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
