// The demo, as `antiphon serve --demo` has it.
import { test as base } from "@playwright/test";
import { Server } from "./server.ts";

export interface Demo {
  server: Server;
  /** What it prints: where the inbox is, signed in, and the website. */
  inbox: string;
  website: string;
}

export const test = base.extend<object, { demo: Demo }>({
  demo: [
    async ({}, use) => {
      const server = await Server.start("embedded", ["--demo"]);
      const { inbox, website } = server.desk.told;
      await use({ server, inbox: String(inbox), website: String(website) });
      await server.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

export { expect } from "@playwright/test";
