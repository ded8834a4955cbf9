export const inbox = `
-- Numbers the messages of each user. Who stores a message holds the user's row until its commit, so the numbers have no gaps and
-- messages become visible in their order: a reader who has seen one has seen all below it.
CREATE TABLE inbox_users (
  user_id       text PRIMARY KEY,
  last_sequence bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE inbox_messages (
  id         uuid PRIMARY KEY,
  user_id    text NOT NULL,
  sequence   bigint NOT NULL,
  -- In the order in which the caller named them.
  app_refs   bigint[] NOT NULL CHECK (cardinality(app_refs) > 0),
  type       text NOT NULL CHECK (type IN ('text', 'html')),
  subject    text NOT NULL,
  summary    text NOT NULL,
  body       text NOT NULL,
  sender     text,
  created_at timestamptz NOT NULL,
  read_at    timestamptz,
  UNIQUE (user_id, sequence)
);
-- The apps stand in it, so that counting reads no message.
CREATE INDEX inbox_messages_unread ON inbox_messages (user_id, sequence) INCLUDE (app_refs) WHERE read_at IS NULL;
`;
