import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// One classic script for any page, old tags included, and the same styles as a file for pages whose policy forbids
// inline ones. Their names never change, because they stand in people's pages.
export default defineConfig({
  plugins: [
    {
      name: 'loader-styles',
      generateBundle() {
        const source = readFileSync(at('src/loader/loader.css'), 'utf8');
        this.emitFile({ type: 'asset', fileName: 'loader.css', source });
      },
    },
  ],
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: {
      entry: at('src/loader/main.ts'),
      formats: ['iife'],
      name: 'antiphonLoader',
      fileName: () => 'loader.js',
    },
  },
});
