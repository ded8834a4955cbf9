export const runTimeline = `
-- When of a run how much became final: what a span of time added to the sums. A replay takes away what it puts back.
CREATE TABLE campaign_run_timeline (
  run_id  uuid NOT NULL,
  -- When the span begins. How long it is follows from how long the run was under way: see TIMELINE_SPANS.
  at      timestamptz NOT NULL,
  -- Dispatchers add to different ones, as they do to the sums.
  shard   smallint NOT NULL,
  sent    bigint NOT NULL,
  failed  bigint NOT NULL,
  expired bigint NOT NULL,
  skipped bigint NOT NULL,
  PRIMARY KEY (run_id, at, shard)
);

-- Campaigns are listed by app, in the order of their ids.
CREATE INDEX campaigns_by_app ON campaigns (app_ref, id);
`;
