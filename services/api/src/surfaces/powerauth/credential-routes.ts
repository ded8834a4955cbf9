import { Refusal, type Environment } from '@heliograph/core';

import { NOTHING, ofApp } from '../../access/subject.ts';
import type { AppName } from '../../apps/get-app.ts';
import { removeAppCredential } from '../../apps/remove-app-credential.ts';
import { saveApnsCertificate } from '../../apps/save-apns-certificate.ts';
import { saveAppCredential } from '../../apps/save-app-credential.ts';
import type { VerifyDeps } from '../../apps/verify-credential.ts';
import { route, type Route } from '../../http/endpoint.ts';
import {
  REMOVE_ANDROID,
  REMOVE_APNS,
  REMOVE_FCM,
  REMOVE_HUAWEI,
  REMOVE_IOS,
  UPDATE_ANDROID,
  UPDATE_APNS,
  UPDATE_APNS_CERTIFICATE,
  UPDATE_FCM,
  UPDATE_HMS,
  UPDATE_HUAWEI,
  UPDATE_IOS,
} from './credential-endpoints.ts';

export interface CredentialRouteDeps extends VerifyDeps {
  readonly now: () => Date;
}

interface Paced {
  readonly ratePerSecond?: number;
}

interface Verified {
  /** Whether it is saved only where its provider takes it. */
  readonly verify: boolean;
}

interface ApnsInput extends AppName, Paced, Verified {
  readonly bundle: string;
  readonly keyId: string;
  readonly teamId: string;
  readonly privateKeyBase64: string;
  readonly environment?: Environment;
}

interface CertificateInput extends AppName, Paced, Verified {
  readonly bundle?: string;
  readonly certificateBase64: string;
  readonly certificatePassword?: string;
  readonly environment?: Environment;
}

interface FcmInput extends AppName, Paced, Verified {
  readonly projectId: string;
  readonly privateKeyBase64: string;
}

export function credentialRoutes(deps: CredentialRouteDeps): readonly Route[] {
  const saveApns = async (input: ApnsInput): Promise<void> => {
    const { bundle, keyId, teamId, environment = null } = input;
    const settings = { bundle, keyId, teamId, ...toPaced(input) };
    const key = Buffer.from(input.privateKeyBase64, 'base64');
    await saveAppCredential(deps, input, {
      provider: 'apns',
      settings,
      environment,
      key,
      verify: input.verify,
    });
  };
  const saveCertificate = async (input: CertificateInput): Promise<void> => {
    const { bundle, environment, certificatePassword: password } = input;
    await saveApnsCertificate(deps, input, {
      file: Buffer.from(input.certificateBase64, 'base64'),
      ...(password !== undefined && { password }),
      ...(bundle !== undefined && { bundle }),
      ...(environment !== undefined && { environment }),
      ...toPaced(input),
      verify: input.verify,
    });
  };
  const saveFcm = async (input: FcmInput): Promise<void> => {
    const settings = { projectId: input.projectId, ...toPaced(input) };
    const key = Buffer.from(input.privateKeyBase64, 'base64');
    await saveAppCredential(deps, input, {
      provider: 'fcm',
      settings,
      environment: null,
      key,
      verify: input.verify,
    });
  };
  return [
    route(UPDATE_IOS, ofApp(), saveApns),
    route(UPDATE_APNS, ofApp(), saveApns),
    route(UPDATE_APNS_CERTIFICATE, ofApp(), saveCertificate),
    route(REMOVE_IOS, ofApp(), (app) => removeAppCredential(deps, app, 'apns')),
    route(REMOVE_APNS, ofApp(), (app) => removeAppCredential(deps, app, 'apns')),

    route(UPDATE_ANDROID, ofApp(), saveFcm),
    route(UPDATE_FCM, ofApp(), saveFcm),
    route(REMOVE_ANDROID, ofApp(), (app) => removeAppCredential(deps, app, 'fcm')),
    route(REMOVE_FCM, ofApp(), (app) => removeAppCredential(deps, app, 'fcm')),

    route(UPDATE_HMS, NOTHING, refuseHuawei),
    route(UPDATE_HUAWEI, NOTHING, refuseHuawei),
    route(REMOVE_HUAWEI, NOTHING, refuseHuawei),
  ];
}

function toPaced({ ratePerSecond }: Paced): Paced {
  return ratePerSecond === undefined ? {} : { ratePerSecond };
}

async function refuseHuawei(): Promise<void> {
  throw new Refusal('invalid_request', 'Huawei (HMS) is not supported by this server.');
}
