-- How many deliveries are due, about, and no more than matter. A run with a rate of its own gets no faster by more dispatchers.
SELECT (
    SELECT count(*) FROM (
      SELECT 1 FROM deliveries WHERE state = 'pending' AND next_attempt_at <= now() AND pause_id IS NULL LIMIT 1000000
    ) AS due
  ) + 1000 * (
    SELECT count(*) FROM (
      SELECT 1 FROM campaign_runs AS r JOIN campaign_chunks AS c ON c.run_id = r.id AND c.due_at <= now()
      WHERE r.finished_at IS NULL AND r.state IN ('materialising', 'running') AND NOT r.dry_run AND r.rate_per_second IS NULL
      LIMIT 10000
    ) AS chunks
  )
