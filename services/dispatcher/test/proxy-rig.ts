/// <reference types="jest" />

import { randomUUID } from 'node:crypto';

import { eventually, type MadeDevice } from '@heliograph/testing';

import type { Dispatcher } from '../src/dispatcher.ts';
import { openRig, type Rig } from './rig.ts';

export const toToken = () => randomUUID();

/** A refusal as a script of the sandbox has it. */
export const refuse = (status: number, times: number | 'always' = 1) =>
  ({ kind: 'refuse', reason: String(status), times }) as const;

/** A rig for the tests of a file, and what they ask of apps behind a customer's proxy. */
export function useProxyRig() {
  let rig: Rig | undefined;
  let opened: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    rig = await openRig();
  });
  afterEach(async () => {
    rig?.sandbox.clearScripts();
    await Promise.all(opened.map((one) => one.close()));
    opened = [];
  }, 60_000);
  afterAll(() => rig?.close());

  const get = (): Rig => {
    if (rig === undefined) throw new Error('The rig is there within tests only.');
    return rig;
  };
  const closeAfter = (one: { close(): Promise<void> }) => void opened.push(one);
  return {
    get rig() {
      return get();
    },

    /** Closed after the test, whatever comes of it. */
    closeAfter,

    start(): Dispatcher {
      const dispatcher = get().start();
      closeAfter(dispatcher);
      return dispatcher;
    },

    /** An app whose iPhones are behind a proxy, with a device there. */
    async makeProxied() {
      const app = await get().makeSendingApp();
      await get().saveProxy(app, 'apns');
      const phone = await get().device(app, { pushToken: toToken() });
      return { app, phone };
    },

    receivedFor: ({ pushToken }: MadeDevice) => get().sandbox.received({ token: pushToken }),

    /** Waits until the only delivery of the message has been tried so often. */
    tried: (messageId: string, attempts: number) =>
      eventually(async () => {
        const rows = await get().deliveries(messageId);
        expect(rows).toMatchObject([{ attempts, leaseUntil: null }]);
        return rows;
      }),

    pausesOf: (appRef: number) =>
      get()
        .db.selectFrom('pauses')
        .select(['id', 'scope', 'reason', 'environment'])
        .where('appRef', '=', appRef)
        .where('liftedAt', 'is', null)
        .execute(),

    faultsOf: (appRef: number) =>
      get()
        .db.selectFrom('tokenFaults')
        .select(['reason', 'kind'])
        .where('appRef', '=', appRef)
        .execute(),

    deactivatedOf: (appRef: number) =>
      get()
        .db.selectFrom('devices')
        .select(['id', 'tokenDeactivatedReason as reason'])
        .where('appRef', '=', appRef)
        .where('tokenDeactivatedAt', 'is not', null)
        .execute(),

    /** What was noted against push tokens is a minute old. */
    async ripen(appRef: number): Promise<void> {
      await get()
        .db.updateTable('tokenFaults')
        .set({ notedAt: new Date(Date.now() - 61_000) })
        .where('appRef', '=', appRef)
        .execute();
    },
  };
}
