/** The part of an OpenAPI 3.1 document that the generator reads. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

/** By media type. */
type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: object;
  readonly additionalProperties?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** An operation with its place. */
export interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function listOperations(document: Document): readonly Placed[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

/** Whether it is another method or path of an endpoint, as the document says in words. */
export function isAlias({ operation }: Placed): boolean {
  return operation.description.includes('The same as ');
}

export function toRefName(ref: string): string {
  return ref.replace('#/components/schemas/', '');
}

export function bodyOf({ operation }: Placed): Schema | undefined {
  return operation.requestBody?.content['application/json']?.schema;
}

/** Undefined where the answer is a stream. */
export function answerOf({ operation }: Placed): Schema | undefined {
  return operation.responses['200']?.content['application/json']?.schema;
}

export function parametersIn(place: 'path' | 'query', { operation }: Placed): readonly Parameter[] {
  return (operation.parameters ?? []).filter((parameter) => parameter.in === place);
}

/** Whether a request may bear an Idempotency-Key. */
export function takesKey({ operation }: Placed): boolean {
  return (operation.parameters ?? []).some(({ name }) => name === 'Idempotency-Key');
}
