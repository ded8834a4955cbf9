export const certificateWarnings = `
-- What was said of certificates that end, so that all dispatchers together say it once. Rows go with their certificate.
CREATE TABLE certificate_warnings (
  -- SHA-256.
  fingerprint    bytea NOT NULL,
  -- A proxy's chain may be renewed above a certificate that stays: then there is a new end to speak of.
  valid_to       timestamptz NOT NULL,
  -- That many days ahead, or fewer; 0: it has ended.
  threshold_days smallint NOT NULL,
  told_at        timestamptz NOT NULL,
  PRIMARY KEY (fingerprint, valid_to, threshold_days)
);
`;
