import type { ApplicationDetail } from '@heliograph/client';
import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { DialogButton } from '../layout/dialog-button.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { useMay } from '../session/session-gate.tsx';
import { ApnsForm } from './apns-form.tsx';
import { isEnvironment } from './environment-select.tsx';
import { Expiry } from './expiry.tsx';
import { FcmForm } from './fcm-form.tsx';
import { ProxyFacts } from './proxy-facts.tsx';
import { ProxyForm } from './proxy-form.tsx';
import { RateFact } from './rate-fact.tsx';
import { appKey, useApp } from './use-app.ts';

/** What the application sends with, of each platform. Keys are never shown: only replaced. */
export function Credentials({ appId }: { readonly appId: string }) {
  const say = useText();
  const app = useApp(appId);
  return (
    <QueryView query={app}>
      {(detail) => (
        <Stack>
          <Platform appId={appId} detail={detail} platform="ios" title={say('credentials.apns')} />
          <Platform
            appId={appId}
            detail={detail}
            platform="android"
            title={say('credentials.fcm')}
          />
        </Stack>
      )}
    </QueryView>
  );
}

interface PlatformProps {
  readonly appId: string;
  readonly detail: ApplicationDetail;
  readonly platform: 'ios' | 'android';
  readonly title: string;
}

/** The way that pushes take now comes first; the other one waits until the proxy is removed. */
function Platform({ appId, detail, platform, title }: PlatformProps) {
  const say = useText();
  const proxy = platform === 'ios' ? detail.apnsProxy : detail.fcmProxy;
  const isSet = (platform === 'ios' ? detail.apnsBundle : detail.fcmProjectId) !== null;
  const Form = platform === 'ios' ? ApnsForm : FcmForm;
  const api = useApi();
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h4">
            {title}
          </Title>
          <Route isProxy={proxy !== null} isSet={isSet} />
        </Group>
        {proxy !== null && (
          <Way
            appId={appId}
            name={say('credentials.proxy')}
            of={title}
            remove={() => api.apps.removeProxy({ appId, platform })}
            removeQuestion={say('proxy.removeQuestion')}
            form={(close) => <ProxyForm {...{ appId, detail, platform, close }} />}
            isSet
          >
            <ProxyFacts proxy={proxy} />
          </Way>
        )}
        <Way
          appId={appId}
          name={say('credentials.own')}
          of={title}
          isSet={isSet}
          remove={() =>
            platform === 'ios' ? api.apps.removeApns({ appId }) : api.apps.removeFcm({ appId })
          }
          removeQuestion={say('credentials.removeQuestion')}
          form={(close) => <Form {...{ appId, detail, close }} />}
        >
          {platform === 'ios' ? <ApnsFacts detail={detail} /> : <FcmFacts detail={detail} />}
        </Way>
        {proxy === null && (
          <Way
            appId={appId}
            name={say('credentials.proxy')}
            of={title}
            isSet={false}
            form={(close) => <ProxyForm {...{ appId, detail, platform, close }} />}
          />
        )}
      </Stack>
    </Card>
  );
}

/** Pushes go straight to the provider, or to a customer's own server. */
function Route({ isProxy, isSet }: { readonly isProxy: boolean; readonly isSet: boolean }) {
  const say = useText();
  if (isProxy)
    return (
      <Badge variant="light" tt="none">
        {say('credentials.viaProxy')}
      </Badge>
    );
  if (isSet)
    return (
      <Badge variant="light" tt="none" color="green">
        {say('credentials.direct')}
      </Badge>
    );
  return (
    <Badge variant="light" tt="none" color="gray">
      {say('credentials.noRoute')}
    </Badge>
  );
}

interface WayProps {
  readonly appId: string;
  readonly name: string;
  /** Of what: two platforms have the same buttons. */
  readonly of: string;
  readonly isSet: boolean;
  readonly form: (close: () => void) => ReactNode;
  readonly remove?: () => Promise<unknown>;
  readonly removeQuestion?: string;
  readonly children?: ReactNode;
}

function Way({ appId, name, of, isSet, form, remove, removeQuestion, children }: WayProps) {
  const say = useText();
  const cache = useQueryClient();
  const mayChange = useMay('admin');
  return (
    <Card withBorder bg="transparent" padding="sm" role="group" aria-label={`${of}, ${name}`}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3} size="h5">
            {name}
          </Title>
          {mayChange && (
            <Group gap="xs">
              <DialogButton
                size="xs"
                variant={isSet ? 'default' : 'light'}
                label={say(isSet ? 'credentials.replace' : 'credentials.set')}
                title={say(isSet ? 'credentials.replaceOf' : 'credentials.setOf', { name, of })}
              >
                {form}
              </DialogButton>
              {isSet && remove !== undefined && (
                <ConfirmButton
                  label={say('credentials.remove')}
                  color="red"
                  variant="light"
                  size="xs"
                  question={removeQuestion}
                  typed={appId}
                  typedLabel={say('credentials.removeTyped', { id: appId })}
                  act={async () => {
                    await remove();
                    await cache.invalidateQueries({ queryKey: appKey(appId) });
                  }}
                />
              )}
            </Group>
          )}
        </Group>
        {isSet ? children : <Text c="dimmed">{say('credentials.none')}</Text>}
      </Stack>
    </Card>
  );
}

function ApnsFacts({ detail }: Pick<PlatformProps, 'detail'>) {
  const say = useText();
  const { apnsCertificate, apnsEnvironment } = detail;
  const environment = isEnvironment(apnsEnvironment) ? apnsEnvironment : 'production';
  return (
    <Facts>
      <Fact name={say('credentials.bundle')}>{detail.apnsBundle}</Fact>
      <Fact name={say('credentials.environment')}>{say(`environment.${environment}`)}</Fact>
      {apnsCertificate === null ? (
        <>
          <Fact name={say('credentials.keyId')}>{detail.apnsKeyId}</Fact>
          <Fact name={say('credentials.teamId')}>{detail.apnsTeamId}</Fact>
        </>
      ) : (
        <>
          <Fact name={say('credentials.certificate')}>{apnsCertificate.commonName}</Fact>
          <Fact name={say('credentials.validTo')}>
            <Expiry validTo={apnsCertificate.validTo} />
          </Fact>
        </>
      )}
      <RateFact rate={detail.apnsRatePerSecond} />
    </Facts>
  );
}

function FcmFacts({ detail }: Pick<PlatformProps, 'detail'>) {
  const say = useText();
  return (
    <Facts>
      <Fact name={say('credentials.projectId')}>{detail.fcmProjectId}</Fact>
      <RateFact rate={detail.fcmRatePerSecond} />
    </Facts>
  );
}
