import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, RouterProvider } from 'react-router';

import { createQueryClient } from './api/query-client.ts';
import { App } from './app.tsx';
import { CONSOLE_PATH } from './base.ts';
import { LanguageProvider } from './i18n/language-provider.tsx';
import { Look } from './layout/look.tsx';
import { SplashEnd } from './layout/splash-end.tsx';

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no #root');

/** One that can hold a way out of a page: see `LeaveGuard`. */
const router = createBrowserRouter([{ path: '*', element: <App /> }], { basename: CONSOLE_PATH });

createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <Look>
        <SplashEnd>
          <QueryClientProvider client={createQueryClient()}>
            {/* A page that has to come first is waited for in its place, not on the page before it. */}
            <RouterProvider router={router} useTransitions={false} />
          </QueryClientProvider>
        </SplashEnd>
      </Look>
    </LanguageProvider>
  </StrictMode>,
);
