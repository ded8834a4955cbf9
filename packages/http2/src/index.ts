export { connectHttp2, ConnectError, type ConnectOptions } from './connect.ts';
export type { ConnectionEvents, Goaway, Http2Connection } from './http2-connection.ts';
export {
  findHeader,
  type Ambiguous,
  type Answered,
  type HeaderField,
  type Request,
  type RequestEnd,
  type Unprocessed,
} from './request.ts';
export { RequestTemplate } from './request-template.ts';
