import type { SecretBox } from '@heliograph/core';
import { listSenders, type Db, type ListedSender } from '@heliograph/db';

import { ofApp, ofAppIfNamed } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { removeCertificate, removeSender } from '../../liveperson/remove-sender.ts';
import { saveSender } from '../../liveperson/save-sender.ts';
import { toWireAppId } from './fields.ts';
import {
  LIST_SENDERS,
  REMOVE_SENDER,
  REMOVE_SENDER_CERTIFICATE,
  SAVE_SENDER,
  type SenderAnswer,
} from './liveperson-endpoints.ts';

export interface LivePersonRouteDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly now: () => Date;
}

/** Who may hand over pushes to us as their customer's proxy. */
export function livePersonRoutes(deps: LivePersonRouteDeps): readonly Route[] {
  return [
    route(SAVE_SENDER, ofApp(), async (input) => {
      const { sender, password } = await saveSender(deps, input);
      return {
        sender: toWireSender(sender),
        ...(password !== undefined && { basicPassword: password }),
      };
    }),

    route(LIST_SENDERS, ofAppIfNamed(), async ({ appId: named }, { caller }) => {
      const appId = named ?? caller.app?.appId;
      const filter = appId === undefined ? {} : { appRef: (await getApp(deps.db, { appId })).id };
      return { senderList: (await listSenders(deps.db, filter)).map(toWireSender) };
    }),

    route(REMOVE_SENDER, ofApp(), (name) => removeSender(deps, name)),

    route(REMOVE_SENDER_CERTIFICATE, ofApp(), ({ fingerprint, ...name }) =>
      removeCertificate(deps, name, Buffer.from(fingerprint.replaceAll(':', ''), 'hex')),
    ),
  ];
}

function toWireSender({
  appId,
  brandId,
  name,
  basicUsername,
  certificates,
}: ListedSender): SenderAnswer {
  return {
    appId: toWireAppId(appId),
    brandId,
    name,
    basicUsername,
    certificates: certificates.map(({ fingerprint, commonName, validTo }) => ({
      commonName,
      fingerprint: fingerprint.toString('hex'),
      validTo: toWireDate(validTo),
    })),
  };
}
