import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

/** The api writes in its place where the console is, which is not known here. */
const BASE = '__CONSOLE_BASE__';

const withBase: Plugin = {
  name: 'with-base',
  apply: 'build',
  transformIndexHtml: { order: 'post', handler: (html) => html.replaceAll('"./', `"${BASE}`) },
};

export default defineConfig({
  base: './',
  // The sources of our own packages as they are.
  resolve: { conditions: ['@heliograph/source', ...defaultClientConditions] },
  plugins: [react(), withBase],
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
});
