import { Type } from '@sinclair/typebox';

import { answering, takingNothing } from './envelope.ts';
import { nullable, oneOf } from './fields.ts';

export const SERVICE_STATUS = answering(
  Type.Object(
    {
      applicationName: Type.String(),
      applicationDisplayName: Type.String(),
      applicationEnvironment: Type.String(),
      version: nullable(Type.String()),
      buildTime: nullable(Type.String()),
      timestamp: Type.String(),
      providers: oneOf(['live', 'sandbox'], 'In sandbox, nothing reaches a real device.'),
    },
    { title: 'ServiceStatus' },
  ),
  takingNothing({
    tag: 'Service',
    scope: 'open',
    summary: 'Name, version and time of the server',
    methods: ['get'],
    paths: ['/push/service/status'],
  }),
);
