import { randomBytes } from 'node:crypto';

import { createSecretBox, type SecretBox } from '@heliograph/core';
import type { Db } from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { createServerCertificate, type Authority } from '@heliograph/sandbox';
import {
  makeAuthority,
  makeClient,
  postPush,
  type ClientIdentity,
  type PushRequest,
  type ReceiverAnswer,
} from '@heliograph/testing/live-person';

import type { HttpServer } from '../src/http/server.ts';
import { saveSender, type SenderInput } from '../src/liveperson/save-sender.ts';
import { openReceiverServer } from '../src/surfaces/liveperson/listener.ts';
import { createReceiver } from '../src/surfaces/liveperson/receiver.ts';

export interface TestReceiver {
  /** Whom it trusts, and who has signed for it. */
  readonly authority: Authority;
  readonly secrets: SecretBox;
  readonly server: HttpServer;
  /** Deliveries that were announced. */
  readonly announced: readonly string[];
  /** A certificate that gets past the handshake; so many days ago it began. */
  client(ageDays?: number): ClientIdentity;
  /** Binds a sender to the certificate. */
  bind(client: ClientIdentity, sender: Omit<SenderInput, 'certificatePem'>): Promise<void>;
  post(push: Omit<PushRequest, 'port' | 'caPem'>): Promise<ReceiverAnswer>;
  close(): Promise<void>;
}

/** The receiver as `main.ts` builds it, behind real TLS; a replica where there is one already. */
export async function openTestReceiver(
  db: Db,
  { authority, secrets }: Pick<TestReceiver, 'authority' | 'secrets'> = makeOwn(),
): Promise<TestReceiver> {
  const announced: string[] = [];
  const log = createLogger('test', 'silent');
  const now = () => new Date();
  const acceptor = {
    announce: (deliveries: readonly { readonly id: string }[]) =>
      void announced.push(...deliveries.map(({ id }) => id)),
  };
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  const identity = {
    cert: Buffer.from(certPem),
    key: Buffer.from(keyPem),
    clientCa: Buffer.from(authority.caPem),
  };
  const server = await openReceiverServer(
    createReceiver({ db, secrets, acceptor, log, now }),
    { identity, host: '127.0.0.1', port: 0 },
    log,
  );
  return {
    authority,
    secrets,
    server,
    announced,
    client: (ageDays) => makeClient(authority, ageDays),
    async bind({ certPem: certificatePem }, sender) {
      await saveSender({ db, secrets, now }, { ...sender, certificatePem });
    },
    post: (push) => postPush({ ...push, port: server.port, caPem: authority.caPem }),
    close: () => server.close(),
  };
}

function makeOwn(): Pick<TestReceiver, 'authority' | 'secrets'> {
  const key = randomBytes(32);
  return { authority: makeAuthority(), secrets: createSecretBox(key) };
}
