// The settings, as an administrator opens them.
import { type BrowserContextOptions, type Page, expect } from "@playwright/test";
import { enter } from "./desk.ts";
import type { Agent } from "./portal.ts";
import type { People } from "./test.ts";

/** A page of the settings, in the window of an agent who has signed in. */
export async function settings(people: People, agent: Agent, place: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await people.page(options);
  await page.goto(people.inbox(`settings/${place}`));
  await enter(page, agent);
  await expect(page.getByRole("navigation", { name: "Settings" })).toBeVisible();
  return page;
}
