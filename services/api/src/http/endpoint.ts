import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Scope } from '@heliograph/core';
import type { TObject, TSchema } from '@sinclair/typebox';
import type { Caller } from '../access/caller.ts';
import type { Guard } from '../access/guard.ts';
import type { Subject } from '../access/subject.ts';

import { originOf } from './request-span.ts';
import { writeJson } from './write-json.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** Who may call an endpoint: keys with one of these scopes, or everybody. */
export type EndpointScope = readonly [Scope, ...Scope[]] | 'open';

/** What the OpenAPI document says of an endpoint, and the router needs. */
export interface EndpointDoc {
  readonly tag: string;
  readonly summary: string;
  readonly scope: EndpointScope;
  /** Whether it changes nothing, though its method says otherwise. */
  readonly readsOnly: boolean;
  readonly methods: readonly Method[];
  /** The first is the name that we recommend. In Express' spelling: `/push/message/:id`. */
  readonly paths: readonly string[];
  /** What the path names beside the input that stands elsewhere. */
  readonly params: TObject | undefined;
  /** What the query may say beside the input in the body. */
  readonly query: TObject | undefined;
  /** Whether the body may be as large as a list of all users. */
  readonly largeBody: boolean;
  /** Where the input comes from; `body` is the whole body. */
  readonly from: 'body' | 'query' | 'path' | 'nothing';
  /** The input, as its place in the request has it. */
  readonly request: TSchema | undefined;
  /** The whole answer of a success. */
  readonly answer: TSchema;
  readonly answerType: 'application/json' | 'text/event-stream';
  /** Where a success leads a browser, instead of being answered. */
  readonly leadsTo?: string;
  /** Request headers beyond the usual ones, by name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request as endpoints see it: one of Express', or one of Node's that needed no Express. */
export interface ApiRequest extends IncomingMessage {
  /** Undefined before it was read, and where there is none. */
  body?: unknown;
  readonly query: Readonly<Record<string, unknown>>;
  /** What the path names. */
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Endpoint<Input, Answer> extends EndpointDoc {
  /** Refuses what does not fit the schema. */
  readonly parse: (req: ApiRequest) => Input;
  /** Puts what the verb came to into the envelope of the wire. */
  readonly wrap: (answer: Answer) => unknown;
}

/** A request that was let in. */
export interface Call {
  readonly req: ApiRequest;
  readonly res: ServerResponse;
  readonly caller: Caller;
}

/** An endpoint with the code behind it. */
export interface Route {
  readonly doc: EndpointDoc;
  /** Writes the answer; what it throws before that is answered as an error. */
  readonly respond: (call: Call, guard: Guard) => Promise<void>;
}

/** What `handle` is given was found to be the caller's own, in the way that `subject` says. */
export function route<Input, Answer>(
  endpoint: Endpoint<Input, Answer>,
  subject: Subject<Input, Answer>,
  handle: (input: Input, call: Call) => Promise<Answer>,
): Route {
  return {
    doc: endpoint,
    async respond(call, guard) {
      const answer = await run(endpoint, subject, call, guard, (input) => handle(input, call));
      writeJson(call.res, 200, endpoint.wrap(answer));
    },
  };
}

/** A route that leads browsers elsewhere. */
export function leadingRoute<Input>(
  endpoint: Endpoint<Input, void>,
  subject: Subject<Input, URL | string>,
  lead: (input: Input, call: Call) => Promise<URL | string>,
): Route {
  return {
    doc: endpoint,
    async respond(call, guard) {
      const url = await run(endpoint, subject, call, guard, (input) => lead(input, call));
      call.res.statusCode = 303;
      call.res.setHeader('Location', String(url));
      // What brought a browser here is nothing to tell where it goes.
      call.res.setHeader('Referrer-Policy', 'no-referrer');
      call.res.end();
    },
  };
}

/** A route that writes its answer itself. */
export function streamRoute<Input>(
  endpoint: Endpoint<Input, never>,
  subject: Subject<Input, never>,
  stream: (input: Input, call: Call) => Promise<void>,
): Route {
  return {
    doc: endpoint,
    respond: (call, guard) =>
      run<Input, void>(endpoint, subject, call, guard, (input) => stream(input, call)),
  };
}

function run<Input, Answer>(
  endpoint: EndpointDoc & Pick<Endpoint<Input, never>, 'parse'>,
  subject: Subject<Input, Answer>,
  { req, res, caller }: Call,
  guard: Guard,
  handle: (input: Input) => Promise<Answer>,
): Promise<Answer> {
  const input = endpoint.parse(req);
  return guard.run({
    doc: endpoint,
    subject,
    input,
    caller,
    origin: originOf(res),
    handle: () => handle(input),
  });
}
