import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** The server that a page of `npm run dev` talks to. */
const server = process.env.ANTIPHON_URL ?? 'http://127.0.0.1:8085';
const proxy = { target: server, ws: true };

export default defineConfig({
  base: '/inbox/',
  plugins: [svelte()],
  build: { target: 'es2022', assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false } },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  server: {
    host: '127.0.0.1',
    proxy: {
      '/antiphon': proxy,
      '/conversations': proxy,
      '/files': proxy,
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
