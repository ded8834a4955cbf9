export const callbackCalls = `
-- The latest requests to each endpoint, and those that an operator wants again.
CREATE TABLE callback_calls (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint_ref bigint NOT NULL REFERENCES callback_endpoints (id) ON DELETE CASCADE,
  -- When it was made; when it was asked for, while it waits.
  at           timestamptz NOT NULL DEFAULT now(),
  -- How many events it told: those that the endpoint wants behind the first place, up to the last one.
  events       integer NOT NULL,
  after_xid    xid8 NOT NULL,
  after_id     uuid NOT NULL,
  end_xid      xid8 NOT NULL,
  end_id       uuid NOT NULL,
  -- The call that it repeats.
  resend_of    bigint,
  -- Null while it waits to be made.
  result       text,
  taken        boolean,
  latency_ms   integer,
  CHECK ((result IS NULL) = (taken IS NULL)),
  -- What is told by itself waits in no row.
  CHECK (result IS NOT NULL OR resend_of IS NOT NULL)
);
CREATE INDEX callback_calls_by_endpoint ON callback_calls (endpoint_ref, id);
CREATE INDEX callback_calls_waiting ON callback_calls (endpoint_ref) WHERE result IS NULL;
`;
