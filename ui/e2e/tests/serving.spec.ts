// What the server hands out, as a browser asks for it.
import { expect, test } from "../kit/test.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

function assets(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="(\/(?:inbox|widget)\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
}

test("browsers come to the inbox from the server's own address", { tag: "@nodes" }, async ({ server, page }) => {
  await page.goto(server.desk.url);
  expect(new URL(page.url()).pathname).toBe("/inbox/");
  const programs = await fetch(server.desk.url, { headers: { accept: "application/json" } });
  expect(programs.status).toBe(404);
});

test("the inbox is one page for every place in it, asked for each time; its files are kept", async ({ server }) => {
  const url = server.desk.url;
  const page = await fetch(`${url}/inbox/threads/7`, { headers: { accept: BROWSER } });
  expect(page.status).toBe(200);
  expect(page.headers.get("cache-control")).toBe("no-cache");
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  const again = await fetch(`${url}/inbox/`, { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  expect(again.status).toBe(304);
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  const files = assets(html);
  expect(files.length).toBeGreaterThan(1);
  for (const path of files) {
    for (const [accept, coding] of [["br, gzip", "br"], ["gzip", "gzip"], ["identity", null]] as const) {
      const file = await fetch(url + path, { headers: { "accept-encoding": accept } });
      expect(file.status, path).toBe(200);
      expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(file.headers.get("vary")).toContain("Accept-Encoding");
      const text = await file.text();
      // What is smaller than a packet is sent as it is.
      if (text.length >= 1024) expect(file.headers.get("content-encoding"), `${path} ${accept}`).toBe(coding);
    }
  }
  const gone = await fetch(`${url}/inbox/assets/gone-B1x_9zQa.js`);
  expect(gone.status).toBe(404);
});

test("the loader is the same under both of its names, and every website may load it", async ({ server }) => {
  const url = server.site.url;
  const texts: string[] = [];
  for (const path of ["/7.js", "/widget/loader.js"]) {
    const loader = await fetch(url + path);
    expect(loader.status, path).toBe(200);
    expect(loader.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(loader.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(loader.headers.get("cache-control")).toBe("no-cache");
    texts.push(await loader.text());
  }
  expect(texts[0]).toBe(texts[1]);
  const styles = await fetch(`${url}/widget/loader.css`);
  expect(styles.headers.get("content-type")).toBe("text/css; charset=utf-8");
  for (const path of ["/shop.js", "/0.js", "/widget/frame.html", "/widget/manifest.json"]) {
    expect((await fetch(url + path)).status, path).toBe(404);
  }
});
