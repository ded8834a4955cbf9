import { lazy, type ComponentType } from 'react';
import { Route, Routes } from 'react-router';

import { Shell } from './layout/shell.tsx';
import { NotFoundPage } from './layout/not-found-page.tsx';
import { SessionGate } from './session/session-gate.tsx';

/** Each page comes when it is opened first: the first one must be there at once. */
const OverviewPage = lazy(async () =>
  toDefault((await import('./overview/overview-page.tsx')).OverviewPage),
);
const DeliveriesPage = lazy(async () =>
  toDefault((await import('./deliveries/deliveries-page.tsx')).DeliveriesPage),
);
const FailuresPage = lazy(async () =>
  toDefault((await import('./failures/failures-page.tsx')).FailuresPage),
);
const CampaignsPage = lazy(async () =>
  toDefault((await import('./campaigns/campaigns-page.tsx')).CampaignsPage),
);
const NewCampaignPage = lazy(async () =>
  toDefault((await import('./campaigns/new-campaign-page.tsx')).NewCampaignPage),
);
const CampaignPage = lazy(async () =>
  toDefault((await import('./campaigns/campaign-page.tsx')).CampaignPage),
);
const RunPage = lazy(async () => toDefault((await import('./runs/run-page.tsx')).RunPage));
const RunDevicesPage = lazy(async () =>
  toDefault((await import('./runs/run-devices-page.tsx')).RunDevicesPage),
);
const AppsPage = lazy(async () => toDefault((await import('./apps/apps-page.tsx')).AppsPage));
const AppPage = lazy(async () => toDefault((await import('./apps/app-page.tsx')).AppPage));
const CallbackPage = lazy(async () =>
  toDefault((await import('./apps/callback-page.tsx')).CallbackPage),
);
const CertificatesPage = lazy(async () =>
  toDefault((await import('./certificates/certificates-page.tsx')).CertificatesPage),
);
const KeysPage = lazy(async () => toDefault((await import('./keys/keys-page.tsx')).KeysPage));
const UsersPage = lazy(async () => toDefault((await import('./users/users-page.tsx')).UsersPage));
const AuditPage = lazy(async () => toDefault((await import('./audit/audit-page.tsx')).AuditPage));

export function App() {
  return (
    <SessionGate>
      <Routes>
        <Route element={<Shell />}>
          <Route index element={<OverviewPage />} />
          <Route path="deliveries" element={<DeliveriesPage />} />
          <Route path="campaigns" element={<CampaignsPage />} />
          <Route path="campaigns/new" element={<NewCampaignPage />} />
          <Route path="campaigns/:campaignId" element={<CampaignPage />} />
          <Route path="campaigns/:campaignId/runs/:runId" element={<RunPage />} />
          <Route path="campaigns/:campaignId/runs/:runId/devices" element={<RunDevicesPage />} />
          <Route path="apps" element={<AppsPage />} />
          <Route path="apps/:appId" element={<AppPage />} />
          <Route path="apps/:appId/callbacks/:callbackId" element={<CallbackPage />} />
          <Route path="certificates" element={<CertificatesPage />} />
          <Route path="keys" element={<KeysPage />} />
          <Route path="users" element={<UsersPage />} />
          <Route path="failures" element={<FailuresPage />} />
          <Route path="audit" element={<AuditPage />} />
          <Route path="*" element={<NotFoundPage />} />
        </Route>
      </Routes>
    </SessionGate>
  );
}

/** `lazy` wants modules with a default; ours name what they export. */
function toDefault(component: ComponentType): { readonly default: ComponentType } {
  return { default: component };
}
