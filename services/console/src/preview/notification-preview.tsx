import { SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';
import { AndroidNotification } from './android-notification.tsx';
import { IosNotification } from './ios-notification.tsx';
import classes from './preview.module.css';

export interface PreviewedMessage {
  readonly appName: string;
  readonly title: string;
  readonly body: string;
}

/** Where a notification shows up: beside others on the locked screen, or above what one is doing. */
export type Place = 'lockScreen' | 'banner';

/** The message as iOS and Android show it, on a light and on a dark phone at once. */
export function NotificationPreview({ message }: { readonly message: PreviewedMessage }) {
  const say = useText();
  const [place, setPlace] = useState<Place>('lockScreen');
  return (
    <Stack>
      <SegmentedControl
        aria-label={say('preview.place')}
        value={place}
        onChange={setPlace}
        data={[
          { value: 'lockScreen', label: say('preview.lockScreen') },
          { value: 'banner', label: say('preview.banner') },
        ]}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {(['light', 'dark'] as const).flatMap((look) => [
          <Phone
            key={`ios-${look}`}
            look={look}
            place={place}
            label={`iOS, ${say(`look.${look}`)}`}
          >
            <IosNotification message={message} look={look} place={place} />
          </Phone>,
          <Phone
            key={`android-${look}`}
            look={look}
            place={place}
            label={`Android, ${say(`look.${look}`)}`}
          >
            <AndroidNotification message={message} look={look} place={place} />
          </Phone>,
        ])}
      </SimpleGrid>
    </Stack>
  );
}

interface PhoneProps {
  readonly look: 'light' | 'dark';
  readonly place: Place;
  readonly label: string;
  readonly children: ReactNode;
}

function Phone({ look, place, label, children }: PhoneProps) {
  return (
    <figure className={classes['figure']}>
      <div className={classes['phone']} data-look={look} data-place={place}>
        {place === 'lockScreen' && (
          <div className={classes['clock']} aria-hidden>
            9:41
          </div>
        )}
        {children}
      </div>
      <Text component="figcaption" size="xs" ta="center">
        {label}
      </Text>
    </figure>
  );
}
