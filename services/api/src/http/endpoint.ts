import type { TObject, TSchema } from '@sinclair/typebox';
import type { Request, Response } from 'express';

import { writeJson } from './write-json.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** What the OpenAPI document says of an endpoint, and the router needs. */
export interface EndpointDoc {
  readonly tag: string;
  readonly summary: string;
  readonly methods: readonly Method[];
  /** The first is the name that we recommend. In Express' spelling: `/push/message/:id`. */
  readonly paths: readonly string[];
  /** What the path names beside the input that stands elsewhere. */
  readonly params: TObject | undefined;
  /** Whether the body may be as large as a list of all users. */
  readonly largeBody: boolean;
  /** Where the input comes from; `body` is the whole body. */
  readonly from: 'body' | 'query' | 'path' | 'nothing';
  /** The input, as its place in the request has it. */
  readonly request: TSchema | undefined;
  /** The whole answer of a success. */
  readonly answer: TSchema;
  readonly answerType: 'application/json' | 'text/event-stream';
  /** Request headers beyond the usual ones, by name. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Endpoint<Input, Answer> extends EndpointDoc {
  /** Refuses what does not fit the schema. */
  readonly parse: (req: Request) => Input;
  /** Puts what the verb came to into the envelope of the wire. */
  readonly wrap: (answer: Answer) => unknown;
}

/** An endpoint with the code behind it. */
export interface Route {
  readonly doc: EndpointDoc;
  /** Writes the answer; what it throws before that is answered as an error. */
  readonly respond: (req: Request, res: Response) => Promise<void>;
}

export function route<Input, Answer>(
  endpoint: Endpoint<Input, Answer>,
  handle: (input: Input, req: Request, res: Response) => Promise<Answer>,
): Route {
  const { parse, wrap } = endpoint;
  return {
    doc: endpoint,
    respond: async (req, res) => writeJson(res, 200, wrap(await handle(parse(req), req, res))),
  };
}

/** A route that writes its answer itself. */
export function streamRoute<Input>(
  endpoint: Endpoint<Input, never>,
  stream: (input: Input, res: Response) => Promise<void>,
): Route {
  return { doc: endpoint, respond: (req, res) => stream(endpoint.parse(req), res) };
}
