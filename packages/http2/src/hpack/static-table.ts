import type { HeaderField } from '../request.ts';

/** RFC 7541 appendix A. */
const ENTRIES =
  ':authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|' +
  ':status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500|' +
  'accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|' +
  'access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|' +
  'content-encoding|content-language|content-length|content-location|content-range|content-type|' +
  'cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|' +
  'if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|' +
  'proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|' +
  'strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate';

/** Index 1 stands first. */
const STATIC_TABLE: readonly HeaderField[] = ENTRIES.split('|').map(toField);
const INDEX_OF_NAME = indexNames();

/** Indices of the dynamic table follow on it. */
export const STATIC_ENTRIES = STATIC_TABLE.length;

export function staticEntry(index: number): HeaderField | undefined {
  return STATIC_TABLE[index - 1];
}

/** The first entry of that name, 0 where there is none. */
export function staticIndexOfName(name: string): number {
  return INDEX_OF_NAME.get(name) ?? 0;
}

/** 0 where no entry has both. */
export function staticIndexOf([name, value]: HeaderField): number {
  let index = staticIndexOfName(name);
  if (index === 0) return 0;
  for (; staticEntry(index)?.[0] === name; index++) {
    if (staticEntry(index)?.[1] === value) return index;
  }
  return 0;
}

function toField(entry: string): HeaderField {
  const space = entry.indexOf(' ');
  return space === -1 ? [entry, ''] : [entry.slice(0, space), entry.slice(space + 1)];
}

function indexNames(): ReadonlyMap<string, number> {
  const indices = new Map<string, number>();
  STATIC_TABLE.forEach(([name], i) => {
    if (!indices.has(name)) indices.set(name, i + 1);
  });
  return indices;
}
