import type { Route } from '../../http/endpoint.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { appRoutes } from './app-routes.ts';
import type { AppDeps } from '../../apps/list-named-apps.ts';
import type { SaveProxyDeps } from '../../apps/save-proxy.ts';
import type { CampaignDeps } from '../../campaigns/campaign-deps.ts';
import type { CallbackDeps } from '../../callbacks/callback-deps.ts';
import { auditRoutes } from './audit-routes.ts';
import { callbackRoutes } from './callback-routes.ts';
import { campaignRoutes } from './campaign-routes.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { consoleUserRoutes, type ConsoleUserRouteDeps } from './console-user-routes.ts';
import { controlRoutes } from './control-routes.ts';
import { credentialRoutes, type CredentialRouteDeps } from './credential-routes.ts';
import { developerKeyRoutes } from './developer-key-routes.ts';
import { deviceRoutes, type DeviceRouteDeps } from './device-routes.ts';
import { livePersonRoutes } from './liveperson-routes.ts';
import type { FailureDeps } from '../../failures/failure-deps.ts';
import { failureRoutes } from './failure-routes.ts';
import { inboxRoutes, type InboxRouteDeps } from './inbox-routes.ts';
import { messageRoutes, type MessageVerbs } from './message-routes.ts';
import { overviewRoutes } from './overview-routes.ts';
import { pruningRoutes } from './pruning-routes.ts';
import { proxyRoutes } from './proxy-routes.ts';
import { runRoutes, type RunRouteDeps } from './run-routes.ts';
import { serviceRoutes, type ServiceInfo } from './service-routes.ts';
import { traceRoutes } from './trace-routes.ts';
import { userRoutes } from './user-routes.ts';

export interface PowerAuthDeps
  extends
    AppDeps,
    CallbackDeps,
    CampaignDeps,
    ConsoleUserRouteDeps,
    CredentialRouteDeps,
    DeviceRouteDeps,
    FailureDeps,
    InboxRouteDeps,
    RunRouteDeps,
    SaveProxyDeps {
  readonly messages: MessageVerbs;
  readonly info: ServiceInfo;
  readonly now: () => Date;
}

/** Everything of this surface. The router looks at them in this order, so what is called most comes first. */
export function powerAuthRoutes(deps: PowerAuthDeps): readonly Route[] {
  return [
    ...messageRoutes(deps.messages),
    ...deviceRoutes(deps),
    ...inboxRoutes(deps),
    ...campaignRoutes(deps),
    ...runRoutes(deps),
    ...traceRoutes(deps),
    ...failureRoutes(deps),
    ...overviewRoutes(deps),
    ...serviceRoutes(deps.info, deps.now),
    ...appRoutes(deps),
    ...credentialRoutes(deps),
    ...developerKeyRoutes(deps),
    ...proxyRoutes(deps),
    ...livePersonRoutes(deps),
    ...certificateRoutes(deps),
    ...controlRoutes(deps),
    ...pruningRoutes(deps),
    ...userRoutes(deps),
    ...callbackRoutes(deps),
    ...apiKeyRoutes(deps),
    ...consoleUserRoutes(deps),
    ...auditRoutes(deps),
  ];
}
