export const access = `
-- Who may call the api. Of a key's secret there is only its SHA-256.
CREATE TABLE api_keys (
  id              text PRIMARY KEY,
  name            text NOT NULL,
  secret_hash     bytea NOT NULL,
  scopes          text[] NOT NULL CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['send', 'devices', 'campaigns', 'campaigns:send', 'read', 'admin']),
  -- Null: for every app.
  app_ref         bigint REFERENCES apps,
  -- Requests per second over all servers; null: what the environment says, 0: no limit.
  rate_per_second double precision CHECK (rate_per_second >= 0),
  expires_at      timestamptz,
  revoked_at      timestamptz,
  last_used_at    timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now()
);

-- What those did who administrate and control. Written before the act; its outcome is added after it. An entry without one is of an act
-- that is under way, or whose process died.
CREATE TABLE audit_log (
  id          uuid NOT NULL DEFAULT create_event_id() PRIMARY KEY,
  -- Null where there was no key: the command line, or access control was off.
  key_id      text,
  actor       text NOT NULL,
  request_id  text,
  action      text NOT NULL,
  app_ref     bigint,
  -- What the act was about: ids only.
  objects     jsonb NOT NULL,
  outcome     text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
) PARTITION BY RANGE (id);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
CREATE INDEX audit_log_by_app ON audit_log (app_ref, id);
`;
