export const fleetMeter = `
-- Which dispatcher measures what the whole fleet has in common: who holds the row until then, by this database's clock.
CREATE TABLE fleet_meter (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  holder     uuid NOT NULL,
  held_until timestamptz NOT NULL
);
`;
