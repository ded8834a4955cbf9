export const livePerson = `
-- A message is for a user, or for one push token of the app, whoever's device that is.
ALTER TABLE messages ALTER COLUMN user_id DROP NOT NULL;
ALTER TABLE messages ADD COLUMN push_token_hash bytea;
-- Not looked through: what is there has a user.
ALTER TABLE messages ADD CONSTRAINT messages_target CHECK (user_id IS NOT NULL OR push_token_hash IS NOT NULL) NOT VALID;

-- Who may hand over pushes for an app: a brand at LivePerson.
CREATE TABLE liveperson_senders (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app_ref        bigint NOT NULL REFERENCES apps,
  -- LivePerson's account number.
  brand_id       text NOT NULL,
  name           text,
  -- Null where the certificate is enough.
  basic_username text,
  sealed_basic   bytea,
  created_at     timestamptz NOT NULL DEFAULT now(),
  UNIQUE (app_ref, brand_id),
  CHECK ((basic_username IS NULL) = (sealed_basic IS NULL))
);

-- What a sender shows in the handshake. Two while it is exchanged; one may stand for several senders.
CREATE TABLE liveperson_certificates (
  -- SHA-256.
  fingerprint bytea NOT NULL,
  sender_id   bigint NOT NULL REFERENCES liveperson_senders ON DELETE CASCADE,
  common_name text NOT NULL,
  valid_to    timestamptz NOT NULL,
  PRIMARY KEY (fingerprint, sender_id)
);
CREATE INDEX liveperson_certificates_by_sender ON liveperson_certificates (sender_id);

-- Pushes that were taken, written in the transaction of their message: LivePerson repeats without an id.
CREATE TABLE liveperson_pushes (
  -- SHA-256 of what a repeat is known by.
  key        bytea PRIMARY KEY,
  message_id uuid NOT NULL,
  -- A push of this key is a repeat until then.
  until      timestamptz NOT NULL
);
CREATE INDEX liveperson_pushes_by_age ON liveperson_pushes (until);
`;
