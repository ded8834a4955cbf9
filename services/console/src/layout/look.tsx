import { createTheme, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';

const THEME = createTheme({
  primaryColor: 'indigo',
  // Texts on coloured grounds turn dark where white would be hard to read.
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
});

/** Light and dark as the system says, until somebody chooses. */
export function Look({ children }: { readonly children: ReactNode }) {
  return (
    <MantineProvider theme={THEME} defaultColorScheme="auto" getStyleNonce={styleNonce}>
      <Notifications position="bottom-right" />
      {children}
    </MantineProvider>
  );
}

/** The policy of the page lets only those style elements in that carry it. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';
}
