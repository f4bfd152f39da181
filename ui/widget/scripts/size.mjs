// What a page and its visitors have to fetch, against what we allow ourselves.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'));

/** Everything that an entry fetches by itself, and with `whole` what it may fetch later as well. */
function files(entry, whole) {
  const found = new Set(['frame.html', manifest['style.css'].file]);
  const walk = (key) => {
    const chunk = manifest[key];
    if (found.has(chunk.file)) return;
    found.add(chunk.file);
    [...(chunk.imports ?? []), ...(whole ? (chunk.dynamicImports ?? []) : [])].forEach(walk);
  };
  walk(entry);
  return [...found];
}

const sum = (list) => list.reduce((total, file) => total + size(file), 0);
const budgets = [
  { what: 'loader', bytes: size('loader.js'), most: 5_000 },
  { what: 'frame before any intent', bytes: sum(files('frame.html', false)), most: 10_000 },
  // One visitor fetches one language; all of them are counted.
  { what: 'frame and application, all languages', bytes: sum(files('frame.html', true)), most: 60_000 },
];

for (const { what, bytes, most } of budgets) {
  console.log(`${bytes > most ? 'TOO LARGE' : 'ok'}  ${what}: ${bytes} of ${most} bytes gzip`);
}
if (budgets.some(({ bytes, most }) => bytes > most)) process.exitCode = 1;
