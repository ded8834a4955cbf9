import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { Ajv } from 'ajv';

import { inCheckout } from '../checkout.ts';
import { describeWithForeign } from '../foreign.ts';

interface Service {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>> | readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: object;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

const FILES = [
  'docker-compose.yml',
  'infra/docker/compose.sandbox.yml',
  'infra/docker/compose.other-keys.yml',
  'infra/docker/compose.openid.yml',
];
const OURS = ['migrate', 'api', 'dispatcher'];

describeWithForeign('checks', 'docker-compose.yml', (checks) => {
  const checksRequire = createRequire(path.join(checks, 'package.json'));
  const yaml = checksRequire('yaml') as { parse(text: string, options: object): unknown };
  const schema = path.join(checks, 'node_modules/dclint/schemas/compose.schema.json');
  const read = (file: string) =>
    yaml.parse(readFileSync(inCheckout(file), 'utf8'), { merge: true }) as Compose;
  const compose = read('docker-compose.yml');
  const services = Object.entries(compose.services);

  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile({
    ...(JSON.parse(readFileSync(schema, 'utf8')) as object),
    // It names its draft by another address than the draft's own.
    $schema: 'http://json-schema.org/draft-07/schema#',
  });

  test.each(FILES)('%s is what the specification of Compose allows', (file) => {
    validate(read(file));

    expect(validate.errors).toBeNull();
  });

  test('hands the api the proxies that its caller names', () => {
    expect(compose.services['api']?.environment?.['TRUSTED_PROXIES']).toBe('${TRUSTED_PROXIES:-}');
  });

  test('has sign-in by OpenID Connect beside it, for the api alone, with the secret in a file', () => {
    const { services: more, secrets } = read('infra/docker/compose.openid.yml');

    expect(Object.keys(more)).toEqual(['api']);
    const { OIDC_CLIENT_SECRET_FILE: file, ...others } = more['api']?.environment ?? {};
    expect(file).toBe('/run/secrets/oidc_client_secret');
    expect(Object.keys(secrets ?? {})).toEqual(more['api']?.secrets);
    expect(others).toEqual(
      Object.fromEntries(Object.keys(others).map((name) => [name, `\${${name}:-}`])),
    );
    expect(Object.keys(others)).toEqual(
      expect.arrayContaining(['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'CONSOLE_PUBLIC_URL']),
    );
  });

  test('would be refused with a field that Compose does not know', () => {
    expect(validate({ services: { api: { image: 'x', readonly: true } } })).toBe(false);
  });

  test.each(services)(
    '%s may write nowhere but where it has to, and has no powers to spare',
    (_, service) => {
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
    },
  );

  test('publishes on loopback only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);

    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('fixes the version of every image by others', () => {
    const images = services.map(([, { image = '' }]) => image);

    expect(images.filter((image) => !/:(\d+\.\d+|v\d+\.\d+|\$\{)/.test(image))).toEqual([]);
  });

  test('keeps secrets in files: none is in the environment of a process', () => {
    const variables = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secrets = variables.filter(
      ([name, value]) => /KEY|SECRET|PASSWORD/.test(name) && !value.startsWith('/run/secrets/'),
    );

    expect(secrets).toEqual([]);
    expect(
      variables.map(([, value]) => value).filter((value) => /:\/\/[^/@]*:[^/@]*@/.test(value)),
    ).toEqual([]);
    for (const { file } of Object.values(compose.secrets ?? {}))
      expect(readFileSync(inCheckout('.gitignore'), 'utf8')).toContain(
        path.basename(path.dirname(file)),
      );
  });

  test('names secrets, volumes and services that there are', () => {
    const named = services.flatMap(([, { secrets = [] }]) => secrets);
    const volumes = services
      .flatMap(([, service]) => service.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '');
    const dependencies = services.flatMap(([, { depends_on = [] }]) =>
      Array.isArray(depends_on) ? depends_on : Object.keys(depends_on),
    );

    expect(Object.keys(compose.secrets ?? {})).toEqual(expect.arrayContaining(named));
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(dependencies));
    for (const volume of volumes.filter((one) => !one.startsWith('.')))
      expect(Object.keys(compose.volumes ?? {})).toContain(volume);
    for (const folder of volumes.filter((one) => one.startsWith('./infra')))
      expect(existsSync(inCheckout(path.dirname(folder)))).toBe(true);
  });

  test.each(OURS)(
    '%s has longer to leave than it takes, and only variables that are documented',
    (name) => {
      const { environment = {}, stop_grace_period: grace } = compose.services[name] ?? {};
      const documented = readFileSync(inCheckout('docs/operations.md'), 'utf8');

      expect(grace).toBe('30s');
      expect(Object.keys(environment).filter((one) => !documented.includes(`\`${one}\``))).toEqual(
        [],
      );
    },
  );

  test('Prometheus finds the metrics of api and dispatcher where they are', () => {
    const config = yaml.parse(
      readFileSync(inCheckout('infra/prometheus/prometheus.yml'), 'utf8'),
      {},
    );
    const [, dispatcherPort = ''] =
      /ENV .*\bPORT=(\d+)/.exec(readFileSync(inCheckout('infra/docker/Dockerfile'), 'utf8')) ?? [];
    const apiPort = compose.services['api']?.environment?.['METRICS_PORT'];

    expect(config).toMatchObject({
      scrape_configs: [
        {
          dns_sd_configs: [
            { names: ['api'], type: 'A', port: Number(apiPort) },
            { names: ['dispatcher'], type: 'A', port: Number(dispatcherPort) },
          ],
        },
      ],
    });
    expect(services.flatMap(([, { ports = [] }]) => ports).join()).not.toContain(apiPort);
  });

  test('the fake providers are asked for by a file of their own, in which every process is told', () => {
    const sandbox = read('infra/docker/compose.sandbox.yml');

    expect(compose.services).not.toHaveProperty('sandbox');
    for (const name of OURS)
      expect(sandbox.services[name]?.environment).toMatchObject({ PROVIDERS: 'sandbox' });
  });
});

describeWithForeign('checks', 'the Dockerfile', (checks) => {
  test('passes its linter', () => {
    const { validate } = createRequire(path.join(checks, 'package.json'))('dockerfile-utils') as {
      validate(this: void, text: string): { message: string }[];
    };
    const dockerfile = readFileSync(inCheckout('infra/docker/Dockerfile'), 'utf8');

    expect(validate(dockerfile).map(({ message }) => message)).toEqual([]);
    expect(validate('FROM node\nRUNN x\n')).not.toEqual([]);
  });
});
