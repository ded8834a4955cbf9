import type { ScriptBook } from './answers/script-book.ts';
import type { TokenFaults } from './answers/token-faults.ts';
import { createCallbackEndpoint, type CallbackKeys } from './callbacks/callback-endpoint.ts';
import type { CallbackLog } from './callbacks/callback-log.ts';
import type { Identity } from './credentials/credentials.ts';
import { createProxyEndpoint } from './proxy/proxy-endpoint.ts';
import type { Recorder } from './recording/recorder.ts';
import type { SandboxOptions } from './sandbox-contract.ts';
import { openHttp1Listener } from './transport/http1-listener.ts';
import type { Listener } from './transport/listener.ts';
import { KEPT_BYTES } from './transport/read-body.ts';

const PROXY_PATH = '/push';
const CALLBACK_PATH = '/callbacks';

/** A batch of callbacks must be there as a whole for its signature to be checked. */
const CALLBACK_BYTES = 16 * 1_048_576;

export interface CustomerDeps {
  readonly identity: Identity;
  readonly scripts: ScriptBook;
  readonly proxyFaults: TokenFaults;
  readonly recorder: Recorder;
  readonly callbackKeys: CallbackKeys;
  readonly callbackLog: CallbackLog;
  readonly now: () => number;
}

export interface CustomerServers {
  readonly proxyUrl: string;
  readonly proxyPageUrl: string;
  readonly callbackUrl: string;
  readonly listeners: readonly Listener[];
}

/** What customers run: proxies for pushes, and a receiver of callbacks. */
export async function openCustomerServers(
  deps: CustomerDeps,
  options: SandboxOptions,
): Promise<CustomerServers> {
  const { identity, scripts, recorder, callbackLog: log, callbackKeys: keys } = deps;
  const { username, password } = identity.proxyClient;
  const tokenFaults = deps.proxyFaults;
  const openProxy = (refuseInHandshake: boolean, port = 0) =>
    openHttp1Listener({
      port,
      certificate: identity.server,
      clients: { authority: identity.authority.caPem, refuseInHandshake },
      keptBytes: KEPT_BYTES,
      resetsUnread: () => scripts.takeUnread('proxy') !== undefined,
      handle: createProxyEndpoint({ scripts, tokenFaults, recorder, username, password }),
    });
  const proxy = await openProxy(true, options.proxyPort);
  const proxyPage = await openProxy(false, options.proxyPagePort);
  const callbacks = await openHttp1Listener({
    port: options.callbackPort ?? 0,
    certificate: identity.server,
    keptBytes: CALLBACK_BYTES,
    resetsUnread: () => scripts.takeUnread('callback') !== undefined,
    handle: createCallbackEndpoint({ scripts, log, keys, now: deps.now }),
  });
  return {
    proxyUrl: `${proxy.url}${PROXY_PATH}`,
    proxyPageUrl: `${proxyPage.url}${PROXY_PATH}`,
    callbackUrl: `${callbacks.url}${CALLBACK_PATH}`,
    listeners: [proxy, proxyPage, callbacks],
  };
}
