// What every test stands on: a server for each worker, a portal for each test.
import { test as base } from "@playwright/test";
import { Portal } from "./portal.ts";
import { Server } from "./server.ts";
import { Website } from "./site.ts";

export interface Stores {
  store: "embedded" | "nodes";
}

interface Started extends Stores {
  server: Server;
  website: Website;
}

export const test = base.extend<{ portal: Portal }, Started>({
  store: ["embedded", { option: true, scope: "worker" }],
  server: [
    async ({ store }, use) => {
      const server = await Server.start(store);
      await use(server);
      await server.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  website: [
    async ({}, use) => {
      const website = await Website.open();
      await use(website);
      await website.close();
    },
    { scope: "worker" },
  ],
  portal: async ({ server }, use, info) => {
    await use(await Portal.make(server.desk, `Harbour ${info.testId.slice(-6)}`));
  },
});

export { expect } from "@playwright/test";
