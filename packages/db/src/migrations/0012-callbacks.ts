export const callbacks = `
-- Where outcomes are POSTed to: an https URL of an app, or of one of its developer keys.
CREATE TABLE callback_endpoints (
  id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref           bigint NOT NULL REFERENCES apps (id),
  -- 0: of the app itself, so that one equality finds an owner's events.
  developer_key_ref bigint NOT NULL DEFAULT 0,
  url               text NOT NULL,
  -- Host and port: what is under way to one of them is bounded.
  target            text NOT NULL,
  -- Names the secret that requests are signed with; a developer key's requests are signed with its own, under its own name.
  callback_key      text UNIQUE,
  -- Types of events, or the part before their dot; null: all.
  types             text[],
  created_at        timestamptz NOT NULL DEFAULT now(),
  -- Delivered up to there, in the order of (xid, id).
  position_xid      xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot()),
  position_id       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  next_attempt_at   timestamptz NOT NULL DEFAULT now(),
  -- Who holds the epoch may move the position, and may POST until lease_until by this database's clock.
  lease_until       timestamptz,
  lease_epoch       integer NOT NULL DEFAULT 0,
  -- In a row.
  failures          integer NOT NULL DEFAULT 0,
  failing_since     timestamptz,
  -- An event is tried for a day from its own time, or from this one where that is later.
  tried_from        timestamptz NOT NULL DEFAULT now(),
  -- Events that were given up.
  passed_over       bigint NOT NULL DEFAULT 0,
  last_attempt_at   timestamptz,
  last_success_at   timestamptz,
  last_result       text,
  last_latency_ms   integer,
  suspended_at      timestamptz,
  suspended_because text,
  CHECK ((developer_key_ref = 0) = (callback_key IS NOT NULL))
);
CREATE INDEX callback_endpoints_by_owner ON callback_endpoints (app_ref, developer_key_ref);
CREATE INDEX callback_endpoints_due ON callback_endpoints (next_attempt_at) WHERE suspended_at IS NULL;

-- Requests are signed with the one that came into use last.
CREATE TABLE callback_secrets (
  id            uuid PRIMARY KEY,
  endpoint_ref  bigint NOT NULL REFERENCES callback_endpoints (id) ON DELETE CASCADE,
  sealed_secret bytea NOT NULL,
  used_from     timestamptz NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX callback_secrets_by_endpoint ON callback_secrets (endpoint_ref, used_from);

-- A UUIDv7 of now.
CREATE FUNCTION create_event_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- What there is to tell, written by the transaction in which it happened, where the owner has an endpoint. Readers take it in the order
-- of (xid, id), and only up to the oldest transaction that is under way: so none passes over what is committed late.
CREATE TABLE callback_events (
  id                uuid NOT NULL DEFAULT create_event_id(),
  app_ref           bigint NOT NULL,
  developer_key_ref bigint NOT NULL,
  xid               xid8 NOT NULL DEFAULT pg_current_xact_id(),
  type              text NOT NULL,
  data              json NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (app_ref, developer_key_ref, xid, id)
) PARTITION BY RANGE (id);
CREATE TABLE callback_events_default PARTITION OF callback_events DEFAULT;
`;
