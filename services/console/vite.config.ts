import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

/** The api writes in its place where the console is, which is not known here. */
const BASE = '__CONSOLE_BASE__';

const withBase: Plugin = {
  name: 'with-base',
  apply: 'build',
  transformIndexHtml: { order: 'post', handler: (html) => html.replaceAll('"./', `"${BASE}`) },
};

const STYLESHEETS = /\s*<link rel="stylesheet"[^>]*>/g;
const PLACE_OF_STYLES = '<!-- styles -->';

/** What `index.html` shows by itself does not wait for the styles of everything: they stand behind it. */
const stylesLater: Plugin = {
  name: 'styles-later',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => {
      if (!html.includes(PLACE_OF_STYLES)) throw new Error(`index.html has no ${PLACE_OF_STYLES}`);
      const links = (html.match(STYLESHEETS) ?? []).map((link) => link.trim());
      return html.replaceAll(STYLESHEETS, '').replace(PLACE_OF_STYLES, links.join(''));
    },
  },
};

/** The api sends what lies compressed beside a file, and compresses nothing itself. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  async writeBundle({ dir = '' }, bundle) {
    for (const part of Object.values(bundle)) {
      if (!/\.(?:js|css)$/.test(part.fileName)) continue;
      const file = path.join(dir, part.fileName);
      const plain = Buffer.from(part.type === 'chunk' ? part.code : part.source);
      await writeFile(`${file}.br`, await promisify(brotliCompress)(plain));
      await writeFile(`${file}.gz`, await promisify(gzip)(plain));
    }
  },
};

export default defineConfig({
  base: './',
  // The sources of our own packages as they are.
  resolve: { conditions: ['@heliograph/source', ...defaultClientConditions] },
  plugins: [react(), withBase, stylesLater, compressed],
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
});
