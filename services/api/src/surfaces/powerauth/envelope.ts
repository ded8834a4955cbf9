import type { Refusal, RefusalCode, Violation } from '@heliograph/core';
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox';

import type { ApiRequest, Endpoint, EndpointDoc } from '../../http/endpoint.ts';
import { EVENT_STREAM } from '../../http/event-stream.ts';
import { compileParser } from '../../http/parse.ts';
import { isRecord } from '../../http/reader.ts';

type Doc = Pick<EndpointDoc, 'tag' | 'summary' | 'scope' | 'methods' | 'paths'> & {
  readonly readsOnly?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly largeBody?: boolean;
};

/** An endpoint that takes `{"requestObject": …}`. With `listViolations` a bad one gets the extended error. */
export function taking<T extends TSchema>(
  request: T,
  doc: Doc,
  { listViolations = false } = {},
): Endpoint<Static<T>, void> {
  const body = Type.Unsafe<{ requestObject: Static<T> }>(Type.Object({ requestObject: request }));
  const parse = compileParser(body, { listViolations });
  return {
    ...plain(doc),
    from: 'body',
    request: body,
    parse: (req) => parse(req.body).requestObject,
  };
}

/** An endpoint whose input stands in the body itself. `unwrap` finds it there. */
export function takingBare<T extends TSchema>(
  request: T,
  doc: Doc,
  unwrap: (body: unknown) => unknown,
): Endpoint<Static<T>, void> {
  const parse = compileParser(request);
  return { ...plain(doc), from: 'body', request, parse: (req) => parse(unwrap(req.body)) };
}

/** An endpoint that takes its input from the query string, or from its path. `find` finds it there. */
export function takingFrom<T extends TObject>(
  from: 'query' | 'path',
  request: T,
  doc: Doc,
  find: (req: ApiRequest) => unknown = (req) => (from === 'query' ? req.query : req.params),
): Endpoint<Static<T>, void> {
  const parse = compileParser(request);
  return { ...plain(doc), from, request, parse: (req) => parse(find(req)) };
}

/** An endpoint that takes its input from the query string, or from the `requestObject` of a body. A bad one gets the extended error. */
export function takingEither<T extends TObject>(
  request: T,
  doc: Doc,
  find: (req: ApiRequest) => unknown = (req) => req.query,
): Endpoint<Static<T>, void> {
  const parse = compileParser(request, { listViolations: true });
  const wrapped = taking(request, doc, { listViolations: true });
  return {
    ...plain(doc),
    from: 'query',
    request,
    parse: (req) =>
      isRecord(req.body) && 'requestObject' in req.body ? wrapped.parse(req) : parse(find(req)),
  };
}

/** An endpoint whose whole input is optional: no body will do. What there is stands in a `requestObject`, or in the body itself. */
export function takingOptional<T extends TObject>(request: T, doc: Doc): Endpoint<Static<T>, void> {
  const wrapped = Type.Object({ requestObject: Type.Optional(request) });
  return { ...takingBare(request, doc, unwrapOptional), request: wrapped };
}

function unwrapOptional(body: unknown): unknown {
  return isRecord(body) && 'requestObject' in body ? body['requestObject'] : body;
}

export function takingNothing(doc: Doc): Endpoint<undefined, void> {
  return { ...plain(doc), parse: () => undefined };
}

/** The same endpoint, answering a `responseObject` of this schema. */
export function answering<T extends TSchema, Input>(
  answer: T,
  endpoint: Endpoint<Input, void>,
): Endpoint<Input, Static<T>> {
  return {
    ...endpoint,
    answer: Type.Object({ status: Type.Literal('OK'), responseObject: answer }),
    wrap: (responseObject) => ({ status: 'OK', responseObject }),
  };
}

/** The same endpoint, answering a stream of events. */
export function streaming<Input>(
  description: string,
  endpoint: Endpoint<Input, void>,
): Endpoint<Input, never> {
  return {
    ...endpoint,
    answer: Type.String({ description }),
    answerType: EVENT_STREAM,
  };
}

/** The same endpoint, leading a browser elsewhere. */
export function leading<Input>(
  leadsTo: string,
  endpoint: Endpoint<Input, void>,
): Endpoint<Input, void> {
  return { ...endpoint, leadsTo };
}

const OK = { status: 'OK' };
const PLAIN_OK = Type.Object({ status: Type.Literal('OK') }, { title: 'PlainOk' });

function plain(doc: Doc) {
  return {
    headers: {},
    params: undefined,
    query: undefined,
    largeBody: false,
    readsOnly: false,
    ...doc,
    from: 'nothing' as const,
    request: undefined,
    answer: PLAIN_OK,
    answerType: 'application/json' as const,
    wrap: () => OK,
  };
}

/** What every refusal looks like. */
export const ERROR_ANSWER = Type.Object(
  {
    status: Type.Literal('ERROR'),
    responseObject: Type.Object({
      code: Type.String({
        description: [
          'ERROR_GENERIC, ERROR_REQUEST, ERROR_DATA_INTEGRITY or ERROR_DATABASE;',
          'of the inbox also ERROR_APP_NOT_FOUND and ERROR_MESSAGE_NOT_FOUND',
        ].join(' '),
      }),
      message: Type.String(),
      violations: Type.Optional(
        Type.Array(
          Type.Object({
            fieldName: Type.String(),
            invalidValue: Type.Unsafe({ description: 'Null where it could be a secret.' }),
            hint: Type.String(),
          }),
        ),
      ),
    }),
  },
  { title: 'Error' },
);

/** The wire's own codes; everything that has none is generic. */
const CODES: Partial<Record<RefusalCode, string>> = {
  conflict: 'ERROR_DATA_INTEGRITY',
  unknown_app: 'ERROR_APP_NOT_FOUND',
  unknown_message: 'ERROR_MESSAGE_NOT_FOUND',
  unavailable: 'ERROR_DATABASE',
};

export function renderRefusal({ code, message, violations }: Refusal): unknown {
  if (violations.length === 0)
    return {
      status: 'ERROR',
      responseObject: { code: CODES[code] ?? 'ERROR_GENERIC', message },
    };
  return {
    status: 'ERROR',
    responseObject: { code: 'ERROR_REQUEST', message, violations: violations.map(toShown) },
  };
}

/** Every violation has a value, be it none that may be shown. */
function toShown(violation: Violation) {
  return { invalidValue: null, ...violation };
}
