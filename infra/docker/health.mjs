// Whether the process of this container should get work: exit code 0 or 1. It speaks to loopback, where the certificate's name is
// not looked at.

import http from 'node:http';
import https from 'node:https';

const { PORT, TLS_CERT_FILE } = process.env;
const client = TLS_CERT_FILE ? https : http;
const options = {
  host: '127.0.0.1',
  port: PORT,
  path: '/actuator/health/readiness',
  timeout: 4_000,
  rejectUnauthorized: false,
};

client
  .get(options, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
