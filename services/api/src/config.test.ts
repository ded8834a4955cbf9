import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import { loadConfig } from './config.ts';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A certificate, its key and the key of another one, as files. */
function writeIdentities(): ReadonlyMap<string, string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-config-'));
  folders.push(folder);
  const authority = createAuthority(new Date());
  const one = createServerCertificate(authority, new Date());
  const other = createServerCertificate(authority, new Date());
  const contents = { CERT: one.certPem, KEY: one.keyPem, OTHER: other.keyPem };
  return new Map(
    Object.entries(contents).map(([name, text]) => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return [name, file];
    }),
  );
}

const REQUIRED = {
  DATABASE_URL: 'postgres://localhost/heliograph',
  REDIS_URL: 'redis://localhost',
  SECRETS_KEY: Buffer.alloc(32).toString('base64'),
};

describe('METRICS_PORT', () => {
  test.each([
    [{}, undefined],
    [{ METRICS_HOST: '0.0.0.0' }, undefined],
    [{ METRICS_PORT: '9464' }, { host: '127.0.0.1', port: 9464 }],
    [
      { METRICS_PORT: '0', METRICS_HOST: '10.0.0.1' },
      { host: '10.0.0.1', port: 0 },
    ],
  ])('with %j opens a listener at %j', (env, address) => {
    expect(loadConfig({ ...REQUIRED, ...env }).metrics).toEqual(address);
  });

  test('is a port', () => {
    expect(() => loadConfig({ ...REQUIRED, METRICS_PORT: '70000' })).toThrow(
      'METRICS_PORT=70000 is above 65535',
    );
  });
});

describe('AUTH', () => {
  test.each([
    [{}, false],
    [{ HOST: '0.0.0.0' }, false],
    [{ AUTH: 'on', HOST: '10.0.0.1' }, false],
    [{ AUTH: 'off' }, true],
    [{ AUTH: 'off', HOST: 'localhost' }, true],
    [{ AUTH: 'off', HOST: '127.9.9.9' }, true],
    [{ AUTH: 'off', HOST: '::1' }, true],
    [{ AUTH: 'off', HOST: '10.0.0.1', AUTH_OFF_HOST: '10.0.0.1' }, true],
    [{ AUTH: 'off', HOST: '0.0.0.0', AUTH_OFF_HOST: '0.0.0.0' }, true],
  ])('with %j lets everybody do anything: %s', (env, authOff) => {
    expect(loadConfig({ ...REQUIRED, ...env }).authOff).toBe(authOff);
  });

  test.each([
    { HOST: '0.0.0.0' },
    { HOST: '::' },
    { HOST: '10.0.0.1' },
    { HOST: '127.0.0.1.example.com' },
    { HOST: '10.0.0.1', AUTH_OFF_HOST: '10.0.0.2' },
    { HOST: '0.0.0.0', AUTH_OFF_HOST: 'true' },
    { HOST: 'localhost.example.com' },
  ])('is not switched off with %j', (env) => {
    expect(() => loadConfig({ ...REQUIRED, AUTH: 'off', ...env })).toThrow(
      `AUTH=off lets anybody who reaches ${env.HOST} do anything`,
    );
  });

  test('is nothing but on and off', () => {
    expect(() => loadConfig({ ...REQUIRED, AUTH: 'false' })).toThrow('AUTH=false');
  });
});

describe('loadConfig', () => {
  test('listens on loopback, sends for real and asks nobody, unless told otherwise', () => {
    expect(loadConfig(REQUIRED)).toMatchObject({
      host: '127.0.0.1',
      authOff: false,
      ratePerSecond: 0,
      maxRequests: 2000,
      limits: { maxConnections: 20_000, headersTimeoutMs: 60_000, requestTimeoutMs: 120_000 },
      port: 8080,
      basePaths: ['/'],
      bodyLimitBytes: 1024 * 1024,
      campaignBodyLimitBytes: 64 * 1024 * 1024,
      poolSize: 10,
      providers: 'live',
      syncWaitMs: 5000,
      multipleActivations: true,
      tls: undefined,
      m800DateWindowSeconds: 300,
      powerAuth: undefined,
      livePerson: undefined,
      applicationName: 'powerauth-push',
      applicationDisplayName: 'PowerAuth Push Server',
      applicationEnvironment: '',
      buildTime: undefined,
    });
  });

  test('reads a PowerAuth Server, base paths and a build time', () => {
    const config = loadConfig({
      ...REQUIRED,
      ACTIVATION_DIRECTORY: 'powerauth',
      POWERAUTH_URL: 'http://localhost/rest',
      POWERAUTH_CLIENT_TOKEN: 't',
      POWERAUTH_CLIENT_SECRET: 's',
      BASE_PATH: '/,/powerauth-push-server',
      BUILD_TIME: '2026-01-02T03:04:05Z',
    });

    expect(config).toMatchObject({
      powerAuth: {
        url: 'http://localhost/rest',
        credentials: { clientToken: 't', clientSecret: 's' },
        timeoutMs: 10_000,
        acceptInvalidTls: false,
      },
      basePaths: ['/', '/powerauth-push-server'],
      buildTime: new Date('2026-01-02T03:04:05Z'),
    });
  });

  test.each([
    [{ TLS_CERT_FILE: 'CERT' }, 'TLS_CERT_FILE and TLS_KEY_FILE come together'],
    [{ TLS_KEY_FILE: 'KEY' }, 'TLS_CERT_FILE and TLS_KEY_FILE come together'],
    [{ TLS_CERT_FILE: 'CERT', TLS_KEY_FILE: '/nowhere' }, 'TLS_KEY_FILE cannot be read'],
    [{ TLS_CERT_FILE: 'CERT', TLS_KEY_FILE: 'OTHER' }, 'TLS_KEY_FILE is not the key'],
    [{ TLS_CERT_FILE: 'KEY', TLS_KEY_FILE: 'KEY' }, 'TLS_CERT_FILE holds no certificate'],
  ])('refuses %j: %s', (env, mistake) => {
    const files = writeIdentities();
    const named = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, files.get(value) ?? value]),
    );

    expect(() => loadConfig({ ...REQUIRED, ...named })).toThrow(mistake);
  });

  test('reads a certificate, its key and the proxies to trust', () => {
    const files = writeIdentities();

    const { tls, trustedProxies } = loadConfig({
      ...REQUIRED,
      TLS_CERT_FILE: files.get('CERT'),
      TLS_KEY_FILE: files.get('KEY'),
      TRUSTED_PROXIES: '10.0.0.5,fd00::/8',
    });

    expect(tls?.cert.toString()).toContain('BEGIN CERTIFICATE');
    expect([trustedProxies.check('10.0.0.5'), trustedProxies.check('10.0.0.6')]).toEqual([
      true,
      false,
    ]);
  });

  test('names every mistake at once', () => {
    const env = {
      TRUSTED_PROXIES: 'proxy.example.com',
      M800_DATE_WINDOW_SECONDS: '3601',
      BASE_PATH: 'push',
      BUILD_TIME: 'yesterday',
      ACTIVATION_DIRECTORY: 'powerauth',
      POWERAUTH_CLIENT_TOKEN: 't',
    };

    const wrong = [
      'DATABASE_URL',
      'REDIS_URL',
      'SECRETS_KEY',
      'POWERAUTH_URL',
      ...Object.keys(env),
    ];
    for (const name of wrong.filter((one) => one !== 'ACTIVATION_DIRECTORY'))
      expect(() => loadConfig(env)).toThrow(name);
  });

  test.each([
    ['LIVEPERSON_PORT', '8443', ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'CLIENT_CA_FILE']],
    ['LIVEPERSON_HOST', '127.0.0.1', ['PORT', 'TLS_CERT_FILE', 'TLS_KEY_FILE', 'CLIENT_CA_FILE']],
    ['LIVEPERSON_CLIENT_CA_FILE', __filename, ['PORT', 'TLS_CERT_FILE', 'TLS_KEY_FILE']],
  ])(
    'wants all of the LivePerson listener or none: with %s it names what is missing',
    (name, value, missing) => {
      for (const other of missing)
        expect(() => loadConfig({ ...REQUIRED, [name]: value })).toThrow(
          `LIVEPERSON_${other} is not set`,
        );
    },
  );

  test('says what is wrong with the files of the LivePerson listener', () => {
    const env = {
      ...REQUIRED,
      LIVEPERSON_PORT: '8443',
      LIVEPERSON_TLS_CERT_FILE: __filename,
      LIVEPERSON_TLS_KEY_FILE: __filename,
      LIVEPERSON_CLIENT_CA_FILE: '/nowhere/ca.pem',
    };

    expect(() => loadConfig(env)).toThrow('LIVEPERSON_TLS_CERT_FILE holds no certificate');
    expect(() => loadConfig(env)).toThrow('LIVEPERSON_TLS_KEY_FILE holds no private key');
    expect(() => loadConfig(env)).toThrow('LIVEPERSON_CLIENT_CA_FILE cannot be read');
  });
});

describe('CONSOLE', () => {
  test('is on, with sessions of an hour of rest and twelve in all, by https', () => {
    expect(loadConfig(REQUIRED).console).toEqual({
      idleMs: 3_600_000,
      maxMs: 12 * 3_600_000,
      allowHttp: false,
    });
  });

  test('has other times, and goes in the clear, where that is said', () => {
    const env = {
      CONSOLE_IDLE_MINUTES: '5',
      CONSOLE_SESSION_HOURS: '168',
      CONSOLE_ALLOW_HTTP: 'true',
    };

    expect(loadConfig({ ...REQUIRED, ...env }).console).toEqual({
      idleMs: 300_000,
      maxMs: 168 * 3_600_000,
      allowHttp: true,
    });
  });

  test('may be off', () => {
    expect(loadConfig({ ...REQUIRED, CONSOLE: 'off' }).console).toBeUndefined();
  });

  test.each([
    { CONSOLE: 'no' },
    { CONSOLE_IDLE_MINUTES: '4' },
    { CONSOLE_SESSION_HOURS: '0' },
    { CONSOLE_ALLOW_HTTP: 'perhaps' },
  ])('refuses %j', (env) => {
    expect(() => loadConfig({ ...REQUIRED, ...env })).toThrow(Object.keys(env)[0] ?? '');
  });
});

describe('OIDC_ISSUER', () => {
  const OIDC = {
    OIDC_ISSUER: 'https://id.example.com/realms/staff',
    OIDC_CLIENT_ID: 'heliograph',
    CONSOLE_PUBLIC_URL: 'https://push.example.com/base/console/',
  };
  const load = (env: NodeJS.ProcessEnv) =>
    loadConfig({ ...REQUIRED, ...OIDC, ...env }).console?.openId;

  test('has people sign in by OpenID Connect; without it they do by passwords only', () => {
    expect(loadConfig(REQUIRED).console?.openId).toBeUndefined();
    expect(loadConfig({ ...REQUIRED, OIDC_ISSUER: '', OIDC_ROLES: '' }).console).toBeDefined();
    expect(load({})).toEqual({
      issuer: new URL(OIDC.OIDC_ISSUER),
      clientId: 'heliograph',
      clientSecret: undefined,
      scopes: 'openid profile email',
      name: 'SSO',
      consoleUrl: 'https://push.example.com/base/console',
      roleClaim: 'roles',
      roles: new Map([
        ['viewer', 'viewer'],
        ['editor', 'editor'],
        ['sender', 'sender'],
        ['admin', 'admin'],
      ]),
    });
  });

  test('takes values of the claim as roles, in any spelling', () => {
    const openId = load({
      OIDC_ROLES: 'push-team=sender, CN%3DPush%2COU%3DIT=admin,a=b=viewer',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_CLIENT_SECRET: 'secret',
      OIDC_SCOPES: ' openid  groups',
      OIDC_NAME: 'Example ID',
    });

    expect(openId).toMatchObject({
      roleClaim: 'groups',
      clientSecret: 'secret',
      scopes: 'openid groups',
      name: 'Example ID',
      roles: new Map([
        ['push-team', 'sender'],
        ['CN=Push,OU=IT', 'admin'],
        ['a=b', 'viewer'],
      ]),
    });
  });

  test.each([
    { OIDC_ISSUER: 'http://localhost:4000', CONSOLE_PUBLIC_URL: 'http://127.0.0.1:8080/console' },
    { OIDC_ISSUER: 'http://[::1]:4000', CONSOLE_PUBLIC_URL: 'http://localhost/console' },
    { CONSOLE_PUBLIC_URL: 'http://push.example.com/console', CONSOLE_ALLOW_HTTP: 'true' },
  ])('may be in the clear at this machine itself: %j', (env) => {
    expect(load(env)).toBeDefined();
  });

  test.each([
    [{ OIDC_ISSUER: 'http://id.example.com' }, 'OIDC_ISSUER must be https'],
    [{ OIDC_ISSUER: 'http://id.example.com', CONSOLE_ALLOW_HTTP: 'true' }, 'OIDC_ISSUER must be'],
    [{ OIDC_ISSUER: 'http://localhost.example.com' }, 'OIDC_ISSUER must be https'],
    [{ OIDC_ISSUER: 'id.example.com' }, 'OIDC_ISSUER is not a URL'],
    [
      { OIDC_ISSUER: 'https://id.example.com/?x' },
      'OIDC_ISSUER must be an address without a query',
    ],
    [{ CONSOLE_PUBLIC_URL: 'http://push.example.com/console' }, 'CONSOLE_PUBLIC_URL must be https'],
    [
      { CONSOLE_PUBLIC_URL: 'https://push.example.com' },
      'CONSOLE_PUBLIC_URL must end with /console',
    ],
    [{ CONSOLE_PUBLIC_URL: '' }, 'CONSOLE_PUBLIC_URL is not set'],
    [{ OIDC_CLIENT_ID: '' }, 'OIDC_CLIENT_ID is not set'],
    [{ OIDC_SCOPES: 'profile' }, 'OIDC_SCOPES must have openid'],
    [{ OIDC_NAME: 'x'.repeat(41) }, 'OIDC_NAME has more than 40 characters'],
    [{ OIDC_ROLES: 'a=root' }, 'OIDC_ROLES is not a list'],
    [{ OIDC_ROLES: 'admin' }, 'OIDC_ROLES is not a list'],
    [{ OIDC_ROLES: '%=admin' }, 'OIDC_ROLES is not a list'],
    [{ OIDC_ROLES: 'a=admin,' }, 'OIDC_ROLES is not a list'],
    [
      { OIDC_ISSUER: '', OIDC_ROLES: 'a=admin', OIDC_CLIENT_SECRET_FILE: '/x' },
      'OIDC_CLIENT_ID, OIDC_CLIENT_SECRET_FILE, OIDC_ROLES: of no use without OIDC_ISSUER',
    ],
    [
      { OIDC_CLIENT_SECRET: 'hidden', OIDC_CLIENT_SECRET_FILE: '/x' },
      'OIDC_CLIENT_SECRET and OIDC_CLIENT_SECRET_FILE are both set',
    ],
  ])('is refused with %j', (env, mistake) => {
    expect(() => load(env)).toThrow(mistake);
    expect(() => load(env)).not.toThrow('hidden');
  });

  test('is reported with all that is missing at once', () => {
    expect(() => loadConfig({ ...REQUIRED, OIDC_ISSUER: 'https://id.example.com' })).toThrow(
      /OIDC_CLIENT_ID is not set\n.*CONSOLE_PUBLIC_URL is not set/,
    );
  });
});
