// The pictures in docs/images: `cargo xtask browser --pictures`.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { Chat } from "../kit/chat.ts";
import { type Demo, expect, test } from "../kit/demo.ts";
import { Desk } from "../kit/desk.ts";

const run = promisify(execFile);
const IMAGES = join(import.meta.dirname, "../../../docs/images");
const DESKTOP = { width: 1360, height: 820 };
const PHONE = { width: 390, height: 780 };

async function window(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ deviceScaleFactor: 1.5, reducedMotion: "reduce", ...options });
  return context.newPage();
}

/** What the page shows once nothing moves any more, in few colours: a picture of it is a tenth as large. */
async function picture(page: Page, name: string): Promise<void> {
  await expect(page.locator(".notice")).toHaveCount(0, { timeout: 20_000 });
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  });
  const path = join(IMAGES, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  await run("pngquant", ["--force", "--strip", "--speed", "1", "--output", path, "256", path]);
}

/** A conversation from the shop's website that is under way. */
async function begun(demo: Demo, browser: Browser, options: BrowserContextOptions): Promise<Chat> {
  const chat = new Chat(await window(browser, options));
  await chat.page.goto(`${demo.website}account`);
  await chat.open();
  return chat;
}

test("pictures of the main states", { tag: "@pictures" }, async ({ demo, browser }) => {
  test.setTimeout(300_000);
  const chat = await begun(demo, browser, { viewport: DESKTOP });
  await chat.say("Hello! Will my Kestrel 7 be ready on Thursday? I would pick it up before work.");

  const page = await window(browser, { viewport: DESKTOP, colorScheme: "light" });
  await page.goto(demo.inbox);
  const desk = new Desk(page);
  await desk.shelf("Unassigned");
  await desk.show("Will my Kestrel 7 be ready");
  await desk.act("Assign this conversation").click();
  await page.getByRole("option", { name: /Mia/ }).click();
  await desk.note("The belt arrived this morning, Jonas fits it tomorrow.");
  const answer = "Good morning Priya! It will be: we open at 7:30, and it will be waiting at the door.";
  await desk.reply(answer);
  await expect(chat.said(answer)).toBeVisible();
  await chat.say("Perfect, thank you!");
  await expect(desk.said("Perfect, thank you!")).toBeVisible();
  await desk.shelf("All open");
  await desk.show("Perfect, thank you!");
  await picture(chat.page, "chat");
  await picture(page, "inbox");

  await desk.choose("Note");
  await desk.editor.fill("Jonas, please pump up the tyres as well.");
  await expect(page.getByText("Draft saved")).toBeVisible();
  await picture(page, "note");
  await desk.editor.fill("");

  const thread = /\/t\/(\d+)/.exec(page.url())?.[1] ?? "";
  const colleague = await fetch(`${demo.server.desk.url}/antiphon/v1/threads/${thread}/draft`, {
    method: "PUT",
    headers: { authorization: "Bearer pat-demo-antiphon", "content-type": "application/json" },
    body: JSON.stringify({ senderActorId: "A-72", type: "MESSAGE", text: "You are welcome" }),
  });
  expect(colleague.ok).toBe(true);
  await desk.write("Reply", "You are welcome. See you on Thursday!");
  const held = page.getByRole("dialog", { name: "A colleague is answering" });
  await expect(held).toBeVisible();
  await picture(page, "guard");
  await held.getByRole("button", { name: "Keep editing" }).click();
  await desk.editor.fill("");

  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Commands" })).toBeVisible();
  await picture(page, "palette");
  await page.keyboard.press("Escape");

  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "inbox-dark");
  await chat.page.emulateMedia({ colorScheme: "dark" });
  await chat.page.reload();
  await expect(chat.said("Perfect, thank you!")).toBeVisible();
  await picture(chat.page, "chat-dark");

  const phone = await window(browser, { viewport: PHONE, hasTouch: true, isMobile: true });
  await phone.goto(demo.inbox);
  await expect(phone.getByRole("main", { name: "Conversations" })).toBeVisible();
  await phone.goto(page.url());
  await expect(phone.getByRole("region", { name: "Messages" })).toBeVisible();
  await picture(phone, "inbox-phone");
  const pocket = await begun(demo, browser, { viewport: PHONE, hasTouch: true, isMobile: true });
  await expect(pocket.said("Perfect, thank you!")).toBeVisible();
  await picture(pocket.page, "chat-phone");

  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(new URL("/inbox/settings/agents", demo.inbox).href);
  await expect(page.getByRole("main").getByText("jonas@larkspur.example")).toBeVisible();
  await picture(page, "settings");
});
