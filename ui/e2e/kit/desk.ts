// The agent's side: the inbox.
import { type Locator, type Page, type Response, expect } from "@playwright/test";
import type { Agent } from "./portal.ts";

/** Says who somebody is, where that is asked. */
export async function enter(page: Page, who: Pick<Agent, "email" | "password"> & Partial<Agent>): Promise<Response> {
  const send = async (): Promise<Response> => {
    const sent = (one: Response) => one.url().endsWith("/antiphon/v1/session") && one.request().method() === "POST";
    const answer = page.waitForResponse(sent);
    await page.getByRole("button", { name: "Sign in" }).click();
    return answer;
  };
  await page.getByLabel("Email address").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  const answer = await send();
  // A server of very many portals asks which one is meant.
  if (answer.status() !== 400 || who.portal === undefined) return answer;
  await page.getByLabel("Portal number").fill(who.portal);
  return send();
}

export class Desk {
  readonly views: Locator;
  readonly list: Locator;
  readonly history: Locator;
  readonly editor: Locator;

  constructor(readonly page: Page) {
    this.views = page.getByRole("navigation", { name: "Views and inboxes" });
    this.list = page.getByRole("region", { name: "Conversations" });
    this.history = page.getByRole("region", { name: "Messages" });
    this.editor = page.getByRole("main").getByRole("textbox", { name: /^(Reply|Internal note)$/ });
  }

  /** Signs in as somebody does who opens the inbox for the first time. */
  static async open(page: Page, url: string, agent: Agent): Promise<Desk> {
    const desk = new Desk(page);
    await page.goto(`${url}/inbox/`);
    await enter(page, agent);
    await expect(desk.views).toBeVisible();
    return desk;
  }

  /** Goes to a shelf: `Unassigned`, `Mine`, `All open`, `Closed`. */
  async shelf(name: string): Promise<void> {
    await this.views.getByRole("link", { name: new RegExp(`^${name}`) }).first().click();
  }

  /** A conversation in the list, by what stands in its row. */
  row(text: string | RegExp): Locator {
    return this.list.getByRole("listitem").filter({ hasText: text });
  }

  /** Opens a conversation. */
  async show(text: string | RegExp): Promise<void> {
    await this.row(text).getByRole("link").click();
    await expect(this.history).toBeVisible();
  }

  said(text: string): Locator {
    return this.history.getByText(text, { exact: true });
  }

  /** Writes a reply, and returns once the server has it. */
  async reply(text: string): Promise<void> {
    await this.write("Reply", text);
    await expect(this.history.getByText(/^(Sent|Read)$/).last()).toBeVisible();
  }

  async note(text: string): Promise<void> {
    await this.write("Note", text);
  }

  /** Writes, whatever becomes of it. */
  async write(kind: "Reply" | "Note", text: string): Promise<void> {
    await this.choose(kind);
    await this.editor.fill(text);
    await this.editor.press("Control+Enter");
  }

  async choose(kind: "Reply" | "Note"): Promise<void> {
    await this.page.getByRole("group", { name: "Reply or note" }).getByRole("button", { name: kind }).click();
    await expect(this.editor).toBeVisible();
  }

  act(name: string): Locator {
    return this.page.getByRole("group", { name: "What to do with this conversation" }).getByRole("button", { name });
  }
}
