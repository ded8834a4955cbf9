/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A field of a JSON object; undefined where there is no object, or no such field. */
export function findField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

export function findText(value: unknown, name: string): string | undefined {
  const field = findField(value, name);
  return typeof field === 'string' ? field : undefined;
}

/** The elements of a field that is a list; none where it is not. */
export function listField(value: unknown, name: string): readonly unknown[] {
  const field = findField(value, name);
  return Array.isArray(field) ? field : [];
}
