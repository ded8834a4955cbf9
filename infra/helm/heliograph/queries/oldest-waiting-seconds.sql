-- For how long the delivery of a message that is due longest, and that nobody has in hand, has waited. 0 where there is none.
SELECT coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float
FROM deliveries
WHERE state = 'pending' AND next_attempt_at <= now() AND pause_id IS NULL
  AND (lease_until IS NULL OR lease_until < now())
