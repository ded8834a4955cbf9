import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Under which path the console is served is not known when it is built: all addresses are relative to index.html's base. */
export default defineConfig({
  base: './',
  plugins: [react()],
  build: { target: 'es2022', sourcemap: false },
});
