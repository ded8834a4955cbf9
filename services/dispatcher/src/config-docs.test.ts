import { PRODUCTION_ENDPOINTS } from '@heliograph/providers';
import { readSettingsTable, recordDefaults } from '@heliograph/testing';

import { loadConfig } from './config.ts';

/** Where each part of the configuration is asked for that is not always. */
const ENVIRONMENTS: readonly NodeJS.ProcessEnv[] = [
  {},
  { REDIS_URL: 'redis://localhost' },
  { REDIS_SENTINELS: 'a:1' },
  { REDIS_CLUSTER_NODES: 'a:1' },
];

const { apns, fcm } = PRODUCTION_ENDPOINTS;
/** Defaults that the page says in words, by variable. */
const IN_WORDS: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  'api 8080, dispatcher any free one': { PORT: '0' },
  'as `REDIS_URL` says': { REDIS_TLS: 'false' },
  '`heliograph`, in a cluster `{heliograph}`': { QUEUE_PREFIX: 'heliograph' },
  "Apple's hosts": { APNS_URL: apns.production, APNS_SANDBOX_URL: apns.development },
  "Google's hosts": { FCM_URL: fcm.url, FCM_TOKEN_URL: fcm.tokenUrl },
  'the endpoint with `/v1/traces`': { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: undefined },
  '`heliograph-api`, `heliograph-dispatcher`': { OTEL_SERVICE_NAME: undefined },
};

test('docs/operations.md says which variables a dispatcher reads, and their defaults', () => {
  const documented = new Map(
    [...readSettingsTable('Both processes'), ...readSettingsTable('The dispatcher')].map(
      ([name, value]) => {
        const words = IN_WORDS[value ?? ''];
        return [name, words !== undefined && name in words ? words[name] : value];
      },
    ),
  );

  const asked = recordDefaults(ENVIRONMENTS, loadConfig);

  expect(Object.fromEntries(documented)).toStrictEqual(Object.fromEntries(asked));
});
