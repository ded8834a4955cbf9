export const campaignRuns = `
-- One live send of a campaign.
CREATE TABLE campaign_runs (
  -- A UUIDv7 whose last 32 bits are zero; a delivery's id counts them up from 1, by its place in the audience.
  id                   uuid PRIMARY KEY,
  -- The campaign may be deleted; its runs stay.
  campaign_id          bigint NOT NULL,
  app_ref              bigint NOT NULL,
  -- As it was when the run was made.
  message              json NOT NULL,
  valid_until          timestamptz,
  state                text NOT NULL CHECK (state IN
    ('scheduled', 'materialising', 'running', 'paused', 'completed', 'cancelled', 'halted')),
  reason               text,
  -- Only counts its audience.
  dry_run              boolean NOT NULL,
  rate_per_second      double precision,
  canary_percent       double precision,
  max_failure_percent  double precision,
  created_at           timestamptz NOT NULL DEFAULT now(),
  start_at             timestamptz NOT NULL,
  started_at           timestamptz,
  -- When its whole audience was frozen.
  materialised_at      timestamptz,
  approved_at          timestamptz,
  -- Nothing is owed any more.
  finished_at          timestamptz,
  -- What the failure rate counts from: an operator who resumes a halted run has seen what failed before.
  judged_sent          bigint NOT NULL DEFAULT 0,
  judged_failed        bigint NOT NULL DEFAULT 0,
  -- How far the audience is frozen: devices in the order of their ids, then users in theirs.
  last_device_id       bigint,
  last_user_position   bigint,
  few_users            boolean,
  device_cursor        bigint NOT NULL DEFAULT 0,
  user_cursor          bigint NOT NULL DEFAULT 0,
  next_chunk           integer NOT NULL DEFAULT 0,
  users                bigint NOT NULL DEFAULT 0,
  users_without_device bigint NOT NULL DEFAULT 0,
  users_counted_at     timestamptz,
  -- Deliveries per second, as measured lately.
  measured_rate        double precision NOT NULL DEFAULT 0,
  measured_final       bigint NOT NULL DEFAULT 0,
  measured_at          timestamptz
);
CREATE INDEX campaign_runs_by_campaign ON campaign_runs (campaign_id, id);
CREATE INDEX campaign_runs_by_app ON campaign_runs (app_ref, id);
CREATE INDEX campaign_runs_open ON campaign_runs (id) WHERE finished_at IS NULL;

-- The frozen audience and its ledger: up to 1000 devices of one provider in a row. Partitioned by the run's id, so by its day.
CREATE TABLE campaign_chunks (
  run_id          uuid NOT NULL,
  -- Its deliveries have the places ordinal * 1000 and following.
  ordinal         integer NOT NULL,
  provider        text NOT NULL,
  first_device_id bigint NOT NULL,
  last_device_id  bigint NOT NULL,
  -- In ascending order; the chunks of a run and provider do not overlap.
  device_ids      bigint[] NOT NULL,
  -- 16 bytes of each push token's SHA-256, as it was when the audience was frozen.
  token_hashes    bytea NOT NULL,
  -- hashtextextended of each device's user.
  user_hashes     bigint[] NOT NULL,
  -- One byte per device, see OUTCOME_CODES.
  outcomes        bytea NOT NULL,
  canary          boolean NOT NULL DEFAULT false,
  -- There is something to do from then on; under a lease, when that runs out. Infinity: behind the canary. Null: all are final.
  due_at          timestamptz,
  leased          boolean NOT NULL DEFAULT false,
  pause_id        bigint,
  -- Who holds the epoch may record outcomes; each record must be the next one, so that one that is repeated counts once.
  lease_epoch     integer NOT NULL DEFAULT 0,
  checkpoint      integer NOT NULL DEFAULT 0,
  -- Fixed by the first claim.
  expires_at      timestamptz,
  PRIMARY KEY (run_id, ordinal)
) PARTITION BY RANGE (run_id);
-- What does not compress is not worth trying.
ALTER TABLE campaign_chunks ALTER token_hashes SET STORAGE EXTERNAL, ALTER user_hashes SET STORAGE EXTERNAL;
CREATE TABLE campaign_chunks_default PARTITION OF campaign_chunks DEFAULT;
CREATE INDEX campaign_chunks_due ON campaign_chunks (run_id, due_at, ordinal) WHERE due_at IS NOT NULL;
CREATE INDEX campaign_chunks_by_device ON campaign_chunks (run_id, provider, first_device_id);
CREATE INDEX campaign_chunks_paused ON campaign_chunks (pause_id) WHERE pause_id IS NOT NULL;

-- Deliveries of a run that were not sent at the first try.
CREATE TABLE campaign_exceptions (
  run_id              uuid NOT NULL,
  -- The delivery's place in the run; its chunk is this divided by 1000.
  ordinal             bigint NOT NULL,
  device_id           bigint NOT NULL,
  -- As it was then; null where the device was gone.
  user_id             text,
  provider            text NOT NULL,
  state               text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'expired', 'skipped')),
  reason              text,
  attempts            integer NOT NULL,
  ambiguous_attempts  smallint NOT NULL,
  next_attempt_at     timestamptz,
  provider_message_id text,
  finished_at         timestamptz,
  -- One object per attempt, oldest first.
  history             jsonb,
  PRIMARY KEY (run_id, ordinal),
  CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
) PARTITION BY RANGE (run_id);
CREATE TABLE campaign_exceptions_default PARTITION OF campaign_exceptions DEFAULT;
CREATE INDEX campaign_exceptions_by_user ON campaign_exceptions (user_id, run_id);

-- The sums of the ledger, kept with it. Dispatchers add to different shards, so that none waits for another.
CREATE TABLE campaign_run_counts (
  run_id   uuid NOT NULL,
  provider text NOT NULL,
  -- An outcome code; -1: devices in the audience; -2: deliveries that were ever ambiguous.
  code     smallint NOT NULL,
  shard    smallint NOT NULL,
  count    bigint NOT NULL,
  PRIMARY KEY (run_id, provider, code, shard)
);

-- Devices of the campaign's users that are not in the audience.
CREATE TABLE campaign_run_exclusions (
  run_id   uuid NOT NULL,
  provider text NOT NULL,
  reason   text NOT NULL,
  count    bigint NOT NULL,
  PRIMARY KEY (run_id, provider, reason)
);

-- Push tokens that a running campaign was sent to at a device that had another one when the audience was frozen.
CREATE TABLE campaign_moved_tokens (
  run_id          uuid NOT NULL,
  provider        text NOT NULL,
  push_token_hash bytea NOT NULL,
  device_id       bigint NOT NULL,
  PRIMARY KEY (run_id, provider, push_token_hash)
);

-- Who held a push token until then: a token that moves while an audience is being frozen is found where it was. Read for runs that
-- are not over; a transaction may be visible later than it says.
CREATE TABLE token_releases (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref         bigint NOT NULL,
  provider        text NOT NULL,
  push_token_hash bytea NOT NULL,
  device_id       bigint NOT NULL,
  released_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX token_releases_by_token ON token_releases (push_token_hash, app_ref);
CREATE INDEX token_releases_by_age ON token_releases (released_at);

CREATE FUNCTION note_token_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO token_releases (app_ref, provider, push_token_hash, device_id)
  VALUES (OLD.app_ref, OLD.provider, OLD.push_token_hash, OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER devices_token_changed AFTER UPDATE ON devices FOR EACH ROW
  WHEN (OLD.push_token_hash <> NEW.push_token_hash OR OLD.provider <> NEW.provider OR OLD.app_ref <> NEW.app_ref)
  EXECUTE FUNCTION note_token_release();
CREATE TRIGGER devices_token_deleted AFTER DELETE ON devices FOR EACH ROW EXECUTE FUNCTION note_token_release();

-- Push tokens that several devices have, or had at once: the others need no look at who else has them. Who registers a token keeps
-- others from registering it, so the second to have it sees the first.
CREATE TABLE shared_tokens (
  push_token_hash bytea NOT NULL,
  app_ref         bigint NOT NULL,
  provider        text NOT NULL,
  PRIMARY KEY (push_token_hash, app_ref, provider)
);
INSERT INTO shared_tokens
SELECT push_token_hash, app_ref, provider FROM devices GROUP BY 1, 2, 3 HAVING count(*) > 1;

CREATE FUNCTION note_shared_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Written so that no index but that of the tokens fits: of a new table the planner knows nothing, and might read an app's devices.
  INSERT INTO shared_tokens (push_token_hash, app_ref, provider)
  SELECT NEW.push_token_hash, NEW.app_ref, NEW.provider WHERE EXISTS (
    SELECT FROM devices d
    WHERE d.push_token_hash = NEW.push_token_hash AND d.app_ref + 0 = NEW.app_ref AND d.provider || '' = NEW.provider
      AND d.id + 0 <> NEW.id)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER devices_token_added AFTER INSERT ON devices FOR EACH ROW EXECUTE FUNCTION note_shared_token();
CREATE TRIGGER devices_token_taken AFTER UPDATE ON devices FOR EACH ROW
  WHEN (OLD.push_token_hash <> NEW.push_token_hash OR OLD.provider <> NEW.provider OR OLD.app_ref <> NEW.app_ref)
  EXECUTE FUNCTION note_shared_token();

-- Audiences are frozen in this order.
CREATE INDEX devices_in_app_order ON devices (app_ref, id);
-- Where is my push?
CREATE INDEX messages_by_user ON messages (user_id, id);
`;
