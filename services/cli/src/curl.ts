/** A body as curl is told of it. */
export type CurlBody = { readonly text: Buffer } | { readonly file: string };

/** One line for a shell that sends the request as it was signed: curl is kept from changing the path and the body. */
export function toCurl(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly sent: CurlBody | undefined;
}): string {
  const { method, url, headers, sent } = request;
  return [
    // Brackets in a URL are no patterns here, and dots stay.
    'curl -sS --globoff --path-as-is',
    // Told to send a HEAD like any method, curl would wait for a body.
    method === 'HEAD' ? '--head' : `-X ${quote(method)}`,
    ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...toBodyOption(sent),
    quote(url),
  ].join(' ');
}

function toBodyOption(sent: CurlBody | undefined): readonly string[] {
  if (sent === undefined) return [];
  if ('file' in sent) return [`--data-binary ${quote(`@${sent.file}`)}`];
  // The other options take a text that begins with @ for the name of a file.
  return [`--data-raw ${quote(sent.text.toString('utf8'))}`];
}

/** For any POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
