import {
  constants,
  type Http2SecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';

import type { Acceptance } from './acceptance.ts';
import { type Fault, FaultPlan, type GoawayManner } from './fault-plan.ts';
import { parseApnsId, parseAttempt } from './soak-push.ts';

/** A farewell that promises nothing yet. RFC 9113, section 6.8 */
const HIGHEST_STREAM = 2 ** 31 - 1;
/** From that to the one that says which streams were processed. */
const GRACE_MS = 20;
const SLOW_MS = 200;
/** A connection is of some use before it goes away. */
const REQUESTS_BEFORE_GOAWAY = 20;

export interface FaultyServerDeps {
  readonly server: Http2SecureServer;
  readonly acceptance: Acceptance;
  /** After which time the client does not want an answer any more. */
  readonly tooLateMs: number;
}

/** A connection, and how far it goes. */
interface Line {
  requests: number;
  /** The last stream that is processed, once that was said. */
  lastStream: number;
  highestSeen: number;
  isGoingAway: boolean;
}

export interface ServerCounts {
  connections: number;
  readonly faults: Record<Exclude<Fault['kind'], 'none'> | 'tooLate' | GoawayManner, number>;
}

/** Answers pushes as APNs does, but for those that the plan has a fault for; counts what it accepts. */
export function serveFaultily({ server, acceptance, tooLateMs }: FaultyServerDeps): ServerCounts {
  const plan = new FaultPlan();
  const lines = new WeakMap<Http2Session, Line>();
  const counts: ServerCounts = {
    connections: 0,
    faults: { slow: 0, tooLate: 0, reset: 0, goaway: 0, graceful: 0, hard: 0, cut: 0 },
  };

  server.on('session', (session) => {
    session.on('error', () => undefined);
    counts.connections += 1;
    lines.set(session, { requests: 0, lastStream: Infinity, highestSeen: 0, isGoingAway: false });
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    stream.resume().once('end', () => onRequest(stream, headers));
  });

  function onRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const { session, id = 0 } = stream;
    const line = session && lines.get(session);
    if (session === undefined || line === undefined || session.destroyed) return;
    // node goes on with what came after its GOAWAY; a server keeps its word.
    if (id > line.lastStream) return stream.close();
    line.requests += 1;
    line.highestSeen = Math.max(line.highestSeen, id);
    const mayGoAway = !line.isGoingAway && line.requests > REQUESTS_BEFORE_GOAWAY;
    const fault = plan.next(mayGoAway);
    if (fault.kind !== 'none') counts.faults[fault.kind] += 1;
    if (fault.kind === 'reset') {
      if (fault.isAccepted) accept(headers);
      return stream.close(fault.code);
    }
    accept(headers);
    if (fault.kind === 'slow') return answerLate(stream, headers, fault.isTooLate);
    answer(stream, headers);
    if (fault.kind === 'goaway') goAway(session, line, fault.manner);
  }

  function accept(headers: IncomingHttpHeaders): void {
    acceptance.note(parseApnsId(headers['apns-id']), parseAttempt(headers[':path']));
  }

  function answerLate(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    isTooLate: boolean,
  ): void {
    if (isTooLate) counts.faults.tooLate += 1;
    setTimeout(() => answer(stream, headers), isTooLate ? tooLateMs : SLOW_MS);
  }

  function goAway(session: Http2Session, line: Line, manner: GoawayManner): void {
    counts.faults[manner] += 1;
    line.isGoingAway = true;
    if (manner !== 'graceful') return sayFarewell(session, line, manner);
    session.goaway(constants.NGHTTP2_NO_ERROR, HIGHEST_STREAM);
    setTimeout(() => sayFarewell(session, line, manner), GRACE_MS);
  }

  return counts;
}

function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': 200, 'apns-id': headers['apns-id'] }, { endStream: true });
}

function sayFarewell(session: Http2Session, line: Line, manner: GoawayManner): void {
  if (session.destroyed) return;
  line.lastStream = line.highestSeen;
  session.goaway(constants.NGHTTP2_NO_ERROR, line.lastStream);
  if (manner === 'cut') session.destroy();
  // Or node would keep its socket for ever.
  else session.close();
}
