import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The frame: a page on our own origin, with a launcher that needs next to no script and an application that is fetched
// when somebody wants it. The loader is built by vite.loader.config.ts, since it is a script of somebody else's page.
export default defineConfig({
  base: '/widget/',
  plugins: [svelte({ compilerOptions: { modernAst: true } })],
  build: {
    target: 'es2022',
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    // One file of styles, there from the start: what is fetched on intent is script alone, and can be asked for again.
    cssCodeSplit: false,
    // Nothing may be inlined: the frame's policy knows neither data: scripts nor data: styles.
    assetsInlineLimit: 0,
    rollupOptions: { input: fileURLToPath(new URL('frame.html', import.meta.url)) },
  },
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'https://shop.harbour.example/berths' } },
    include: ['src/**/*.test.ts'],
    css: true,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
