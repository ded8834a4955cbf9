import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { Suspense } from 'react';
import { Link, Outlet, useLocation } from 'react-router';

import { isLanguage, LANGUAGES, useLanguage } from '../i18n/language-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { PAGES } from '../pages.ts';
import { useSession } from '../session/session-gate.tsx';
import { maySession } from '../session/session.ts';
import { Brand } from './brand.tsx';
import { PersonMenu } from './person-menu.tsx';
import classes from './shell.module.css';
import { Waiting } from './waiting.tsx';

/** The frame of every page: where one can go, who one is, and how it looks. */
export function Shell() {
  const say = useText();
  const [isOpen, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const { session } = useSession();
  const pages = PAGES.filter(({ scopes }) => maySession(session, ...scopes));

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a className={classes['skip']} href="#content">
        {say('nav.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={say('nav.open')}
              aria-expanded={isOpen}
            />
            <Brand />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LanguageMenu />
            <LookButton />
            <PersonMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label={say('nav.label')}>
        <AppShell.Section grow component={ScrollArea} p="xs">
          {pages.map(({ path, title, Icon }) => (
            <NavLink
              key={path}
              component={Link}
              to={path}
              label={say(title)}
              leftSection={<Icon aria-hidden size={18} />}
              active={isBelow(pathname, path)}
              aria-current={isBelow(pathname, path) ? 'page' : undefined}
              onClick={close}
            />
          ))}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Suspense fallback={<Waiting />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}

function isBelow(pathname: string, path: string): boolean {
  return path === '/' ? pathname === '/' : pathname === path || pathname.startsWith(`${path}/`);
}

function LanguageMenu() {
  const say = useText();
  const { language, choose } = useLanguage();
  const languages = Object.keys(LANGUAGES).filter(isLanguage);
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={say('language.label')}>
          <IconLanguage aria-hidden size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {languages.map((one) => (
          <Menu.Item
            key={one}
            lang={one}
            aria-current={one === language}
            onClick={() => choose(one)}
          >
            {LANGUAGES[one]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function LookButton() {
  const say = useText();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  const Icon = isDark ? IconSun : IconMoon;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={say('look.toggle')}
      onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
    >
      <Icon aria-hidden size={20} />
    </ActionIcon>
  );
}
