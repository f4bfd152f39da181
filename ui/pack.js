// Packs what was built, as small as it gets: beside each text file that is worth it, a twin for browsers that take brotli and
// one for those that take gzip. The server hands these out and packs nothing itself.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = /\.(html|js|css|svg|json|txt|webmanifest)$/;

// Smaller files fit a packet as they are.
const WORTHWHILE = 1024;

for (const name of ["inbox", "widget"]) {
  const dist = join(import.meta.dirname, name, "dist");
  const entries = await readdir(dist, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if (/\.(br|gz)$/.test(path)) {
      await rm(path);
    }
  }
  for (const entry of entries.filter((entry) => entry.isFile() && TEXT.test(entry.name))) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.length < WORTHWHILE) continue;
    const params = {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }));
    await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}
