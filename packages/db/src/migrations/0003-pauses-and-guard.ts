export const pausesAndGuard = `
-- A stopped scope: what was owed in it waits, untouched. A lifted pause stays until its deliveries are due again.
CREATE TABLE pauses (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref            bigint NOT NULL,
  provider           text NOT NULL,
  environment        text NOT NULL,
  credential_version bigint NOT NULL,
  scope              text NOT NULL CHECK (scope IN ('credential', 'app', 'endpoint', 'third_party', 'guard')),
  reason             text NOT NULL,
  since              timestamptz NOT NULL DEFAULT now(),
  -- When one delivery is let through to see whether the trouble is over; null: an operator decides.
  probe_at           timestamptz,
  probe_interval     interval NOT NULL DEFAULT '5 minutes',
  probe_delivery_id  uuid,
  lifted_at          timestamptz
);
CREATE UNIQUE INDEX pauses_active ON pauses (app_ref, provider, environment, credential_version, scope)
  WHERE lifted_at IS NULL;

-- A push token that a provider called invalid: noted first, applied to the device a minute later, or held by the guard.
CREATE TABLE token_faults (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref            bigint NOT NULL,
  provider           text NOT NULL,
  environment        text NOT NULL,
  credential_version bigint NOT NULL,
  device_id          bigint NOT NULL,
  push_token_hash    bytea NOT NULL,
  reason             text NOT NULL,
  kind               text NOT NULL CHECK (kind IN ('dead', 'wrong_place')),
  -- A device that registered its token after this keeps it.
  invalid_since      timestamptz NOT NULL,
  noted_at           timestamptz NOT NULL DEFAULT now(),
  state              text NOT NULL DEFAULT 'noted' CHECK (state IN ('noted', 'held', 'applied', 'moot', 'discarded')),
  settled_at         timestamptz
);
CREATE INDEX token_faults_noted ON token_faults (noted_at) WHERE state = 'noted';
CREATE INDEX token_faults_by_scope
  ON token_faults (app_ref, provider, environment, credential_version, kind, noted_at);
CREATE UNIQUE INDEX token_faults_open ON token_faults (device_id, push_token_hash) WHERE state IN ('noted', 'held');

-- How many answers a scope had, and how many of them were token faults; a row per recorded group of outcomes.
CREATE TABLE answer_counts (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref            bigint NOT NULL,
  provider           text NOT NULL,
  environment        text NOT NULL,
  credential_version bigint NOT NULL,
  answers            integer NOT NULL,
  wrong_place        integer NOT NULL,
  dead               integer NOT NULL,
  at                 timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX answer_counts_by_scope ON answer_counts (app_ref, provider, environment, credential_version, id);
CREATE INDEX answer_counts_by_age ON answer_counts (at);

-- What an operator decided about a guard's held faults: answers before it no longer count.
CREATE TABLE guard_decisions (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref            bigint NOT NULL,
  provider           text NOT NULL,
  environment        text NOT NULL,
  credential_version bigint NOT NULL,
  decision           text NOT NULL CHECK (decision IN ('apply', 'discard')),
  at                 timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX guard_decisions_by_scope ON guard_decisions (app_ref, provider, environment, credential_version, at);
`;
