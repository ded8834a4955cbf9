export const campaigns = `
CREATE TABLE campaigns (
  -- Callers keep it in a double or a Java long, and it is never used twice.
  id           bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9007199254740991) PRIMARY KEY,
  app_ref      bigint NOT NULL REFERENCES apps,
  -- The fields of the body, and validUntil as an ISO instant.
  message      json NOT NULL,
  sent         boolean NOT NULL DEFAULT false,
  created_at   timestamptz NOT NULL DEFAULT now(),
  sent_at      timestamptz,
  completed_at timestamptz
);

-- No foreign key: its check would be made for every one of a million users. Who writes here holds the campaign's row.
CREATE TABLE campaign_users (
  campaign_id bigint NOT NULL,
  user_id     text NOT NULL,
  -- Counts up as users are added, so pages have an order that does not change.
  position    bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (campaign_id, user_id)
);
CREATE INDEX campaign_users_in_order ON campaign_users (campaign_id, position);
`;
