import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import path from 'node:path';

/** A provider that hangs: it takes connections and requests, and never answers one. Says how many requests there were when asked. */
const folder = process.env['SILENT_DIR'] ?? '';
let requests = 0;

const server = createSecureServer({
  key: readFileSync(path.join(folder, 'server-key.pem')),
  cert: readFileSync(path.join(folder, 'server.pem')),
  allowHTTP1: true,
  settings: { maxConcurrentStreams: 1000 },
});
server.on('request', (request) => {
  requests += 1;
  request.on('error', () => undefined);
});
server.on('sessionError', () => undefined);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  process.send?.({ url: `https://127.0.0.1:${address.port}` });
});
process.on('message', () => process.send?.({ requests }));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
