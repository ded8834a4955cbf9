import {
  Badge,
  createTheme,
  MantineProvider,
  mergeThemeOverrides,
  ModalHeader,
  Notification,
  type CSSVariablesResolver,
} from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { setNonce } from 'get-nonce';
import { useMemo, type ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';

const THEME = createTheme({
  primaryColor: 'indigo',
  // White is easy to read on it, and it is on white.
  primaryShade: { light: 7, dark: 8 },
  // Texts on coloured grounds turn dark where white would be hard to read.
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  components: {
    // A state that is cut off says nothing.
    Badge: Badge.extend({ defaultProps: { miw: 'max-content' } }),
    // A dialog's heading is no banner of the page.
    ModalHeader: ModalHeader.extend({ defaultProps: { role: 'presentation' } }),
  },
});

/** Where Mantine's own colours are too faint to read. */
const READABLE: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-7)',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
    '--mantine-color-red-filled': 'var(--mantine-color-red-9)',
    '--mantine-color-red-filled-hover': '#b02525',
    '--mantine-color-green-light-color': '#1f6f30',
    '--mantine-color-orange-light-color': '#ad390c',
    '--mantine-color-red-light-color': '#a61e1e',
    '--mantine-color-yellow-light-color': '#875000',
  },
  dark: {
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-1)',
    '--mantine-color-error': 'var(--mantine-color-red-4)',
  },
});

// What keeps the page from scrolling below a dialog makes a style element of its own, and asks here.
setNonce(styleNonce());

/** Light and dark as the system says, until somebody chooses. */
export function Look({ children }: { readonly children: ReactNode }) {
  const say = useText();
  const closeLabel = say('notification.close');
  const theme = useMemo(() => withNotifications(closeLabel), [closeLabel]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={READABLE}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <Notifications position="bottom-right" />
      {children}
    </MantineProvider>
  );
}

function withNotifications(closeLabel: string) {
  const closeButtonProps = { 'aria-label': closeLabel };
  const components = { Notification: Notification.extend({ defaultProps: { closeButtonProps } }) };
  return mergeThemeOverrides(THEME, createTheme({ components }));
}

/** The policy of the page lets only those style elements in that carry it. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';
}
