export const traceParents = `
-- The W3C traceparent of the request that asked for it, where that is traced; null otherwise, which takes no room. It stands here and not in
-- the hint that goes through Redis, since a trace is looked for when something was late: when hints were lost, or nothing went at the first try.
ALTER TABLE messages ADD COLUMN trace_parent text;
ALTER TABLE campaign_runs ADD COLUMN trace_parent text;
`;
