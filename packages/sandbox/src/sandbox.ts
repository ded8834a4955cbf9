import { ScriptBook } from './answers/script-book.ts';
import { TokenFaults } from './answers/token-faults.ts';
import { createApnsEndpoint } from './apns/apns-endpoint.ts';
import { ClientCertificates } from './apns/client-certificates.ts';
import { findApnsTokenFault } from './apns/apns-token-faults.ts';
import { ProviderTokens } from './apns/provider-tokens.ts';
import { CallbackKeys } from './callbacks/callback-endpoint.ts';
import { CallbackLog } from './callbacks/callback-log.ts';
import { createAuthority } from './certificates/server-certificate.ts';
import { openControlServer } from './control-server.ts';
import { createApnsCertificate } from './credentials/apns-certificate.ts';
import {
  createApnsKey,
  toRegisteredApnsKey,
  type ApnsEnvironment,
} from './credentials/apns-key.ts';
import { createClientCertificate } from './credentials/client-certificate.ts';
import { createIdentity, toCredentials } from './credentials/credentials.ts';
import { openIdentityFolder } from './credentials/identity-folder.ts';
import { createServiceAccount, toRegisteredServiceAccount } from './credentials/service-account.ts';
import { openCustomerServers } from './customer-servers.ts';
import { AccessTokens } from './fcm/access-tokens.ts';
import { createFcmEndpoint } from './fcm/fcm-endpoint.ts';
import { findFcmTokenFault } from './fcm/fcm-token-faults.ts';
import { createGoogleTokenEndpoint } from './fcm/google-token-endpoint.ts';
import { findProxyTokenFault } from './proxy/proxy-token-faults.ts';
import { Recorder } from './recording/recorder.ts';
import type { Sandbox, SandboxOptions } from './sandbox-contract.ts';
import { openListener } from './transport/listener.ts';

const WAIT_MS = 10_000;
const TOKEN_PATH = '/token';

/** Starts the fake providers on 127.0.0.1. */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { bundle = 'com.example.app', projectId = 'sandbox-project', now = Date.now } = options;
  const { maxConcurrentStreams = 1000, limitTokenUpdates = true } = options;
  const identity = options.dir
    ? await openIdentityFolder(options.dir, bundle, projectId)
    : await createIdentity(bundle, projectId);
  const providerTokens = new ProviderTokens();
  const accessTokens = new AccessTokens();
  const recorder = new Recorder(options.keep ?? 100_000);
  const scripts = new ScriptBook();
  const apnsFaults = new TokenFaults(findApnsTokenFault);
  const fcmFaults = new TokenFaults(findFcmTokenFault);
  const proxyFaults = new TokenFaults(findProxyTokenFault);
  const tokenFaults = [apnsFaults, fcmFaults, proxyFaults];
  const callbackKeys = new CallbackKeys();
  const callbackLog = new CallbackLog();

  providerTokens.register(toRegisteredApnsKey(identity.apnsKey, { bundles: [identity.bundle] }));
  const certificates = new ClientCertificates();
  certificates.register(identity.apnsCertificate);
  accessTokens.register(toRegisteredServiceAccount(identity.serviceAccount));

  const script: Sandbox['script'] = (provider, target, answers) => {
    const { token = '', ...rest } = typeof target === 'string' ? { token: target } : target;
    // Device tokens are hex, in whatever case a client writes them.
    const begin = provider === 'apns' ? token.toLowerCase() : token;
    scripts.add(provider, { ...rest, token: begin }, answers);
  };

  const openApns = (environment: ApnsEnvironment, port = 0) =>
    openListener({
      port,
      certificate: identity.server,
      clientAuthority: identity.authority.caPem,
      maxConcurrentStreams: 1,
      allowHttp1: false,
      handle: createApnsEndpoint({
        environment,
        providerTokens,
        certificates,
        scripts,
        tokenFaults: apnsFaults,
        recorder,
        maxConcurrentStreams,
        limitTokenUpdates,
        now,
      }),
    });
  const apns = await openApns('production', options.apnsPort);
  const apnsDevelopment = await openApns('development', options.apnsDevelopmentPort);

  const { accessTokenSeconds = 3599 } = options;
  const send = createFcmEndpoint({ accessTokens, scripts, tokenFaults: fcmFaults, recorder, now });
  const mint = createGoogleTokenEndpoint({ accessTokens, scripts, accessTokenSeconds, now });
  const fcm = await openListener({
    port: options.fcmPort ?? 0,
    certificate: identity.server,
    maxConcurrentStreams: 100,
    allowHttp1: true,
    handle: (exchange) => {
      const isMint = exchange.method === 'POST' && exchange.path === TOKEN_PATH;
      return isMint ? mint(exchange) : send(exchange);
    },
  });
  const customer = await openCustomerServers(
    { identity, scripts, proxyFaults, recorder, callbackKeys, callbackLog, now },
    options,
  );
  const control =
    options.controlPort === undefined
      ? undefined
      : await openControlServer(
          { recorder, scripts, script, tokenFaults, callbackKeys, callbackLog },
          options.controlPort,
        );

  return {
    apnsUrl: apns.url,
    apnsDevelopmentUrl: apnsDevelopment.url,
    fcmUrl: fcm.url,
    tokenUrl: `${fcm.url}${TOKEN_PATH}`,
    proxyUrl: customer.proxyUrl,
    proxyPageUrl: customer.proxyPageUrl,
    callbackUrl: customer.callbackUrl,
    controlUrl: control?.url,
    caPem: identity.authority.caPem,
    credentials: toCredentials(identity),
    addApnsKey: (keyOptions = {}) => {
      const key = createApnsKey(keyOptions);
      providerTokens.register(toRegisteredApnsKey(key, keyOptions));
      return key;
    },
    addApnsCertificate: (certificateOptions = {}) => {
      const issued = createApnsCertificate(identity.authority, certificateOptions);
      certificates.register(issued);
      return issued;
    },
    addServiceAccount: async (project) => {
      const account = await createServiceAccount(project);
      accessTokens.register(toRegisteredServiceAccount(account));
      return account;
    },
    addClientCertificate: ({ foreign = false, ...certificateOptions } = {}) => {
      const authority = foreign ? createAuthority(new Date()) : identity.authority;
      return createClientCertificate(authority, certificateOptions);
    },
    revokeAccessTokens: () => accessTokens.revokeAll(),
    script,
    clearScripts: () => scripts.clear(),
    received: (filter) => recorder.list(filter),
    totals: (provider) => recorder.totals(provider),
    acceptedFor: (token) => recorder.acceptedFor(token),
    waitFor: (wanted, { timeoutMs = WAIT_MS, ...filter } = {}) =>
      recorder.waitFor(wanted, filter, timeoutMs),
    addCallbackKey: (key, secret) => callbackKeys.add(key, secret),
    callbacks: (key) => callbackLog.summary(key),
    callbackCalls: (key) => callbackLog.calls(key),
    waitForCallbacks: (key, isEnough, timeoutMs = WAIT_MS) =>
      callbackLog.waitFor(key, isEnough, timeoutMs),
    clear: () => {
      recorder.clear();
      callbackLog.clear();
      for (const faults of tokenFaults) faults.clear();
    },
    close: async () => {
      const open = [
        apns,
        apnsDevelopment,
        fcm,
        ...customer.listeners,
        ...(control ? [control] : []),
      ];
      await Promise.all(open.map((listener) => listener.close()));
    },
  };
}
