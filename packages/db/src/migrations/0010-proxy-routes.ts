export const proxyRoutes = `
-- Which way the pushes of an app go to the devices of a provider: to the provider itself, or to the customer's own proxy.
-- A process of before, which knows no routes, must not put a key for the one into the row of the other.
ALTER TABLE credentials
  ADD COLUMN route text NOT NULL DEFAULT 'direct' CHECK (route IN ('direct', 'proxy')),
  ADD CONSTRAINT credentials_settings_of_route CHECK ((route = 'proxy') = jsonb_exists(settings, 'url'));

-- The direct credential that was put aside for a proxy, and comes back when the proxy is removed. Its key stays sealed as it was, for
-- the row of the same key in credentials.
CREATE TABLE standby_credentials (
  app_ref     bigint NOT NULL REFERENCES apps,
  provider    text NOT NULL CHECK (provider IN ('apns', 'fcm')),
  environment text CHECK (environment IN ('production', 'development')),
  settings    jsonb NOT NULL,
  sealed_key  bytea NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (app_ref, provider)
);

-- Devices that a proxy refused lately, one time after the other. Rows of devices that are gone disappear with time.
CREATE TABLE device_refusals (
  device_id       bigint PRIMARY KEY,
  -- Of the push token that was refused: another one starts anew.
  push_token_hash bytea NOT NULL,
  -- When the last of them, three at most, were about to be sent.
  refused_at      timestamptz[] NOT NULL
);
`;
