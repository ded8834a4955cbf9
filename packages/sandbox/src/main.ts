import process from 'node:process';
import { createSandbox } from './sandbox.ts';

const sandbox = await createSandbox({
  ...(process.env['SANDBOX_DIR'] && { dir: process.env['SANDBOX_DIR'] }),
  apnsPort: readPort('APNS_PORT'),
  apnsDevelopmentPort: readPort('APNS_DEVELOPMENT_PORT'),
  fcmPort: readPort('FCM_PORT'),
  proxyPort: readPort('PROXY_PORT'),
  proxyPagePort: readPort('PROXY_PAGE_PORT'),
  callbackPort: readPort('CALLBACK_PORT'),
  controlPort: readPort('CONTROL_PORT'),
});

const stop = () => {
  // What is in flight needs no answer any more: whoever stops a sandbox wants it gone.
  void sandbox.close().finally(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.once('disconnect', stop);

const { apnsUrl, apnsDevelopmentUrl, fcmUrl, tokenUrl, controlUrl } = sandbox;
const { proxyUrl, proxyPageUrl, callbackUrl } = sandbox;
const providers = { apnsUrl, apnsDevelopmentUrl, fcmUrl, tokenUrl };
const customer = { proxyUrl, proxyPageUrl, callbackUrl };
const listening = { type: 'listening', ...providers, ...customer, controlUrl };
process.send?.(listening);
process.stdout.write(`${JSON.stringify(listening)}\n`);

function readPort(name: string): number {
  const text = process.env[name] ?? '0';
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new Error(`${name} must be a port, not ${JSON.stringify(text)}.`);
}
