import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

export default defineConfig({
  // Under which path the console will be served is not known here.
  base: './',
  // The sources of our own packages as they are.
  resolve: { conditions: ['@heliograph/source', ...defaultClientConditions] },
  plugins: [react()],
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
});
