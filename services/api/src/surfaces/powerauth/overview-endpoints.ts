import { Type } from '@sinclair/typebox';

import { LANES } from '../../deliveries/trace-deliveries.ts';
import { Certificate } from './certificate-endpoints.ts';
import { Pause } from './control-endpoints.ts';
import { answering, takingFrom } from './envelope.ts';
import { Failure } from './failure-endpoints.ts';
import { AppId, nullable, oneOf, optional, WireAppId } from './fields.ts';
import { Progress } from './run-endpoints.ts';

const Lane = Type.Object(
  {
    lane: oneOf(LANES),
    oldestSeconds: Type.Number({ description: 'How long what is due longest has waited.' }),
    waiting: Type.Integer({ description: 'Deliveries that are due; of campaigns about so many.' }),
    more: Type.Boolean({ description: 'There are more than were counted.' }),
  },
  { title: 'LaneBacklog' },
);

const HeldFaults = Type.Object(
  {
    appId: WireAppId,
    platform: oneOf(['ios', 'android']),
    reason: Type.String(),
    devices: Type.Integer(),
    since: Type.String(),
  },
  { title: 'HeldTokenFaults' },
);

const Dispatcher = Type.Object(
  {
    id: Type.String(),
    host: Type.String({ description: 'The name of its machine, or pod.' }),
    version: nullable(Type.String()),
    startedAt: Type.String(),
    seenAt: Type.String(),
    alive: Type.Boolean({ description: 'It was seen within 20 seconds.' }),
  },
  { title: 'Dispatcher' },
);

const Callback = Type.Object(
  {
    id: Type.Integer(),
    appId: WireAppId,
    failures: Type.Integer({ description: 'In a row.' }),
    failingSince: nullable(Type.String()),
    lastResult: nullable(Type.String()),
    suspendedAt: nullable(Type.String()),
    suspendedBecause: nullable(oneOf(['gone', 'failing'])),
  },
  { title: 'TroubledCallback' },
);

export const GET_OVERVIEW = answering(
  Type.Object({
    at: Type.String(),
    runs: Type.Array(Progress, { description: 'Those that are not over, the latest first.' }),
    lanes: Type.Array(Lane),
    failures: Type.Array(Failure, { description: 'In the hours that the last hour touches.' }),
    pauses: Type.Array(Pause),
    heldFaults: Type.Array(HeldFaults),
    dispatchers: nullable(
      Type.Array(Dispatcher, { description: 'Null for what is of one application.' }),
    ),
    certificates: Type.Array(Certificate, { description: 'Those that end within 30 days.' }),
    callbacks: Type.Array(Callback, { description: 'Those that fail, or are suspended.' }),
  }),
  takingFrom('query', Type.Object({ appId: optional(AppId) }), {
    tag: 'Operation',
    scope: ['read'],
    summary: 'How it stands: what is sent, waits, fails and is stopped; at most 50 of each kind',
    methods: ['get'],
    paths: ['/push/overview'],
  }),
);
