import {
  IconAlertTriangle,
  IconApps,
  IconCertificate,
  IconDashboard,
  IconHistory,
  IconKey,
  IconSearch,
  IconSpeakerphone,
  IconUsers,
  type Icon,
} from '@tabler/icons-react';

import type { MessageId } from './i18n/en.ts';
import type { Scope } from './session/session.ts';

interface MenuEntry {
  readonly path: string;
  readonly title: MessageId;
  readonly Icon: Icon;
  /** Shown to whoever has one of them: what the page asks the api for takes it. */
  readonly scopes: readonly Scope[];
}

/** What the menu leads to, in its order. */
export const PAGES: readonly MenuEntry[] = [
  { path: '/', title: 'nav.overview', Icon: IconDashboard, scopes: ['read'] },
  {
    path: '/campaigns',
    title: 'nav.campaigns',
    Icon: IconSpeakerphone,
    scopes: ['campaigns', 'campaigns:send', 'read'],
  },
  { path: '/deliveries', title: 'nav.deliveries', Icon: IconSearch, scopes: ['read'] },
  { path: '/apps', title: 'nav.apps', Icon: IconApps, scopes: ['admin'] },
  { path: '/certificates', title: 'nav.certificates', Icon: IconCertificate, scopes: ['admin'] },
  { path: '/keys', title: 'nav.keys', Icon: IconKey, scopes: ['admin'] },
  { path: '/users', title: 'nav.users', Icon: IconUsers, scopes: ['admin'] },
  { path: '/failures', title: 'nav.failures', Icon: IconAlertTriangle, scopes: ['read'] },
  { path: '/audit', title: 'nav.audit', Icon: IconHistory, scopes: ['admin'] },
];
