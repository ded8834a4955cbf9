import type { Sandbox } from '@heliograph/sandbox';

/** Where the providers of a sandbox are, in the words of `createProviderPool`. */
export function toEndpoints(sandbox: Sandbox) {
  return {
    apns: {
      production: sandbox.apnsUrl,
      development: sandbox.apnsDevelopmentUrl,
      ca: sandbox.caPem,
    },
    fcm: {
      url: sandbox.fcmUrl,
      tokenUrl: sandbox.tokenUrl,
      allowedTokenUris: ['https://oauth2.googleapis.com/token'],
      ca: sandbox.caPem,
    },
    // What plays a customer's proxy is on the same machine.
    proxy: { allowPrivateAddresses: true },
  };
}
