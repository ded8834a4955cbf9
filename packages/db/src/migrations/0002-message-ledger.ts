export const messageLedger = `
-- Both tables are partitioned by id: ids are UUIDv7, so a range of ids is a span of time, and a look-up by id
-- reads one partition. A delivery's id is its message's id with the last 16 bits counted up, so the deliveries
-- of a message are a range of the primary key and lie in the message's span.
CREATE TABLE messages (
  id            uuid NOT NULL PRIMARY KEY,
  app_ref       bigint NOT NULL,
  user_id       text NOT NULL,
  activation_id text,
  silent        boolean NOT NULL,
  personal      boolean NOT NULL,
  priority      text NOT NULL CHECK (priority IN ('NORMAL', 'HIGH')),
  body          json NOT NULL,
  -- Whether a caller waits for the outcome: then the dispatcher says when there is one.
  awaited       boolean NOT NULL,
  expires_at    timestamptz NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;

CREATE TABLE deliveries (
  id                  uuid NOT NULL PRIMARY KEY,
  message_id          uuid NOT NULL,
  app_ref             bigint NOT NULL,
  device_id           bigint NOT NULL,
  provider            text NOT NULL,
  state               text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'expired', 'skipped')),
  reason              text,
  attempts            integer NOT NULL DEFAULT 0,
  ambiguous_attempts  smallint NOT NULL DEFAULT 0,
  -- Due from then on; null once the state is final.
  next_attempt_at     timestamptz,
  -- The pause that holds it back; it is due again when that is lifted.
  pause_id            bigint,
  -- Who holds the epoch may record an outcome, and may send until lease_until by this database's clock.
  lease_until         timestamptz,
  lease_epoch         integer NOT NULL DEFAULT 0,
  provider_message_id text,
  finished_at         timestamptz,
  -- One object per attempt, oldest first.
  history             jsonb,
  CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT;
CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_paused ON deliveries (pause_id) WHERE pause_id IS NOT NULL;
CREATE INDEX deliveries_uncredentialed ON deliveries (app_ref, provider)
  WHERE state = 'pending' AND reason = 'no_credential';

-- The first answer to a request with an Idempotency-Key, written in the transaction that accepts its messages.
CREATE TABLE idempotency_keys (
  caller      text NOT NULL,
  operation   text NOT NULL,
  key         text NOT NULL,
  body_hash   bytea NOT NULL,
  message_ids uuid[] NOT NULL,
  -- Null until the first request is answered.
  answer      json,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, operation, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
`;
