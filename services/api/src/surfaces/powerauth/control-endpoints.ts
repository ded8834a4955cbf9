import { Type } from '@sinclair/typebox';

import { answering, taking, takingNothing } from './envelope.ts';
import { AppId, nullable, oneOf, Platform, PushToken, RowId, WireAppId } from './fields.ts';

const tag = 'Operation';

const platform = oneOf(['ios', 'android']);

export const Pause = Type.Object(
  {
    id: Type.Integer(),
    appId: WireAppId,
    platform,
    environment: Type.String({ description: 'Empty for Android.' }),
    scope: Type.String(),
    reason: Type.String(),
    since: Type.String(),
    probeAt: nullable(Type.String({ description: 'When one delivery is let through as a probe.' })),
  },
  { title: 'Pause' },
);

export const LIST_PAUSES = answering(
  Type.Object({ pauseList: Type.Array(Pause) }),
  takingNothing({
    tag,
    scope: ['admin'],
    summary: 'Lists what is stopped, and why',
    methods: ['get'],
    paths: ['/admin/pause/list'],
  }),
);

export const RESUME_PAUSE = taking(Type.Object({ id: RowId }, { title: 'ResumePause' }), {
  tag,
  scope: ['admin'],
  summary: 'Lets the messages of a pause go again',
  methods: ['post'],
  paths: ['/admin/pause/resume'],
});

const Held = Type.Object(
  {
    appId: WireAppId,
    platform,
    environment: Type.String(),
    kind: oneOf(['dead', 'wrong_place']),
    reason: Type.String(),
    devices: Type.Integer(),
    since: Type.String(),
  },
  { title: 'HeldFaults' },
);

export const LIST_HELD_FAULTS = answering(
  Type.Object({ heldList: Type.Array(Held) }),
  takingNothing({
    tag,
    scope: ['admin'],
    summary: 'Lists the token faults that the guard holds back',
    methods: ['get'],
    paths: ['/admin/guard/list'],
  }),
);

const HeldScope = Type.Object({ appId: AppId, provider: Platform }, { title: 'HeldScope' });
const Settled = Type.Object({ settled: Type.Integer() });

export const APPLY_HELD_FAULTS = answering(
  Settled,
  taking(HeldScope, {
    tag,
    scope: ['admin'],
    summary: 'The tokens really are invalid: deactivates their devices',
    methods: ['post'],
    paths: ['/admin/guard/apply'],
  }),
);

export const DISCARD_HELD_FAULTS = answering(
  Settled,
  taking(HeldScope, {
    tag,
    scope: ['admin'],
    summary: 'The configuration was at fault: the devices stay as they are',
    methods: ['post'],
    paths: ['/admin/guard/discard'],
  }),
);

export const RESTORE_DEVICE = answering(
  Type.Object({ restored: Type.Integer() }),
  taking(Type.Object({ appId: AppId, token: PushToken }, { title: 'RestoreDevice' }), {
    tag,
    scope: ['admin'],
    summary: 'Takes back that a push token was deactivated',
    methods: ['post'],
    paths: ['/admin/device/restore'],
  }),
);
