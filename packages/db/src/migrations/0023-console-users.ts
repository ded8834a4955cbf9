export const consoleUsers = `
-- Who may sign in to the console.
CREATE TABLE console_users (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- In small letters.
  name            text NOT NULL UNIQUE,
  -- Argon2id with its parameters and salt.
  password_hash   text NOT NULL,
  role            text NOT NULL CHECK (role IN ('viewer', 'editor', 'sender', 'admin')),
  -- Null: for every app.
  app_ref         bigint REFERENCES apps,
  -- A session counts while it is of this one: raising it ends all of them at once, and those that are being opened.
  generation      integer NOT NULL DEFAULT 1,
  disabled_at     timestamptz,
  last_sign_in_at timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now()
);

-- Of what a browser shows there is only its SHA-256.
CREATE TABLE console_sessions (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id_hash      bytea NOT NULL UNIQUE,
  user_id      bigint NOT NULL REFERENCES console_users ON DELETE CASCADE,
  generation   integer NOT NULL,
  -- From where, and with what: so that users know their own.
  address      text NOT NULL,
  user_agent   text NOT NULL,
  created_at   timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX console_sessions_by_user ON console_sessions (user_id);
CREATE INDEX console_sessions_by_end ON console_sessions (expires_at);
`;
