import { Type, type Static } from '@sinclair/typebox';

import { answering, taking, takingNothing } from './envelope.ts';
import { AppId, nullable, oneOf, optional, RowId, text, WireAppId } from './fields.ts';

const tag = 'Administration';

/** Older callers name an application by `id`, newer ones by `appId`. */
export const AppName = { id: optional(RowId), appId: optional(AppId) };

const Listed = Type.Object(
  {
    id: Type.Integer(),
    appId: WireAppId,
    appName: nullable(Type.String()),
    ios: Type.Boolean(),
    android: Type.Boolean(),
    apns: Type.Boolean(),
    fcm: Type.Boolean(),
    hms: Type.Boolean(),
  },
  { title: 'Application' },
);

export type ListedApp = Static<typeof Listed>;

export const LIST_APPS = answering(
  Type.Object({ applicationList: Type.Array(Listed) }),
  takingNothing({
    tag,
    scope: ['admin'],
    summary: 'Lists all applications',
    methods: ['get'],
    paths: ['/admin/app/list'],
  }),
);

/** Numeric ids are answered as the reference does, where `id` is the application's own; others as newer servers do. */
const Unconfigured = Type.Union([
  Type.Object({
    id: Type.Integer(),
    appId: Type.Null(),
    appName: nullable(Type.String()),
    ios: Type.Null(),
    android: Type.Null(),
  }),
  Type.Object({ appId: Type.String(), appName: nullable(Type.String()) }),
]);

export type UnconfiguredApp = Static<typeof Unconfigured>;

export const LIST_UNCONFIGURED_APPS = answering(
  Type.Object({ applicationList: Type.Array(Unconfigured) }),
  takingNothing({
    tag,
    scope: ['admin'],
    summary: 'Lists applications that have no credential',
    methods: ['get'],
    paths: ['/admin/app/unconfigured/list'],
  }),
);

const flag = optional(Type.Boolean());
const shown = nullable(Type.String());
const shownRate = nullable(Type.Number());

const Proxy = nullable(
  Type.Object(
    {
      url: Type.String(),
      schema: oneOf(['2017', 'current']),
      brandId: shown,
      backendService: shown,
      goneOn: Type.Array(Type.Integer()),
      retry: oneOf(['documented', 'until_expiry']),
      ratePerSecond: shownRate,
      basicUsername: shown,
      caBase64: shown,
      certificate: nullable(
        Type.Object({
          commonName: Type.String(),
          fingerprint: Type.String({ description: 'SHA-256, in hex.' }),
          validTo: Type.String({ format: 'date-time' }),
        }),
      ),
    },
    { title: 'Proxy' },
  ),
);

export type ProxyAnswer = Static<typeof Proxy>;

const Detail = Type.Object(
  {
    application: Listed,
    iosBundle: shown,
    iosKeyId: shown,
    iosTeamId: shown,
    iosEnvironment: shown,
    iosRatePerSecond: shownRate,
    androidProjectId: shown,
    androidRatePerSecond: shownRate,
    apnsBundle: shown,
    apnsKeyId: shown,
    apnsTeamId: shown,
    apnsEnvironment: shown,
    apnsRatePerSecond: shownRate,
    apnsAuth: nullable(oneOf(['token', 'certificate'])),
    apnsCertificate: nullable(
      Type.Object({
        commonName: Type.String(),
        topics: Type.Array(Type.String()),
        fingerprint: Type.String({ description: 'SHA-256, in hex.' }),
        validTo: Type.String({ format: 'date-time' }),
      }),
    ),
    fcmProjectId: shown,
    fcmRatePerSecond: shownRate,
    apnsProxy: Proxy,
    fcmProxy: Proxy,
    hmsProjectId: Type.Null(),
  },
  { title: 'ApplicationDetail' },
);

export type AppDetailAnswer = Static<typeof Detail>;

export const GET_APP = answering(
  Detail,
  taking(
    Type.Object(
      {
        ...AppName,
        includeIos: flag,
        includeAndroid: flag,
        includeApns: flag,
        includeFcm: flag,
        includeHms: flag,
      },
      { title: 'GetApplication' },
    ),
    {
      tag,
      scope: ['admin'],
      readsOnly: true,
      summary: 'One application, with the public part of its credentials where asked for',
      methods: ['post'],
      paths: ['/admin/app/detail'],
    },
  ),
);

export const CREATE_APP = answering(
  Type.Object({ id: Type.Integer(), appId: WireAppId }),
  taking(
    Type.Object(
      { appId: AppId, appName: optional(text({ maxLength: 255 })) },
      { title: 'CreateApplication' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Makes an application known; its credentials come later',
      methods: ['post'],
      paths: ['/admin/app/create'],
    },
  ),
);
