type Field = string | number | null | undefined;

/** A line of a CSV file (RFC 4180) with its end. What a spreadsheet would take for a formula gets an apostrophe before it: users' ids come from elsewhere. */
export function toCsvLine(fields: readonly Field[]): string {
  return `${fields.map(toCsvField).join(',')}\r\n`;
}

function toCsvField(field: Field): string {
  if (typeof field === 'number') return String(field);
  const text = neutralise(field ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function neutralise(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}
