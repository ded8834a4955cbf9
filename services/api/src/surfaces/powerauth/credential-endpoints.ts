import { Type } from '@sinclair/typebox';

import { AppName } from './app-endpoints.ts';
import { taking, takingFrom, takingNothing } from './envelope.ts';
import { AppId, EnvironmentName, optional, RatePerSecond, text } from './fields.ts';
import { verifying } from './verifying.ts';

const tag = 'Administration';

const Key = (description: string) =>
  Type.String({ format: 'byte', minLength: 1, contentEncoding: 'base64', description });
const ApnsKey = Key('The .p8 file.');
const FcmKey = Key("The service account's JSON file.");

/** What the operator allows; the provider's own limit stands besides. */
const Paced = { ratePerSecond: optional(RatePerSecond) };

const Filled = text({ minLength: 1, maxLength: 255 });
const NotBlank = text({ minLength: 1, maxLength: 255, pattern: '\\S' });

export const UPDATE_IOS = verifying(
  taking(
    Type.Object(
      {
        ...AppName,
        bundle: Filled,
        keyId: Filled,
        teamId: Filled,
        privateKeyBase64: ApnsKey,
        environment: optional(EnvironmentName),
        ...Paced,
      },
      { title: 'UpdateIos' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Replaces the APNs credential',
      methods: ['post', 'put'],
      paths: ['/admin/app/ios/update'],
    },
  ),
);

export const UPDATE_ANDROID = verifying(
  taking(
    Type.Object(
      { ...AppName, projectId: Filled, privateKeyBase64: FcmKey, ...Paced },
      { title: 'UpdateAndroid' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Replaces the FCM credential',
      methods: ['post', 'put'],
      paths: ['/admin/app/android/update'],
    },
  ),
);

const named = Type.Object(AppName, { title: 'NamedApplication' });

export const REMOVE_IOS = taking(named, {
  tag,
  scope: ['admin'],
  summary: 'Removes the APNs credential',
  methods: ['post', 'delete'],
  paths: ['/admin/app/ios/remove'],
});

export const REMOVE_ANDROID = taking(named, {
  tag,
  scope: ['admin'],
  summary: 'Removes the FCM credential',
  methods: ['post', 'delete'],
  paths: ['/admin/app/android/remove'],
});

/** The newer names know the application by `appId` alone, and list what is wrong with a request. */
const LISTING = { listViolations: true };

export const UPDATE_APNS = verifying(
  taking(
    Type.Object(
      {
        appId: AppId,
        bundle: NotBlank,
        keyId: NotBlank,
        teamId: NotBlank,
        privateKeyBase64: ApnsKey,
        environment: EnvironmentName,
        ...Paced,
      },
      { title: 'UpdateApns' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Replaces the APNs credential',
      methods: ['post', 'put'],
      paths: ['/admin/app/apns'],
    },
    LISTING,
  ),
);

export const UPDATE_APNS_CERTIFICATE = verifying(
  taking(
    Type.Object(
      {
        ...AppName,
        bundle: optional(
          text({
            minLength: 1,
            maxLength: 255,
            description: "One of the certificate's topics; absent: its main one.",
          }),
        ),
        certificateBase64: Key('PEM with the certificate and its private key, or PKCS#12 (.p12).'),
        certificatePassword: optional(
          text({ maxLength: 1024, description: 'Of the .p12 file, or of the key in PEM.' }),
        ),
        environment: optional(EnvironmentName),
        ...Paced,
      },
      { title: 'UpdateApnsCertificate' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Replaces the APNs credential with a certificate, which is checked',
      methods: ['post', 'put'],
      paths: ['/admin/app/apns/certificate'],
    },
  ),
);

export const UPDATE_FCM = verifying(
  taking(
    Type.Object(
      { appId: AppId, projectId: NotBlank, privateKeyBase64: FcmKey, ...Paced },
      { title: 'UpdateFcm' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Replaces the FCM credential',
      methods: ['post', 'put'],
      paths: ['/admin/app/fcm'],
    },
    LISTING,
  ),
);

const inQuery = Type.Object({ appId: AppId });

export const REMOVE_APNS = takingFrom('query', inQuery, {
  tag,
  scope: ['admin'],
  summary: 'Removes the APNs credential',
  methods: ['delete'],
  paths: ['/admin/app/apns'],
});

export const REMOVE_FCM = takingFrom('query', inQuery, {
  tag,
  scope: ['admin'],
  summary: 'Removes the FCM credential',
  methods: ['delete'],
  paths: ['/admin/app/fcm'],
});

/** Refused, whatever they hold: there is no provider for them yet. */
export const UPDATE_HMS = takingNothing({
  tag,
  scope: ['admin'],
  summary: 'Not supported: Huawei',
  methods: ['post', 'put', 'delete'],
  paths: ['/admin/app/hms'],
});

export const UPDATE_HUAWEI = takingNothing({
  tag,
  scope: ['admin'],
  summary: 'Not supported: Huawei',
  methods: ['post', 'put'],
  paths: ['/admin/app/huawei/update'],
});

export const REMOVE_HUAWEI = takingNothing({
  tag,
  scope: ['admin'],
  summary: 'Not supported: Huawei',
  methods: ['post', 'delete'],
  paths: ['/admin/app/huawei/remove'],
});
