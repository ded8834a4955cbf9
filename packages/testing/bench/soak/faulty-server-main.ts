import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import path from 'node:path';

import { Acceptance } from './acceptance.ts';
import { serveFaultily } from './faulty-server.ts';
import type { ServerAnswer } from './processes.ts';

/** Few: all that are open when a connection goes away have to go again. */
const MAX_STREAMS = 100;

/** A provider in trouble, in a process of its own. Says what it accepted when asked. */
const folder = process.env['SOAK_DIR'] ?? '';
const server = createSecureServer({
  key: readFileSync(path.join(folder, 'server-key.pem')),
  cert: readFileSync(path.join(folder, 'server.pem')),
  settings: { maxConcurrentStreams: MAX_STREAMS },
});
const acceptance = new Acceptance(Number(process.env['SOAK_PUSHES']));
const counts = serveFaultily({
  server,
  acceptance,
  tooLateMs: Number(process.env['SOAK_TOO_LATE_MS']),
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  process.send?.({ url: `https://127.0.0.1:${address.port}` });
});
process.on('message', () => {
  const accepted = Buffer.from(acceptance.attempts).toString('base64');
  const answer: ServerAnswer = { ...counts, accepted, acceptedAgain: acceptance.again };
  process.send?.(answer);
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
