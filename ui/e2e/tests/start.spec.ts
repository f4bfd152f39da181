// What the chat costs the page that it stands on, before anybody wants it. Nothing else runs meanwhile.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { Chat } from "../kit/chat.ts";
import { expect, test } from "../kit/test.ts";

const WIDGET = join(import.meta.dirname, "../../widget/dist");

/** Watches every document of a window from its first moment. */
async function watched(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { shift: 0, long: [] as number[] };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
    }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.long.push(Math.round(entry.duration));
    }).observe({ type: "longtask", buffered: true });
  });
}

type Seen = { shift: number; long: number[] };
const seen = () => (window as unknown as { seen: Seen }).seen;

test("before the click: a loader of five kilobytes, no shift of the layout, no long task", { tag: "@alone" }, async ({ people }) => {
  const page = await people.page();
  await watched(page);
  const fetched = new Map<string, number>();
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.pathname !== new URL(page.url()).pathname) fetched.set(url.pathname, response.status());
  });
  const text = "<p>" + "A long harbour with many berths. ".repeat(400) + "</p>";
  await page.goto(people.site({ body: text }));
  const chat = new Chat(page);
  await expect(chat.launcher).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.mouse.wheel(0, 600);
  await page.waitForTimeout(500);

  const host = await page.evaluate(seen);
  expect(host.shift).toBe(0);
  expect(host.long).toEqual([]);
  const frame = await chat.launcher.evaluate(seen);
  expect(frame.shift).toBe(0);
  expect(frame.long).toEqual([]);

  // What was fetched, as it is sent.
  const loader = [...fetched.keys()].filter((path) => /^\/\d+\.js$/.test(path));
  expect(loader).toHaveLength(1);
  const gzip = (file: string) => gzipSync(readFileSync(join(WIDGET, file)), { level: 9 }).length;
  expect(gzip("loader.js")).toBeLessThanOrEqual(5 * 1024);
  const before = [...fetched.keys()].filter((path) => path.startsWith("/widget/assets/"));
  const start = before.map((path) => gzip(path.replace("/widget/", ""))).reduce((sum, size) => sum + size, 0);
  expect(start).toBeLessThanOrEqual(10 * 1024);

  await chat.open();
  await page.waitForLoadState("networkidle");
  const all = [...fetched.keys()].filter((path) => path.startsWith("/widget/assets/"));
  expect(all.length).toBeGreaterThan(before.length);
  const whole = all.map((path) => gzip(path.replace("/widget/", ""))).reduce((sum, size) => sum + size, 0);
  expect(whole).toBeLessThanOrEqual(60 * 1024);
  // Opening moves nothing of the page's own.
  expect((await page.evaluate(seen)).shift).toBe(0);
});
