// The sources run as they are: SWC turns each TypeScript file into CommonJS, and the packages resolve to
// their `src` by the export condition that production does not set.
export default {
  testMatch: ['<rootDir>/{packages,services}/*/{src,test,bench}/**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@heliograph/source', 'node', 'require', 'default'],
  },
  // For a machine that does much else at the same time.
  testTimeout: 60_000,
};
