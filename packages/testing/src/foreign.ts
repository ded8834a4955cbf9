/// <reference types="jest" />

/** A server by somebody else, with which ours must get along. */
export type ForeignServer = 'nginx' | 'nghttpd';
/** Any program by somebody else that tests hold ours against. */
export type ForeignProgram = ForeignServer | 'openssl' | 'curl' | 'promtool' | 'chromium';
/** The packages of infra/checks, where they are installed, and Helm beside them. */
export type Checks = 'checks';

/**
 * A `describe` for tests against a foreign program, which get the path of its program. Where it is not installed,
 * they are skipped with the reason in their title; in CI, which fetches it, that is a failure.
 */
export function describeWithForeign(
  name: ForeignProgram | Checks,
  title: string,
  tests: (program: string) => void,
): void {
  const variable = `TEST_FOREIGN_${name.toUpperCase()}`;
  const program = process.env[variable];
  if (program !== undefined) {
    describe(title, () => tests(program));
    return;
  }

  const reason = process.env[`${variable}_REASON`] ?? `${name} is not installed`;
  const missing = () => {
    throw new Error(reason);
  };
  const define = process.env['CI'] ? describe : describe.skip;
  define(`${title} [${reason}]`, () => {
    test(`needs ${name}`, missing);
  });
}
