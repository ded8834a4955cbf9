import type { IncomingMessage } from 'node:http';

/** What has bytes beyond ASCII: Node gives us every byte as a character of its own. */
const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** A header as its sender meant it: the bytes as UTF-8. */
function toSentText(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

/** Every value of a header, one by one: `headers` joins some, and drops others. */
export function listHeader(req: IncomingMessage, name: string): readonly string[] {
  return (req.headersDistinct[name] ?? []).map(toSentText);
}

/** Path and query as they stood on the request line, in ASCII; without scheme and host, where those were there. */
export function toRequestUri(requestTarget: string): string {
  const uri = requestTarget.replace(/^https?:\/\/[^/?]*/i, '');
  return uri.startsWith('/') ? uri : `/${uri}`;
}

/** The last segment of the path of a request URI, still percent-encoded; a slash at the end does not count. */
export function toLastSegment(uri: string): string {
  const [path = ''] = uri.split(/[?#]/, 1);
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
