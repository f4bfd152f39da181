// Every main state of what people see, as they may have it before them: nothing serious that keeps anybody out.
import type { BrowserContextOptions, Page } from "@playwright/test";
import { accessible } from "../kit/axe.ts";
import { expect, test } from "../kit/test.ts";

interface Look extends BrowserContextOptions {
  name: string;
  /** What people read. */
  language?: string;
}

const PHONE = { width: 390, height: 780 };
const LOOKS: Look[] = [
  { name: "light", colorScheme: "light" },
  { name: "dark", colorScheme: "dark" },
  { name: "on a phone", viewport: PHONE, hasTouch: true },
  { name: "from right to left", language: "ar", locale: "ar" },
];

/** Has the inbox as the look wants it, whoever has signed in before. */
async function dress(page: Page, { viewport, language }: Look): Promise<void> {
  if (viewport) await page.setViewportSize(viewport);
  if (language) await page.evaluate((language) => localStorage.setItem("antiphon.inbox.settings", JSON.stringify({ language })), language);
}

for (const { name, ...look } of LOOKS) {
  const { language, ...options } = look;
  const context = { reducedMotion: "reduce" as const, ...options };

  test(`the chat, ${name}`, async ({ portal, people }) => {
    test.slow();
    const settings = { welcomeMessage: "Ahoy!", quickReplies: ["A berth", "A repair"], askEmail: "ALWAYS", ...(language ? { language } : {}) };
    await portal.chats({ ...settings, language: "en" });
    const ana = await people.agent(await portal.agent("Ana Ruiz"));
    const chat = await people.visitor({}, context);
    await expect(chat.launcher).toBeVisible();
    await accessible(chat.page, "closed");
    await chat.open();
    await accessible(chat.page, "open, nothing said");
    await chat.attach("mast.txt", "text/plain", Buffer.from("It is short."));
    await accessible(chat.page, "with a file");
    await chat.say("What does a berth cost?");
    await accessible(chat.page, "asked for an address");
    await ana.shelf("Unassigned");
    await ana.show("What does a berth cost?");
    await ana.reply("Twelve a night: https://harbour.example/prices");
    await expect(chat.log.getByText("Twelve a night")).toBeVisible();
    if (language) {
      await portal.chats(settings);
      await chat.page.reload();
      await expect(chat.log.getByText("Twelve a night")).toBeVisible();
      await expect(chat.frame.locator("html")).toHaveAttribute("dir", "rtl");
    }
    await accessible(chat.page, "a conversation");
    await ana.act("Close").click();
    await expect(ana.row("Twelve a night")).toHaveCount(0);
    await chat.page.context().setOffline(true);
    await chat.log.page().waitForFunction(() => !navigator.onLine);
    await accessible(chat.page, "closed and without a network");
  });

  test(`the inbox, ${name}`, async ({ portal, people }) => {
    test.setTimeout(300_000);
    const agent = await portal.agent("Ana Ruiz", "ADMIN");
    const ben = await portal.agent("Ben Okoro");
    const stranger = await people.page(context);
    await stranger.goto(people.inbox());
    await expect(stranger.locator("form [type=password]")).toBeVisible();
    await accessible(stranger, "signing in");

    const chat = await people.visitor();
    await chat.open();
    await chat.attach("mast.txt", "text/plain", Buffer.from("It is short."));
    await chat.say("My mast");
    // At a desk and in English, until there is something to see.
    const { viewport: _, locale: __, ...plain } = context;
    const desk = await people.agent(agent, plain);
    const { page } = desk;
    await desk.shelf("Unassigned");
    await desk.show("My mast");
    await desk.act("Tags").click();
    await accessible(page, "no tags to choose from");
    await page.keyboard.type("urgent");
    await page.keyboard.press("Enter");
    await expect(desk.row("My mast").getByText("urgent")).toBeVisible();
    await page.keyboard.press("Escape");
    await desk.note("A regular.");
    await expect(desk.said("A regular.")).toBeVisible();
    await desk.reply("Bring it along.");
    const id = /\/t\/(\d+)/.exec(page.url())?.[1] ?? "";

    await dress(page, { name, ...look });
    await page.goto(people.inbox(`all/open`));
    await expect(desk.row("Bring it along.").or(page.getByText("Bring it along.")).first()).toBeVisible();
    if (language) await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
    await accessible(page, "a list");
    await page.goto(people.inbox(`all/open/t/${id}`));
    await expect(page.getByText("Bring it along.").last()).toBeVisible();
    const editor = page.locator("main [contenteditable=true]");
    await expect(editor).toBeVisible();
    await accessible(page, "a conversation");

    const over = page.locator("[role=dialog], [role=menu]");
    const keys: [string, string][] = [
      ["a", "whom to assign it to"],
      ["s", "until when to snooze it"],
      ["t", "tags"],
      ["v", "where to move it"],
      ["Control+k", "the palette"],
      ["?", "the sheet of keys"],
    ];
    for (const [key, state] of keys) {
      await page.keyboard.press(key);
      await expect(over.first(), state).toBeVisible();
      await accessible(page, state);
      await page.keyboard.press("Escape");
      await expect(over, state).toHaveCount(0);
    }

    await portal.api.put(`/antiphon/v1/threads/${id}/draft`, { senderActorId: `A-${ben.id}`, type: "MESSAGE", text: "Wait" });
    await editor.fill("I was quicker.");
    await editor.press("Control+Enter");
    await expect(over.first()).toBeVisible();
    await accessible(page, "held back");
    await page.keyboard.press("Escape");
    await expect(over).toHaveCount(0);

    const contact = page.locator(".contact-pane");
    if (!(await contact.isVisible())) await page.locator("main header button[aria-pressed]").first().click();
    await expect(contact).toBeVisible();
    await accessible(page, "with the contact");
    await page.goto(people.inbox("mentions"));
    await expect(page.locator("h1")).toBeVisible();
    await accessible(page, "mentions");
    await page.goto(people.inbox("all/spam"));
    await expect(page.locator("h1")).toBeVisible();
    await accessible(page, "nothing to do");

    // Whatever can be set, be it added later.
    await page.goto(people.inbox("settings"));
    await expect(page.locator("main h1, main h2").first()).toBeVisible();
    const pages = await page.locator('a[href^="/inbox/settings"]').evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
    expect(pages.length).toBeGreaterThan(1);
    for (const place of new Set(pages)) {
      await page.goto(people.inbox(place.replace("/inbox/", "")));
      await expect(page.locator("main h1, main h2").first()).toBeVisible();
      await page.waitForLoadState("networkidle");
      await accessible(page, place);
    }
  });
}
