// What the server hands out, as a browser asks for it.
import { expect, test } from "../kit/test.ts";

test("browsers come to the inbox from the server's own address", { tag: "@nodes" }, async ({ server, page }) => {
  await page.goto(server.desk.url);
  expect(new URL(page.url()).pathname).toBe("/inbox/");
  const programs = await fetch(server.desk.url, { headers: { accept: "application/json" } });
  expect(programs.status).toBe(404);
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
