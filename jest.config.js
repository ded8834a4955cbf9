// The sources run as they are: SWC turns each TypeScript file into CommonJS, and the packages resolve to
// their `src` by the export condition that production does not set.
const SWC = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};

export default {
  testMatch: ['<rootDir>/{packages,services}/*/{src,test,bench}/**/*.test.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', SWC],
    // CommonJS already, but it imports Node's own modules dynamically, which Jest can't; the others are ES modules only.
    '/(?:@opentelemetry/otlp-exporter-base|openid-client|oauth4webapi|jose)/.*\\.js$': [
      '@swc/jest',
      { ...SWC, jsc: { ...SWC.jsc, parser: { syntax: 'ecmascript' } } },
    ],
  },
  transformIgnorePatterns: [
    '/node_modules/(?!@opentelemetry/otlp-exporter-base/|openid-client/|oauth4webapi/|jose/)',
  ],
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@heliograph/source', 'node', 'require', 'default'],
  },
  // For a machine that does much else at the same time.
  testTimeout: 60_000,
};
