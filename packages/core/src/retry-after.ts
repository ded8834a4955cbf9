/** Milliseconds that a Retry-After header asks for: whole seconds or an HTTP date. Undefined for anything else. */
export function toRetryAfterMs(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;

  // Date.parse takes much that is no HTTP date, such as "-5".
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
