import { readSettingsTable, recordDefaults } from '@heliograph/testing';

import { loadConfig } from './config.ts';

/** Where each part of the configuration is asked for that is not always. */
const ENVIRONMENTS: readonly NodeJS.ProcessEnv[] = [
  {},
  { REDIS_URL: 'redis://localhost' },
  { REDIS_SENTINELS: 'a:1', ACTIVATION_DIRECTORY: 'powerauth' },
  { REDIS_CLUSTER_NODES: 'a:1', LIVEPERSON_PORT: '443' },
  { AUTH: 'off', HOST: '0.0.0.0' },
  { METRICS_PORT: '9464' },
  { OIDC_ISSUER: 'https://id.example.com' },
];

/** Defaults that the page says in words. */
const IN_WORDS: Readonly<Record<string, string | undefined>> = {
  'api 8080, dispatcher any free one': '8080',
  'as `REDIS_URL` says': 'false',
  '`heliograph`, in a cluster `{heliograph}`': 'heliograph',
  'the endpoint with `/v1/traces`': undefined,
  '`heliograph-api`, `heliograph-dispatcher`': undefined,
};

test('docs/operations.md says which variables the api reads, and their defaults', () => {
  const documented = new Map(
    [...readSettingsTable('Both processes'), ...readSettingsTable('The api')].map(
      ([name, value]) => [name, value !== undefined && value in IN_WORDS ? IN_WORDS[value] : value],
    ),
  );

  const asked = recordDefaults(ENVIRONMENTS, loadConfig);

  expect(Object.fromEntries(documented)).toStrictEqual(Object.fromEntries(asked));
});
