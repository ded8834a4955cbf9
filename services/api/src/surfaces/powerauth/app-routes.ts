import type { App, ProxySettings } from '@heliograph/db';

import { isOwn } from '../../access/caller.ts';
import { EVERY_APP, FILTERED, ofApp } from '../../access/subject.ts';
import type { ApplicationName } from '../../apps/application-directory.ts';
import { createApp } from '../../apps/create-app.ts';
import { getAppDetail, type AppDetail } from '../../apps/get-app-detail.ts';
import { listNamedApps, type AppDeps } from '../../apps/list-named-apps.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { originOf } from '../../http/request-span.ts';
import { toWireDate } from '../../http/instant.ts';
import {
  CREATE_APP,
  GET_APP,
  LIST_APPS,
  LIST_UNCONFIGURED_APPS,
  type AppDetailAnswer,
  type ListedApp,
  type ProxyAnswer,
  type UnconfiguredApp,
} from './app-endpoints.ts';
import { toWireAppId } from './fields.ts';

export function appRoutes(deps: AppDeps): readonly Route[] {
  return [
    route(LIST_APPS, FILTERED, async (_, { caller, res }) => {
      const apps = await listNamedApps(deps, originOf(res));
      return { applicationList: apps.filter(({ appId }) => isOwn(caller, appId)).map(toListed) };
    }),

    route(LIST_UNCONFIGURED_APPS, FILTERED, async (_, { caller, res }) => {
      const apps = await deps.applications.listUnconfigured(originOf(res));
      const own = apps.filter(({ appId }) => isOwn(caller, appId));
      return { applicationList: own.map(toUnconfigured) };
    }),

    route(GET_APP, ofApp(), async ({ id, appId, ...include }, { res }) => {
      const detail = await getAppDetail(deps, { id, appId }, originOf(res));
      return toDetail(detail, {
        apns: include.includeIos === true || include.includeApns === true,
        fcm: include.includeAndroid === true || include.includeFcm === true,
      });
    }),

    route(CREATE_APP, EVERY_APP, async (app) => ({
      id: await createApp(deps, app),
      appId: toWireAppId(app.appId),
    })),
  ];
}

function toListed({ id, appId, appName, apns, fcm }: App): ListedApp {
  const configured = { ios: apns, android: fcm, apns, fcm, hms: false };
  return { id, appId: toWireAppId(appId), appName, ...configured };
}

function toUnconfigured({ appId, appName }: ApplicationName): UnconfiguredApp {
  const id = toWireAppId(appId);
  if (typeof id === 'string') return { appId: id, appName };
  return { id, appId: null, appName, ios: null, android: null };
}

function toDetail(
  detail: AppDetail,
  include: { readonly apns: boolean; readonly fcm: boolean },
): AppDetailAnswer {
  const apns = include.apns ? detail.apns : undefined;
  const bundle = apns?.bundle ?? null;
  const { keyId, teamId } = apns && 'keyId' in apns ? apns : { keyId: null, teamId: null };
  const environment = apns?.environment ?? null;
  const fcm = include.fcm ? detail.fcm : undefined;
  const projectId = fcm?.projectId ?? null;
  const [apnsRate, fcmRate] = [apns?.ratePerSecond ?? null, fcm?.ratePerSecond ?? null];
  return {
    application: toListed(detail.app),
    iosBundle: bundle,
    iosKeyId: keyId,
    iosTeamId: teamId,
    iosEnvironment: environment,
    iosRatePerSecond: apnsRate,
    androidProjectId: projectId,
    androidRatePerSecond: fcmRate,
    apnsBundle: bundle,
    apnsKeyId: keyId,
    apnsTeamId: teamId,
    apnsEnvironment: environment,
    apnsRatePerSecond: apnsRate,
    ...toAuth(apns),
    fcmProjectId: projectId,
    fcmRatePerSecond: fcmRate,
    apnsProxy: toProxy(include.apns ? detail.proxies.apns : undefined),
    fcmProxy: toProxy(include.fcm ? detail.proxies.fcm : undefined),
    hmsProjectId: null,
  };
}

function toAuth(apns: AppDetail['apns']): Pick<AppDetailAnswer, 'apnsAuth' | 'apnsCertificate'> {
  if (!apns) return { apnsAuth: null, apnsCertificate: null };
  if ('keyId' in apns) return { apnsAuth: 'token', apnsCertificate: null };
  const { commonName, topics, fingerprint, validTo } = apns.certificate;
  const certificate = {
    commonName,
    topics: [...topics],
    fingerprint,
    validTo: toWireDate(new Date(validTo)),
  };
  return { apnsAuth: 'certificate', apnsCertificate: certificate };
}

function toProxy(proxy: ProxySettings | undefined): ProxyAnswer {
  if (proxy === undefined) return null;
  const { url, schema, goneOn, retry, caPem, certificate } = proxy;
  return {
    url,
    schema,
    brandId: proxy.brandId ?? null,
    backendService: proxy.backendService ?? null,
    goneOn: [...goneOn],
    retry,
    ratePerSecond: proxy.ratePerSecond ?? null,
    basicUsername: proxy.basicUsername ?? null,
    caBase64: caPem === undefined ? null : Buffer.from(caPem).toString('base64'),
    certificate: certificate
      ? { ...certificate, validTo: toWireDate(new Date(certificate.validTo)) }
      : null,
  };
}
