/** Minutes and seconds, as `run.etaSeconds` says them. */
export function toClock(seconds: number): { readonly minutes: number; readonly seconds: number } {
  const whole = Math.ceil(seconds);
  return { minutes: Math.floor(whole / 60), seconds: whole % 60 };
}
