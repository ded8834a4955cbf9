export const appsAndDevices = `
-- Which kind of providers this database's messages go to. A process in the other mode refuses to start.
CREATE TABLE installation (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  mode       text NOT NULL CHECK (mode IN ('live', 'sandbox')),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE apps (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_id     text NOT NULL UNIQUE,
  app_name   text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A version is never used twice, not even after a credential was removed: pauses and faults refer to it.
CREATE SEQUENCE credential_versions;

CREATE TABLE credentials (
  app_ref     bigint NOT NULL REFERENCES apps,
  provider    text NOT NULL CHECK (provider IN ('apns', 'fcm')),
  version     bigint NOT NULL DEFAULT nextval('credential_versions'),
  environment text CHECK (environment IN ('production', 'development')),
  -- The public part: bundle, keyId, teamId of APNs; projectId of FCM.
  settings    jsonb NOT NULL,
  sealed_key  bytea NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (app_ref, provider)
);

-- The local activation directory: used where no PowerAuth Server is asked.
CREATE TABLE activations (
  activation_id text PRIMARY KEY,
  user_id       text,
  status        text NOT NULL CHECK (status IN ('CREATED', 'PENDING_COMMIT', 'ACTIVE', 'BLOCKED', 'REMOVED')),
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE devices (
  id                       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref                  bigint NOT NULL REFERENCES apps,
  activation_id            text NOT NULL UNIQUE,
  user_id                  text,
  provider                 text NOT NULL CHECK (provider IN ('apns', 'fcm')),
  environment              text CHECK (environment IN ('production', 'development')),
  push_token               text NOT NULL,
  -- SHA-256; tokens of up to 4096 bytes don't fit into an index.
  push_token_hash          bytea NOT NULL,
  -- Gates personal messages only.
  activation_active        boolean NOT NULL,
  -- Set by token faults; nothing is sent while it is set.
  token_deactivated_at     timestamptz,
  token_deactivated_reason text,
  last_registered_at       timestamptz NOT NULL,
  created_at               timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX devices_by_user ON devices (user_id, app_ref);
CREATE INDEX devices_by_token ON devices (push_token_hash, app_ref);
CREATE INDEX devices_by_app ON devices (app_ref, provider);
`;
