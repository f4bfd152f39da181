// What every test stands on: a server for each worker, a portal for each test, and windows for those who talk.
import { type Browser, type BrowserContextOptions, type Page, test as base } from "@playwright/test";
import { Chat } from "./chat.ts";
import { Desk } from "./desk.ts";
import { type Agent, Portal } from "./portal.ts";
import { Server } from "./server.ts";
import { type Page as SitePage, Website } from "./site.ts";

export interface Stores {
  store: "embedded" | "nodes";
}

interface Started extends Stores {
  server: Server;
  website: Website;
}

/** Everybody has a browser profile of their own. */
export class People {
  private readonly pages: Page[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly server: Server,
    private readonly website: Website,
    private readonly portal: Portal,
    private readonly options: BrowserContextOptions,
  ) {}

  /** A window of a profile that nobody has used. */
  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ ...this.options, ...options });
    const page = await context.newPage();
    this.pages.push(page);
    return page;
  }

  /** The address of a page of the website, with the chat of the portal on it. */
  site(page: SitePage = {}): string {
    return this.website.page(this.server.site.host, this.portal.id, page);
  }

  /** The address of a place in the inbox. */
  inbox(place = ""): string {
    return `${this.server.desk.url}/inbox/${place}`;
  }

  /** Somebody on a page of the website. */
  async visitor(page: SitePage = {}, options: BrowserContextOptions = {}): Promise<Chat> {
    const chat = new Chat(await this.page(options));
    await chat.page.goto(this.site(page));
    return chat;
  }

  /** An agent who has signed in. */
  async agent(agent: Agent, options: BrowserContextOptions = {}): Promise<Desk> {
    return Desk.open(await this.page(options), this.server.desk.url, agent);
  }

  async leave(): Promise<void> {
    await Promise.all(this.pages.map((page) => page.context().close()));
  }
}

export const test = base.extend<{ portal: Portal; people: People }, Started>({
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
    const portal = await Portal.make(server.desk, `Harbour ${info.testId.slice(-6)}`);
    await portal.chats();
    await use(portal);
  },
  people: async ({ browser, contextOptions, locale, timezoneId, portal, server, website }, use) => {
    const options = { ...contextOptions, ...(locale ? { locale } : {}), ...(timezoneId ? { timezoneId } : {}) };
    const people = new People(browser, server, website, portal, options);
    await use(people);
    await people.leave();
  },
});

export { expect } from "@playwright/test";
