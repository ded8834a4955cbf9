import {
  IconAlertTriangle,
  IconApps,
  IconDashboard,
  IconHistory,
  IconSearch,
  IconSpeakerphone,
  type Icon,
} from '@tabler/icons-react';

import type { MessageId } from './i18n/en.ts';

/** What the menu leads to, in its order. */
export const PAGES = [
  { path: '/', title: 'nav.overview', Icon: IconDashboard },
  { path: '/campaigns', title: 'nav.campaigns', Icon: IconSpeakerphone },
  { path: '/deliveries', title: 'nav.deliveries', Icon: IconSearch },
  { path: '/apps', title: 'nav.apps', Icon: IconApps },
  { path: '/failures', title: 'nav.failures', Icon: IconAlertTriangle },
  { path: '/audit', title: 'nav.audit', Icon: IconHistory },
] as const satisfies readonly {
  readonly path: string;
  readonly title: MessageId;
  readonly Icon: Icon;
}[];
