export const developerKeys = `
-- Who may send signed requests for an app. Keys are disabled, never deleted: messages refer to them.
CREATE TABLE developer_keys (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  developer_key text NOT NULL UNIQUE,
  app_ref       bigint NOT NULL REFERENCES apps,
  name          text NOT NULL,
  -- Whose users it may send to; the first is that of a receiver without carrier.
  carriers      text[] NOT NULL CHECK (cardinality(carriers) > 0),
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX developer_keys_by_app ON developer_keys (app_ref);

-- Sealed, for a signature is checked with the secret itself.
CREATE TABLE developer_secrets (
  id                uuid PRIMARY KEY,
  developer_key_ref bigint NOT NULL REFERENCES developer_keys,
  sealed_secret     bytea NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  -- Null: it is the current one.
  valid_until       timestamptz
);
CREATE INDEX developer_secrets_by_key ON developer_secrets (developer_key_ref);
CREATE UNIQUE INDEX developer_secrets_current ON developer_secrets (developer_key_ref) WHERE valid_until IS NULL;

-- Written in the transaction that accepts a request: the truth about what was used. The date of a request bounds how long it counts.
CREATE TABLE developer_nonces (
  developer_key_ref bigint NOT NULL,
  nonce             text NOT NULL,
  -- Null for a request that accepted nothing, such as a query.
  request_id        uuid,
  created_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (developer_key_ref, nonce)
);
CREATE INDEX developer_nonces_by_age ON developer_nonces (created_at);

-- An accepted request. The message that it pushed, and the one in the inbox, have its id.
CREATE TABLE m800_requests (
  id                uuid NOT NULL PRIMARY KEY,
  developer_key_ref bigint NOT NULL,
  user_id           text NOT NULL,
  carrier           text NOT NULL,
  -- Whether there was anything for the push channel.
  pushed            boolean NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);
CREATE TABLE m800_requests_default PARTITION OF m800_requests DEFAULT;

-- Who sent it, where it came as a signed request: callbacks of a developer key are about these.
ALTER TABLE messages ADD COLUMN developer_key_ref bigint;
`;
