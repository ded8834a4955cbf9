export const retention = `
-- When the chunks and exceptions of a run were dropped: its sums stay, what became of single devices is not known any more.
ALTER TABLE campaign_runs ADD COLUMN devices_purged_at timestamptz;
CREATE INDEX campaign_runs_by_end ON campaign_runs (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX inbox_messages_by_age ON inbox_messages (created_at);
CREATE INDEX token_faults_settled ON token_faults (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX activations_by_user ON activations (user_id);

-- What a pruning took, and when: small beside the devices, and untouched by registrations of devices that are well.
CREATE INDEX devices_deactivated ON devices (app_ref, token_deactivated_at) WHERE token_deactivated_at IS NOT NULL;

-- The daily look for devices that registered too long ago.
CREATE TABLE stale_checks (
  app_ref     bigint NOT NULL REFERENCES apps,
  provider    text NOT NULL,
  checked_at  timestamptz NOT NULL DEFAULT now(),
  -- Of those whose push token is not deactivated.
  devices     bigint NOT NULL,
  stale       bigint NOT NULL,
  -- They registered last before then.
  stale_before timestamptz NOT NULL,
  -- They were too many: an operator decides. Null: nothing is held.
  held_since  timestamptz,
  held_because text,
  -- An operator lets go what was stale then.
  approved_before timestamptz,
  -- When what an operator let go was gone: what went before then counts no more.
  settled_at  timestamptz,
  PRIMARY KEY (app_ref, provider)
);

-- When a dispatcher last began to forget: however many there are, one of them does it in a while.
CREATE TABLE retention_rounds (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  began_at timestamptz NOT NULL DEFAULT now()
);

-- A user who is to be forgotten. The id is all that stays of them: what is left of their messages names it.
CREATE TABLE user_erasures (
  id             uuid PRIMARY KEY,
  -- Null: in every app.
  app_ref        bigint REFERENCES apps,
  -- Null once it is over.
  user_id        text,
  -- Whose they were; emptied once it is over.
  device_ids     bigint[] NOT NULL DEFAULT '{}',
  requested_at   timestamptz NOT NULL DEFAULT now(),
  -- When all was gone that was there. What was under way then is looked for once more.
  erased_at      timestamptz,
  finished_at    timestamptz,
  devices        bigint NOT NULL DEFAULT 0,
  messages       bigint NOT NULL DEFAULT 0,
  skipped        bigint NOT NULL DEFAULT 0,
  inbox_messages bigint NOT NULL DEFAULT 0,
  campaigns      bigint NOT NULL DEFAULT 0,
  campaign_deliveries bigint NOT NULL DEFAULT 0,
  CHECK ((finished_at IS NULL) = (user_id IS NOT NULL))
);
CREATE UNIQUE INDEX user_erasures_open ON user_erasures (user_id, coalesce(app_ref, 0)) WHERE finished_at IS NULL;
`;
