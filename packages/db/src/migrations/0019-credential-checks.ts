export const credentialChecks = `
-- Credentials that somebody wants checked at their provider before they are saved. A dispatcher takes one under a lease and writes the
-- verdict; the candidate's key goes with that, and the row within a minute.
CREATE TABLE credential_checks (
  id          uuid PRIMARY KEY,
  provider    text NOT NULL CHECK (provider IN ('apns', 'fcm')),
  environment text CHECK (environment IN ('production', 'development')),
  settings    jsonb NOT NULL,
  sealed_key  bytea,
  expires_at  timestamptz NOT NULL,
  lease_until timestamptz,
  lease_epoch integer NOT NULL DEFAULT 0,
  -- accepted: the provider knows it. refused: it does not. unanswered: nobody knows.
  verdict     text CHECK (verdict IN ('accepted', 'refused', 'unanswered')),
  reason      text,
  CHECK ((verdict IS NULL) = (sealed_key IS NOT NULL))
);
`;
