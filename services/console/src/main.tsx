import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';

import { createQueryClient } from './api/query-client.ts';
import { App } from './app.tsx';
import { CONSOLE_PATH } from './base.ts';
import { LanguageProvider } from './i18n/language-provider.tsx';
import { Look } from './layout/look.tsx';

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <Look>
        <QueryClientProvider client={createQueryClient()}>
          <BrowserRouter basename={CONSOLE_PATH}>
            <App />
          </BrowserRouter>
        </QueryClientProvider>
      </Look>
    </LanguageProvider>
  </StrictMode>,
);
