import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { MessageBody, PushMessage } from '@heliograph/core';
import type { ApnsCertificate, Sandbox } from '@heliograph/sandbox';
import type { ApnsCertificateCredential, ApnsKeyCredential, FcmCredential } from './credential.ts';
import type { Push } from './push-provider.ts';

const HOUR_MS = 3_600_000;

export function createMessage(fields: Partial<PushMessage> = {}): PushMessage {
  return {
    id: randomUUID(),
    body: { title: 'Balance update' },
    silent: false,
    priority: 'HIGH',
    expiresAt: new Date(Date.now() + HOUR_MS),
    ...fields,
  };
}

export function withBody(body: MessageBody, fields: Partial<PushMessage> = {}): PushMessage {
  return createMessage({ body, ...fields });
}

export function createPush(pushToken: string, fields: Partial<Push> = {}): Push {
  return {
    deliveryId: randomUUID(),
    pushToken,
    message: createMessage(),
    environment: 'production',
    ...fields,
  };
}

/** A device token that nobody else uses, or one with the sandbox's code of a fault. */
export function createApnsToken(faultCode = ''): string {
  const random = `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
  return `${faultCode && `fa11${faultCode}`}0${random}`.slice(0, 64);
}

export function toApnsCredential(
  sandbox: Sandbox,
  fields: Partial<ApnsKeyCredential> = {},
): ApnsKeyCredential {
  const { bundle, keyId, teamId, privateKeyBase64 } = sandbox.credentials.apns;
  return {
    provider: 'apns',
    route: 'direct',
    auth: 'token',
    id: randomUUID(),
    version: 1,
    environment: undefined,
    bundle,
    keyId,
    teamId,
    privateKey: Buffer.from(privateKeyBase64, 'base64'),
    ...fields,
  };
}

export function toApnsCertificateCredential(
  { bundle, certificateBase64 }: Pick<ApnsCertificate, 'bundle' | 'certificateBase64'>,
  fields: Partial<ApnsCertificateCredential> = {},
): ApnsCertificateCredential {
  return {
    provider: 'apns',
    route: 'direct',
    auth: 'certificate',
    id: randomUUID(),
    version: 1,
    environment: undefined,
    bundle,
    certificateFile: { file: Buffer.from(certificateBase64, 'base64') },
    ...fields,
  };
}

export function toFcmCredential(
  sandbox: Sandbox,
  fields: Partial<FcmCredential> = {},
): FcmCredential {
  const { projectId, privateKeyBase64 } = sandbox.credentials.fcm;
  return {
    provider: 'fcm',
    route: 'direct',
    id: randomUUID(),
    version: 1,
    projectId,
    serviceAccount: Buffer.from(privateKeyBase64, 'base64'),
    ...fields,
  };
}

export interface Wire {
  /** https URL with the wire's own port. */
  readonly url: string;
  /** Connections so far, closed ones too. */
  readonly connections: number;
  readonly open: number;
  /** New ones are closed at once, or no longer. */
  refuse(refusing: boolean): void;
  /** Those that are open pass nothing on from here, as a NAT that forgot them. */
  freeze(): void;
  close(): Promise<void>;
}

/** Passes bytes on to the target, and counts the connections. Without a target it accepts them and says nothing. */
export async function openWire(target?: string, onPort = 0): Promise<Wire> {
  const sockets = new Set<Socket>();
  const freezers = new WeakMap<Socket, () => void>();
  let connections = 0;
  let refusing = false;
  const server = createServer((socket) => {
    connections += 1;
    if (refusing) return void socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    if (target === undefined) return;
    const { hostname, port } = new URL(target);
    const onward = connect(Number(port), hostname);
    onward.on('error', () => socket.destroy());
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
    freezers.set(socket, () => {
      socket.unpipe(onward).pause();
      onward.unpipe(socket).pause();
    });
  });
  await new Promise<void>((resolve) => server.listen(onPort, '127.0.0.1', resolve));
  const port = toPort(server.address());
  return {
    url: `https://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    refuse: (value) => {
      refusing = value;
    },
    freeze: () => {
      for (const socket of sockets) freezers.get(socket)?.();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const wire = await openWire();
  await wire.close();
  return Number(new URL(wire.url).port);
}

function toPort(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
