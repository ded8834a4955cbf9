/** The instant at which a day such as 2026-03-01 is over where the person is, as ISO 8601. */
export function toEndOfDay(day: string): string {
  const end = new Date(`${day}T00:00:00`);
  // Not by 24 hours: days on which clocks change have others.
  end.setDate(end.getDate() + 1);
  return end.toISOString();
}
