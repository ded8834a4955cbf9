const ISO =
  /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)$/i;
const DECIMAL = /^-?\d{1,12}(?:\.\d+)?$/;

const YEAR_1_MS = Date.parse('0001-01-01T00:00:00Z');
const YEAR_10000_MS = Date.UTC(10_000, 0, 1);

/**
 * An instant of the wire: ISO 8601 with an offset (`Z`, `+01:00`, `+0100`), or epoch seconds with a decimal fraction, which is how
 * Java clients write an `Instant`. Undefined for anything else, and outside the years 1 to 9999.
 */
export function parseInstant(value: string | number): Date | undefined {
  const ms = typeof value === 'number' ? value * 1000 : toMs(value);
  if (Number.isNaN(ms) || ms < YEAR_1_MS || ms >= YEAR_10000_MS) return undefined;
  return new Date(ms);
}

function toMs(text: string): number {
  if (DECIMAL.test(text)) return Number(text) * 1000;
  const parts = ISO.exec(text);
  if (parts === null) return Number.NaN;
  const [, date = '', time, seconds = '00', fraction = '', , hours, minutes = '00'] = parts;
  // Date.parse makes the 2nd of March of the 30th of February; such a date is a mistake.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (midnight.getUTCDate() !== Number(date.slice(8))) return Number.NaN;
  const offset = hours === undefined ? 'Z' : `${hours}:${minutes}`;
  return Date.parse(`${date}T${time}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
}

/** The wire's spelling of a date: milliseconds and `+00:00`. */
export function toWireDate(at: Date): string {
  return at.toISOString().replace('Z', '+00:00');
}
