import { Refusal } from '@heliograph/core';

import { ofApp } from '../../access/subject.ts';
import { removeProxy } from '../../apps/remove-proxy.ts';
import { saveProxy, type NewProxy, type SaveProxyDeps } from '../../apps/save-proxy.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toProvider } from './fields.ts';
import { REMOVE_PROXY, SAVE_PROXY } from './proxy-endpoints.ts';

export function proxyRoutes(deps: SaveProxyDeps): readonly Route[] {
  return [
    route(SAVE_PROXY, ofApp(), async (input) => {
      const { appId, platform, certificateBase64, privateKeyBase64, caBase64, verify, ...rest } =
        input;
      if (verify)
        throw new Refusal(
          'invalid_request',
          'A proxy cannot be verified: whatever is POSTed to it is a push. Send one to a device of yours.',
        );
      const proxy: NewProxy = {
        ...rest,
        provider: toProvider(platform),
        schema: input.schema ?? 'current',
        goneOn: input.goneOn ?? [410],
        retry: input.retry ?? 'documented',
        ...(certificateBase64 !== undefined && { certificate: toText(certificateBase64) }),
        ...(privateKeyBase64 !== undefined && { privateKey: toText(privateKeyBase64) }),
        ...(caBase64 !== undefined && { ca: toText(caBase64) }),
      };
      await saveProxy(deps, { appId }, proxy);
    }),

    route(REMOVE_PROXY, ofApp(), ({ appId, platform }) =>
      removeProxy(deps, { appId }, toProvider(platform)),
    ),
  ];
}

function toText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
