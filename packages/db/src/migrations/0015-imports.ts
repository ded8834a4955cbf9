export const imports = `
-- What was taken over from other servers' databases. A run that was killed goes on at its step and cursor; the next run compares
-- with what the last one took, so that it takes over what changed there and leaves alone what changed here.
CREATE TABLE imports (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  -- Names the database that is read.
  source      text NOT NULL,
  run         integer NOT NULL DEFAULT 1,
  step        text NOT NULL,
  -- Where in the step; null at its start.
  cursor      text,
  -- What the run did until then.
  report      json NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);

-- Rows as an import took them, which a registration here, or a status that was set here, ends.
ALTER TABLE devices ADD COLUMN imported boolean NOT NULL DEFAULT false;
ALTER TABLE activations ADD COLUMN imported boolean NOT NULL DEFAULT false;

CREATE TABLE imported_credentials (
  import_ref  integer NOT NULL REFERENCES imports,
  app_ref     bigint NOT NULL,
  provider    text NOT NULL,
  fingerprint bytea NOT NULL,
  -- Of the credential that the import made. Null: it removed it. 0: what was here stayed, and stays.
  version     bigint,
  PRIMARY KEY (import_ref, app_ref, provider)
);

-- By the ids of the rows there, which both sides are gone through by.
CREATE TABLE imported_devices (
  import_ref    integer NOT NULL,
  source_id     bigint NOT NULL,
  activation_id text NOT NULL,
  registered_at timestamptz NOT NULL,
  active        boolean NOT NULL,
  -- Of everything that was read, 16 bytes.
  fingerprint   bytea NOT NULL,
  PRIMARY KEY (import_ref, source_id)
);

-- Activations whose device went away there. Applied when all devices were read, for one may have got another row.
CREATE TABLE import_departures (
  import_ref    integer NOT NULL,
  activation_id text NOT NULL,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (import_ref, activation_id, registered_at)
);

CREATE TABLE imported_campaigns (
  import_ref  integer NOT NULL,
  source_id   bigint NOT NULL,
  -- The same number where that was free.
  campaign_id bigint NOT NULL,
  fingerprint bytea NOT NULL,
  PRIMARY KEY (import_ref, source_id)
);

CREATE TABLE imported_campaign_users (
  import_ref  integer NOT NULL,
  source_id   bigint NOT NULL,
  campaign_id bigint NOT NULL,
  user_id     text NOT NULL,
  PRIMARY KEY (import_ref, source_id)
);

-- Stays when the message goes, so that it does not come back.
CREATE TABLE imported_inbox_messages (
  id uuid PRIMARY KEY
);
`;
