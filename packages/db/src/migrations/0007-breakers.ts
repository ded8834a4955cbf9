export const breakers = `
-- The longest time between two probes: trouble at a provider is over sooner than a bad key is replaced.
ALTER TABLE pauses ADD COLUMN probe_limit interval NOT NULL DEFAULT '1 hour';

-- Of the answers, those that said no more than that the provider was in trouble.
ALTER TABLE answer_counts ADD COLUMN trouble integer NOT NULL DEFAULT 0;
`;
