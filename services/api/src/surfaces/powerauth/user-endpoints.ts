import { Type } from '@sinclair/typebox';

import { answering, taking } from './envelope.ts';
import { AppId, nullable, optional, UserId } from './fields.ts';

const tag = 'User';

const UserOfApp = { userId: UserId, appId: optional(AppId) };

const list = (description: string) =>
  Type.Array(Type.Object({}, { additionalProperties: true }), { description });

export const EXPORT_USER = answering(
  Type.Object({
    userId: Type.String(),
    exportedAt: Type.String(),
    devices: list('With their push tokens.'),
    activations: list(
      'Of the local directory. They belong to no application: with appId, those that have a device in it.',
    ),
    messages: list('With what they said, and what became of each delivery.'),
    inbox: list('Read or not.'),
    campaigns: list('Which the user is among the users of.'),
    campaignDeliveries: list('To devices of the user, in runs whose devices are still kept.'),
  }),
  taking(Type.Object(UserOfApp, { title: 'ExportUser' }), {
    tag,
    scope: ['admin'],
    summary: 'Everything that is kept about a user, in one application or in all',
    methods: ['post'],
    paths: ['/admin/user/export'],
  }),
);

export const ERASE_USER = answering(
  Type.Object({
    erasureId: Type.String({ description: 'What is left of messages names it.' }),
    erased: Type.Boolean({
      description: 'False while there is more to do, which goes on by itself.',
    }),
    erasedAt: nullable(Type.String()),
    devices: Type.Integer(),
    messages: Type.Integer(),
    skipped: Type.Integer({ description: 'Deliveries that were pending.' }),
    inboxMessages: Type.Integer(),
    campaigns: Type.Integer(),
    campaignDeliveries: Type.Integer(),
  }),
  taking(Type.Object(UserOfApp, { title: 'EraseUser' }), {
    tag,
    scope: ['admin'],
    summary: 'Forgets a user, in one application or in all. It can not be undone',
    methods: ['post'],
    paths: ['/admin/user/erase'],
  }),
);
