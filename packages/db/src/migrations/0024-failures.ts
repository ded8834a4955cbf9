export const failures = `
-- What failed for good or expired, counted ahead: a row per cause, hour and shard. Written by the statements that record outcomes, and
-- only by those that have such an outcome. Shards keep them from waiting for each other.
CREATE TABLE failure_counts (
  app_ref  bigint NOT NULL,
  hour     timestamptz NOT NULL,
  provider text NOT NULL,
  lane     text NOT NULL CHECK (lane IN ('message', 'campaign')),
  state    text NOT NULL CHECK (state IN ('failed', 'expired')),
  reason   text NOT NULL,
  shard    smallint NOT NULL,
  -- Ever.
  failed   bigint NOT NULL,
  -- Of those, the ones that were put back to be sent again.
  replayed bigint NOT NULL DEFAULT 0,
  first_at timestamptz NOT NULL,
  last_at  timestamptz NOT NULL,
  PRIMARY KEY (app_ref, hour, provider, lane, state, reason, shard)
);
CREATE INDEX failure_counts_by_hour ON failure_counts (hour);

-- All three are null where a delivery was never replayed; attempts are counted on, and judged without those before.
ALTER TABLE deliveries
  ADD replayed_at timestamptz,
  ADD attempts_before integer,
  ADD ambiguous_before smallint,
  -- Of a delivery that was replayed with a new expiry; else its message's counts.
  ADD expires_at timestamptz;
ALTER TABLE campaign_exceptions
  ADD replayed_at timestamptz,
  ADD attempts_before integer,
  ADD ambiguous_before smallint;
-- What of a chunk was replayed with a new expiry, while nothing else of it was owed; expires_at stays what it was for the others.
ALTER TABLE campaign_chunks ADD replay_expires_at timestamptz;
-- The latest of those expiries.
ALTER TABLE campaign_runs ADD replay_until timestamptz;

-- A cause, in the order of time. Only what failed or expired has an entry.
CREATE INDEX deliveries_failed ON deliveries (app_ref, provider, state, reason, finished_at, id)
  WHERE state IN ('failed', 'expired');

INSERT INTO failure_counts
SELECT app_ref, date_trunc('hour', finished_at, 'UTC'), provider, 'message', state, coalesce(reason, ''), 0, count(*), 0, min(finished_at), max(finished_at)
FROM deliveries WHERE state IN ('failed', 'expired') AND finished_at IS NOT NULL GROUP BY 1, 2, 3, 5, 6;
INSERT INTO failure_counts
SELECT r.app_ref, date_trunc('hour', x.finished_at, 'UTC'), x.provider, 'campaign', x.state, coalesce(x.reason, ''), 0, count(*), 0,
  min(x.finished_at), max(x.finished_at)
FROM campaign_exceptions x JOIN campaign_runs r ON r.id = x.run_id
WHERE x.state IN ('failed', 'expired') AND x.finished_at IS NOT NULL GROUP BY 1, 2, 3, 5, 6;
`;
