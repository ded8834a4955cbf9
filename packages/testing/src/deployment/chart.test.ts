import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { sql } from 'kysely';

import { inCheckout } from '../checkout.ts';
import { openTestDatabase } from '../database.ts';
import { describeWithForeign } from '../foreign.ts';
import { readMetricsTable } from '../metrics-table.ts';

const CHART = inCheckout('infra/helm/heliograph');
const MINIMUM = ['existingSecret=heliograph'];

/** All ways to install it that change what is made. */
const INSTALLATIONS: Readonly<Record<string, readonly string[]>> = {
  'with nothing but its secret': MINIMUM,
  'scaled by PostgreSQL': [...MINIMUM, 'autoscaling.enabled=true'],
  'scaled by Prometheus': [
    ...MINIMUM,
    'autoscaling.enabled=true',
    'autoscaling.trigger=prometheus',
  ],
  'with an ingress': [
    ...MINIMUM,
    'ingress.enabled=true',
    'ingress.host=push.example.com',
    'ingress.className=nginx',
    'ingress.tlsSecret=push-tls',
    'ingress.trustedProxies=10.0.0.0/8\\,fd00::/8',
  ],
  'with sentinels and authorities of its own': [
    ...MINIMUM,
    'redis.mode=sentinel',
    'redis.sentinels=a:26379\\,b:26379',
    'redis.sentinelName=pushes',
    'redis.tls=true',
    'certificateAuthorities.existingConfigMap=authorities',
    'certificateAuthorities.redisKey=redis.pem',
  ],
  'with a cluster': [...MINIMUM, 'redis.mode=cluster', 'redis.clusterNodes=a:6379'],
  'with all that is placed': [
    ...MINIMUM,
    'imagePullSecrets[0].name=registry',
    'api.nodeSelector.disk=ssd',
    'dispatcher.tolerations[0].operator=Exists',
    'api.podAnnotations.a=b',
    'service.annotations.a=b',
    'env.LOG_LEVEL=debug',
    'tracing.endpoint=http://collector:4318',
    'tracing.headersKey=otlp-headers',
    'dispatcher.env.CONCURRENCY=64',
  ],
  'with sign-in by OpenID Connect': [
    ...MINIMUM,
    'openId.issuer=https://id.example.com',
    'openId.clientId=heliograph',
    'openId.clientSecretKey=oidc-client-secret',
    'openId.consoleUrl=https://push.example.com/console',
    'api.env.OIDC_ROLES=push-team=sender',
  ],
  'without metrics': [...MINIMUM, 'metrics.enabled=false'],
  'with metrics that nobody is pointed to': [...MINIMUM, 'metrics.annotations=false'],
  'with the fake providers': [...MINIMUM, 'sandbox.enabled=true', 'autoscaling.enabled=true'],
};

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly resources: object;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels: object };
    readonly triggers?: readonly { readonly metadata: { readonly query: string } }[];
    readonly template: {
      readonly metadata: {
        readonly labels: object;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
      };
    };
  };
}

describeWithForeign('checks', 'the Helm chart', (checks) => {
  const helm = path.join(checks, 'helm');
  const { parseAllDocuments } = createRequire(path.join(checks, 'package.json'))('yaml') as {
    parseAllDocuments(this: void, text: string): { toJS(): Manifest | null }[];
  };
  const toFlags = (values: readonly string[]) => values.flatMap((value) => ['--set', value]);
  const render = (values: readonly string[]) =>
    execFileSync(helm, ['template', 'push', CHART, ...toFlags(values)], { encoding: 'utf8' });
  const manifestsOf = (values: readonly string[]): Manifest[] =>
    parseAllDocuments(render(values)).flatMap((document) => document.toJS() ?? []);
  const podsOf = (values: readonly string[]) =>
    manifestsOf(values).filter(({ kind }) => kind === 'Deployment' || kind === 'Job');
  const validate = (rendered: string, ...args: string[]) =>
    execFileSync(process.execPath, [path.join(checks, 'validate.mjs'), ...args], {
      input: rendered,
      encoding: 'utf8',
    });

  describe.each(Object.entries(INSTALLATIONS))('%s', (_, values) => {
    test('passes Helm’s own linter', () => {
      const linted = spawnSync(helm, ['lint', '--strict', CHART, ...toFlags(values)], {
        encoding: 'utf8',
      });

      expect([linted.status, linted.stdout]).toEqual([
        0,
        expect.stringContaining('0 chart(s) failed'),
      ]);
    });

    test('makes what Kubernetes and KEDA allow', () => {
      expect(validate(render(values))).toBe('');
    });

    test('runs as nobody in particular, may write nowhere and has bounds', () => {
      const pods = podsOf(values).map(({ spec }) => spec.template.spec);

      expect(pods).toHaveLength(3);
      for (const { securityContext, containers, initContainers = [] } of pods) {
        expect(securityContext).toMatchObject({
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        for (const container of [...containers, ...initContainers]) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.resources).toMatchObject({
            requests: { cpu: expect.any(String) },
            limits: { memory: expect.any(String) },
          });
        }
      }
    });

    test('gives each process longer to leave than it takes', () => {
      const seconds = podsOf(values).map(
        ({ spec }) => spec.template.spec.terminationGracePeriodSeconds,
      );

      expect(Math.min(...seconds)).toBeGreaterThanOrEqual(30);
    });

    test('selects the pods that it makes', () => {
      const deployments = manifestsOf(values).filter(({ kind }) => kind === 'Deployment');

      for (const { spec } of deployments)
        expect(spec.template.metadata.labels).toMatchObject(spec.selector?.matchLabels ?? {});
    });

    test('sets only variables that are documented', () => {
      const documented = readFileSync(inCheckout('docs/operations.md'), 'utf8');
      const names = podsOf(values).flatMap(({ spec }) =>
        spec.template.spec.containers.flatMap(({ env = [] }) => env.map(({ name }) => name)),
      );

      expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
    });
  });

  /** What the compiler says of rendered manifests, taken for values of their types: of fields that those don't know, above all. */
  function compile(rendered: readonly string[]): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-manifests-'));
    try {
      symlinkSync(path.join(checks, 'node_modules'), path.join(folder, 'node_modules'));
      const files = rendered.map((one, n) => {
        writeFileSync(path.join(folder, `${n}.ts`), validate(one, '--types'));
        return `${n}.ts`;
      });
      const tsc = inCheckout('node_modules/typescript/bin/tsc');
      const options = '--noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler';
      return spawnSync(process.execPath, [tsc, ...options.split(' '), '--types', '', ...files], {
        cwd: folder,
        encoding: 'utf8',
      }).stdout;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('uses no field that Kubernetes or KEDA does not know', () => {
    expect(compile(Object.values(INSTALLATIONS).map(render))).toBe('');
  });

  test('would be refused with a wrong value or an unknown field', () => {
    const rendered = render([...MINIMUM, 'autoscaling.enabled=true']);

    expect(validate(rendered.replace('replicas: 2', 'replicas: two'))).toContain(
      'replicas must be integer',
    );
    expect(compile([rendered.replace('readOnlyRootFilesystem', 'readOnlyRoot')])).toContain(
      'readOnlyRoot"\' does not exist',
    );
    expect(compile([rendered.replace('maxReplicaCount', 'maxReplicas')])).toContain(
      'maxReplicas"\' does not exist',
    );
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no secret', [], /existingSecret/],
    ['a value that it does not know', [...MINIMUM, 'api.replica=3'], /replica/],
    ['an ingress without a host', [...MINIMUM, 'ingress.enabled=true'], /host/],
    [
      'sentinels that nobody named',
      [...MINIMUM, 'redis.mode=sentinel'],
      /redis.sentinels is needed/,
    ],
    [
      'a provider of OpenID Connect that does not know us',
      [...MINIMUM, 'openId.issuer=https://id.example.com'],
      /openId.clientId is needed/,
    ],
    [
      'a console that is nowhere',
      [...MINIMUM, 'openId.consoleUrl=https://push.example.com'],
      /consoleUrl/,
    ],
  ])('is not installed with %s', (_, values, mistake) => {
    const rendered = spawnSync(helm, ['template', 'push', CHART, ...toFlags(values)], {
      encoding: 'utf8',
    });

    expect(rendered.status).not.toBe(0);
    expect(rendered.stderr).toMatch(mistake);
  });

  test('tells the api, and nobody else, whose word on the way of a request counts', () => {
    const proxies = podsOf(INSTALLATIONS['with an ingress'] ?? []).flatMap(({ spec }) =>
      spec.template.spec.containers.flatMap(({ name, env = [] }) =>
        env.filter((one) => one.name === 'TRUSTED_PROXIES').map(({ value }) => [name, value]),
      ),
    );

    expect(proxies).toEqual([['api', '10.0.0.0/8,fd00::/8']]);
  });

  test('tells the api, and nobody else, by whom people sign in to the console', () => {
    const settings = podsOf(INSTALLATIONS['with sign-in by OpenID Connect'] ?? []).flatMap(
      ({ spec }) =>
        spec.template.spec.containers.flatMap(({ name, env = [] }) =>
          env
            .filter((one) => /^(?:OIDC_|CONSOLE_)/.test(one.name))
            .map((one) => `${name} ${one.name}=${one.value ?? ''}`),
        ),
    );

    expect(settings.toSorted()).toEqual([
      'api CONSOLE_PUBLIC_URL=https://push.example.com/console',
      'api OIDC_CLIENT_ID=heliograph',
      'api OIDC_CLIENT_SECRET=',
      'api OIDC_ISSUER=https://id.example.com',
      'api OIDC_ROLES=push-team=sender',
    ]);
  });

  test('leaves the number of dispatchers to KEDA where that scales them', () => {
    const dispatcherOf = (values: readonly string[]) =>
      manifestsOf(values).find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-dispatcher'),
      );

    expect(dispatcherOf(MINIMUM)?.spec.replicas).toBe(2);
    expect(dispatcherOf([...MINIMUM, 'autoscaling.enabled=true'])?.spec.replicas).toBeUndefined();
  });

  describe('metrics', () => {
    const templateOf = (component: string, values: readonly string[]) => {
      const found = manifestsOf(values).find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith(`-${component}`),
      );
      if (found === undefined) throw new Error(`there is no ${component}`);
      return found.spec.template;
    };

    test.each([
      ['api', 'metrics.port=9999', '9999'],
      ['dispatcher', 'metrics.port=9999', '8080'],
    ])('of the %s are announced where it serves them', (component, value, port) => {
      const { metadata, spec } = templateOf(component, [...MINIMUM, value]);
      const [container] = spec.containers;

      expect(metadata.annotations).toEqual({
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': port,
        'prometheus.io/path': '/metrics',
      });
      expect(container?.ports?.map(({ containerPort }) => `${containerPort}`)).toContain(port);
    });

    test('are served by the api at an address that others reach, and in no Service', () => {
      const [container] = templateOf('api', MINIMUM).spec.containers;
      const services = manifestsOf(MINIMUM).filter(({ kind }) => kind === 'Service');

      expect(container?.env).toEqual(
        expect.arrayContaining([
          { name: 'METRICS_HOST', value: '0.0.0.0' },
          { name: 'METRICS_PORT', value: '9464' },
        ]),
      );
      expect(JSON.stringify(services)).not.toContain('metrics');
    });

    test('leave what was said of pods alone, and go where they are not wanted', () => {
      const named = templateOf('api', [...MINIMUM, 'api.podAnnotations.a=b']);
      const none = templateOf('api', [...MINIMUM, 'metrics.enabled=false']);

      expect(named.metadata.annotations).toMatchObject({ a: 'b', 'prometheus.io/port': '9464' });
      expect(none.metadata.annotations).toBeUndefined();
      expect(none.spec.containers[0]?.env?.map(({ name }) => name)).not.toContain('METRICS_PORT');
    });

    test('that KEDA asks Prometheus for are those of docs/metrics.md', () => {
      const documented = readMetricsTable().map(({ name }) => name);
      const queries = manifestsOf([
        ...MINIMUM,
        'autoscaling.enabled=true',
        'autoscaling.trigger=prometheus',
      ])
        .flatMap(({ spec }) => spec.triggers ?? [])
        .map(({ metadata }) => metadata.query);

      const named = queries.map((query) => /heliograph_\w+/.exec(query)?.[0]);
      expect(named).toHaveLength(2);
      expect(documented).toEqual(expect.arrayContaining(named));
    });
  });

  test('scales by queries that the database understands, and that an empty one answers with 0', async () => {
    const queries = manifestsOf([...MINIMUM, 'autoscaling.enabled=true'])
      .flatMap(({ spec }) => spec.triggers ?? [])
      .map(({ metadata }) => metadata.query);
    const database = await openTestDatabase();
    try {
      const answers = await Promise.all(
        queries.map((query) => sql.raw<Record<string, unknown>>(query).execute(database.db)),
      );

      expect(answers.map(({ rows }) => rows.map((row) => Object.values(row).map(Number)))).toEqual([
        [[0]],
        [[0]],
      ]);
    } finally {
      await database.close();
    }
  });
});
