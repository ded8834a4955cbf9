export const dispatchers = `
-- Dispatchers that are alive: each says so every few seconds, and goes when it ends. One that died stays for an hour, to be seen.
CREATE TABLE dispatchers (
  id         uuid PRIMARY KEY,
  host       text NOT NULL,
  version    text,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now()
);

-- The overview asks for what the guard holds, of all scopes or of one app.
CREATE INDEX token_faults_held ON token_faults (app_ref) WHERE state = 'held';
`;
