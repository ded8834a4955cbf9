import { tellCertificateEnds, type CertificateWarning, type Db } from '@heliograph/db';
import type { Logger } from 'pino';

/** The rest is told of in the rounds after; those that end first go first. */
const MAX_WARNINGS_PER_ROUND = 100;

/** Says in the log which stored certificates end soon, or have ended: once for each threshold, however many dispatchers there are. */
export async function warnOfCertificates(deps: {
  readonly db: Db;
  readonly log: Logger;
  readonly now: () => Date;
}): Promise<void> {
  const now = deps.now();
  await tellCertificateEnds(deps.db, { now, limit: MAX_WARNINGS_PER_ROUND }, (warning) => {
    const facts = toFacts(warning);
    if (warning.validTo <= now) deps.log.error(facts, 'certificate has ended');
    else deps.log.warn(facts, 'certificate ends soon');
  });
}

function toFacts({ fingerprint, ...facts }: CertificateWarning) {
  return { ...facts, fingerprint: fingerprint.toString('hex') };
}
