import type { AddressInfo } from 'node:net';

import express from 'express';

/** What a server costs that parses the same requests and does nothing with them. */
const app = express();
app.use(express.json());
app.post('/push/message/send', (_req, res) => {
  res.json({ status: 'OK' });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
