/** Milliseconds that never fall behind: the monotonic clock stands still while a machine sleeps, the wall clock may be set back. */
export function createSafeClock(): () => number {
  const wallStart = Date.now();
  const monotonicStart = performance.now();
  let latest = 0;
  return () => {
    latest = Math.max(latest, Date.now() - wallStart, performance.now() - monotonicStart);
    return latest;
  };
}
