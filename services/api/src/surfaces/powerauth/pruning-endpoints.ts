import { Type } from '@sinclair/typebox';

import { answering, taking, takingFrom, takingNothing } from './envelope.ts';
import { AppId, instant, oneOf, optional, Platform, text, WireAppId } from './fields.ts';

const tag = 'Operation';
const platform = oneOf(['ios', 'android']);
const since = instant({ description: 'From then on.', examples: ['2026-11-24T00:00:00Z'] });

const SPANS = ['hour', 'day'] as const;

const Pruning = Type.Object(
  {
    appId: WireAppId,
    platform,
    reason: Type.String(),
    since: Type.String({ description: 'When the hour or day began, in UTC.' }),
    devices: Type.Integer(),
  },
  { title: 'Pruning' },
);

export const LIST_PRUNINGS = answering(
  Type.Object({ pruningList: Type.Array(Pruning) }),
  takingFrom(
    'query',
    Type.Object({
      appId: optional(AppId),
      since: optional(since),
      by: optional(oneOf(SPANS, 'How they are grouped; by day unless given.')),
    }),
    {
      tag,
      scope: ['admin'],
      summary:
        'Lists how many push tokens were deactivated when and why, and still are; of the last 30 days unless told otherwise',
      methods: ['get'],
      paths: ['/admin/device/pruning/list'],
    },
  ),
);

export const RESTORE_DEVICES = answering(
  Type.Object({
    devices: Type.Integer(),
    dryRun: Type.Boolean(),
    more: Type.Boolean({ description: 'There was no time for all of them: ask again.' }),
  }),
  taking(
    Type.Object(
      {
        appId: AppId,
        platform: optional(Platform),
        reason: optional(text({ minLength: 1, maxLength: 255 })),
        since,
        until: optional(
          instant({ description: 'Before then.', examples: ['2026-11-25T00:00:00Z'] }),
        ),
        dryRun: optional(Type.Boolean({ default: false, description: 'Only counts them.' })),
      },
      { title: 'RestoreDevices' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Takes back that push tokens were deactivated, of a whole pruning',
      methods: ['post'],
      paths: ['/admin/device/restore-all'],
    },
  ),
);

const HeldStale = Type.Object(
  {
    appId: WireAppId,
    platform,
    devices: Type.Integer({ description: 'Whose push token is not deactivated.' }),
    stale: Type.Integer(),
    reason: oneOf(['too_many', 'no_registrations']),
    since: Type.String(),
    checkedAt: Type.String(),
  },
  { title: 'HeldStaleDevices' },
);

export const LIST_HELD_STALE = answering(
  Type.Object({ heldList: Type.Array(HeldStale) }),
  takingNothing({
    tag,
    scope: ['admin'],
    summary: 'Lists the applications with too many devices that did not register for long',
    methods: ['get'],
    paths: ['/admin/device/stale/list'],
  }),
);

export const APPROVE_HELD_STALE = answering(
  Type.Object({ devices: Type.Integer() }),
  taking(Type.Object({ appId: AppId, provider: Platform }, { title: 'HeldStaleScope' }), {
    tag,
    scope: ['admin'],
    summary: 'They really are gone: lets a dispatcher deactivate them',
    methods: ['post'],
    paths: ['/admin/device/stale/approve'],
  }),
);
