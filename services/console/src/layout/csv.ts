import Papa from 'papaparse';

type Field = string | number | null | undefined;

/** Lines of a CSV file (RFC 4180) with their ends. What a spreadsheet would take for a formula gets an apostrophe before it: users' ids come from elsewhere. */
export function toCsv(rows: readonly (readonly Field[])[]): string {
  if (rows.length === 0) return '';
  const lines = Papa.unparse(
    rows.map((row) => [...row]),
    { newline: '\r\n', escapeFormulae: /^[=+\-@\t\r\n]/ },
  );
  return `${lines}\r\n`;
}
