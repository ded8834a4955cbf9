import { useParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { PageTabs } from '../layout/page-tabs.tsx';
import { Callbacks } from './callbacks.tsx';
import { Credentials } from './credentials.tsx';
import { DeveloperKeys } from './developer-keys.tsx';
import { LivePerson } from './liveperson.tsx';

/** One application: what it sends with, who may send for it, and who is told what came of it. */
export function AppPage() {
  const say = useText();
  const { appId = '' } = useParams();
  return (
    <Page title={say('app.title', { id: appId })}>
      <PageTabs
        tabs={[
          {
            value: 'credentials',
            title: say('app.credentials'),
            content: <Credentials appId={appId} />,
          },
          {
            value: 'developer-keys',
            title: say('app.developerKeys'),
            content: <DeveloperKeys appId={appId} />,
          },
          { value: 'callbacks', title: say('app.callbacks'), content: <Callbacks appId={appId} /> },
          {
            value: 'liveperson',
            title: say('app.liveperson'),
            content: <LivePerson appId={appId} />,
          },
        ]}
      />
    </Page>
  );
}
