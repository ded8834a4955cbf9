import type { ApplicationDetail } from '@heliograph/client';
import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { Moment } from '../layout/moment.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ApnsForm } from './apns-form.tsx';
import { FcmForm } from './fcm-form.tsx';
import { appKey, useApp } from './use-app.ts';

/** What the application sends with, of each platform. Keys are never shown: only replaced. */
export function Credentials({ appId }: { readonly appId: string }) {
  const app = useApp(appId);
  return (
    <QueryView query={app}>
      {(detail) => (
        <Stack>
          <Apns appId={appId} detail={detail} />
          <Fcm appId={appId} detail={detail} />
        </Stack>
      )}
    </QueryView>
  );
}

interface PlatformProps {
  readonly appId: string;
  readonly detail: ApplicationDetail;
}

function Apns({ appId, detail }: PlatformProps) {
  const say = useText();
  const api = useApi();
  const { apnsBundle, apnsAuth, apnsCertificate } = detail;
  return (
    <Card withBorder component="section" aria-label={say('platform.ios')}>
      <Stack>
        <Head
          title={say('credentials.apns')}
          isSet={apnsBundle !== null}
          appId={appId}
          remove={() => api.apps.removeApns({ appId })}
        />
        {apnsBundle === null ? (
          <Text c="dimmed">{say('credentials.none')}</Text>
        ) : (
          <Facts>
            <Fact name={say('credentials.bundle')}>{apnsBundle}</Fact>
            <Fact name={say('credentials.environment')}>{detail.apnsEnvironment}</Fact>
            {apnsAuth === 'certificate' ? (
              <>
                <Fact name={say('credentials.certificate')}>{apnsCertificate?.commonName}</Fact>
                <Fact name={say('credentials.validTo')}>
                  <Moment at={apnsCertificate?.validTo} />
                </Fact>
              </>
            ) : (
              <>
                <Fact name={say('credentials.keyId')}>{detail.apnsKeyId}</Fact>
                <Fact name={say('credentials.teamId')}>{detail.apnsTeamId}</Fact>
              </>
            )}
            <Route url={detail.apnsProxy?.url} />
          </Facts>
        )}
        <ApnsForm appId={appId} isSet={apnsBundle !== null} />
      </Stack>
    </Card>
  );
}

function Fcm({ appId, detail }: PlatformProps) {
  const say = useText();
  const api = useApi();
  const { fcmProjectId } = detail;
  return (
    <Card withBorder component="section" aria-label={say('platform.android')}>
      <Stack>
        <Head
          title={say('credentials.fcm')}
          isSet={fcmProjectId !== null}
          appId={appId}
          remove={() => api.apps.removeFcm({ appId })}
        />
        {fcmProjectId === null ? (
          <Text c="dimmed">{say('credentials.none')}</Text>
        ) : (
          <Facts>
            <Fact name={say('credentials.projectId')}>{fcmProjectId}</Fact>
            <Route url={detail.fcmProxy?.url} />
          </Facts>
        )}
        <FcmForm appId={appId} isSet={fcmProjectId !== null} />
      </Stack>
    </Card>
  );
}

interface HeadProps {
  readonly title: string;
  readonly isSet: boolean;
  readonly appId: string;
  readonly remove: () => Promise<unknown>;
}

function Head({ title, isSet, appId, remove }: HeadProps) {
  const say = useText();
  const cache = useQueryClient();
  return (
    <Group justify="space-between">
      <Title order={2} size="h4">
        {title}
      </Title>
      {isSet && (
        <ConfirmButton
          label={say('credentials.remove')}
          color="red"
          variant="light"
          size="xs"
          question={say('credentials.removeQuestion')}
          typed={appId}
          typedLabel={say('credentials.removeTyped', { id: appId })}
          act={async () => {
            await remove();
            await cache.invalidateQueries({ queryKey: appKey(appId) });
          }}
        />
      )}
    </Group>
  );
}

/** Pushes go straight to the provider, or to a customer's own server. */
function Route({ url }: { readonly url: string | undefined }) {
  const say = useText();
  return <Fact name={say('credentials.route')}>{url ?? say('credentials.direct')}</Fact>;
}
