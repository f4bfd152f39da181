// An administrator makes inboxes and puts a chat on a website.
import { accessible } from "../kit/axe.ts";
import { Chat } from "../kit/chat.ts";
import { settings } from "../kit/settings.ts";
import { expect, test } from "../kit/test.ts";

test("an inbox is made, renamed, archived and brought back", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "inboxes");
  const rows = page.getByRole("list", { name: "Inboxes" });
  await expect(rows.getByText("Harbour office")).toBeVisible();

  await page.getByRole("button", { name: "Create inbox" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Repairs");
  await dialog.getByLabel("Kind").selectOption("Help desk");
  await dialog.getByRole("switch").click();
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog).toBeHidden();
  await expect(rows.getByRole("listitem").filter({ hasText: "Repairs" })).toContainText("Help desk");
  // The list of inboxes beside it knows at once.
  await expect(page.getByRole("navigation", { name: "Views and inboxes" }).getByText("Repairs")).toBeVisible();

  await page.getByRole("button", { name: "What to do with Repairs" }).click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  await expect(dialog.getByRole("switch")).toHaveAttribute("aria-checked", "false");
  await dialog.getByLabel("Name").fill("Shipyard");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(rows.getByText("Shipyard")).toBeVisible();

  await page.getByRole("button", { name: "What to do with Shipyard" }).click();
  await page.getByRole("menuitem", { name: "Archive" }).click();
  await expect(dialog).toContainText("Its conversations stay");
  await dialog.getByRole("button", { name: "Archive" }).click();
  const archived = page.getByRole("list", { name: "Archived" });
  await expect(archived.getByText("Shipyard")).toBeVisible();
  await archived.getByRole("button", { name: "Restore" }).click();
  await expect(rows.getByText("Shipyard")).toBeVisible();

  // One that an account feeds is not archived by mistake.
  await page.getByRole("button", { name: "What to do with Harbour office" }).click();
  await page.getByRole("menuitem", { name: "Archive" }).click();
  await expect(dialog).toContainText("Chat still brings conversations into it");
  await dialog.getByRole("button", { name: "To the channel accounts" }).click();
  await expect(page).toHaveURL(/settings\/channels$/);
});

test("a name that cannot be is refused beside its field", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "inboxes");
  await page.getByRole("button", { name: "Create inbox" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("   ");
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await expect(dialog).toBeVisible();
});

test("a chat is connected, set up, and is on a page with the line that was copied", async ({ people, portal, website }) => {
  const admin = await portal.agent("Ada", "ADMIN");
  const page = await settings(people, admin, "channels", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: "Connect account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Shop chat");
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { name: "Shop chat" })).toBeFocused();
  await page.getByRole("button", { name: "Set it up" }).click();

  await page.getByRole("textbox", { name: "Title" }).fill("Ask the shop");
  await page.getByRole("textbox", { name: "Colour", exact: true }).fill("#7a2ba6");
  await page.getByLabel("Greeting").fill("Ahoy! What can we do for you?");
  await page.getByLabel("Answers to choose from").fill("A berth\nA repair");
  await page.getByLabel("Pages").fill("/page-*");
  const preview = page.getByRole("figure");
  await expect(preview).toContainText("Ask the shop");
  await expect(preview.getByRole("listitem")).toHaveText(["A berth", "A repair"]);
  await page.getByLabel("Domains").fill("not a host");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByLabel("Domains")).toBeFocused();
  await expect(page.getByText("`not a host` is no host")).toBeVisible();
  await page.getByLabel("Domains").fill("localhost");
  await page.getByRole("switch", { name: "Somebody is always there" }).click();
  await expect(page.getByLabel("Monday, from")).toHaveValue("09:00");
  await page.getByRole("button", { name: "More hours on Monday" }).click();
  await page.getByLabel("Monday, until").last().fill("00:00");
  await page.getByRole("checkbox", { name: "Friday" }).uncheck();
  await page.getByLabel("When nobody is there").last().fill("We are at sea.");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Pages show it from their next visit")).toBeVisible();

  // It is kept, to the last hour.
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Title" })).toHaveValue("Ask the shop");
  await expect(page.getByLabel("Monday, until").last()).toHaveValue("00:00");
  await expect(page.getByRole("checkbox", { name: "Friday" })).not.toBeChecked();

  // The chat that the portal of a test has anyway is off, so that it can only be the new one.
  await portal.api.call("DELETE", `/antiphon/v1/channel-accounts/${portal.chat}/chat`);
  await page.getByRole("button", { name: /^Copy/ }).click();
  const tag = await page.evaluate(() => navigator.clipboard.readText());
  expect(tag).toContain(`/${portal.id}.js`);
  const visitor = new Chat(await people.page());
  await visitor.page.goto(website.with(tag));
  await visitor.open();
  await expect(visitor.frame.getByRole("heading", { name: "Ask the shop" })).toBeVisible();
  await expect(visitor.log.getByText("Ahoy! What can we do for you?")).toBeVisible();
});

for (const scheme of ["light", "dark"] as const) {
  test(`nothing keeps anybody out, ${scheme}`, async ({ people, portal }) => {
    const admin = await portal.agent("Ada", "ADMIN");
    const page = await settings(people, admin, "inboxes", { colorScheme: scheme });
    await expect(page.getByText("Harbour office").last()).toBeVisible();
    await accessible(page, "inboxes");
    await page.getByRole("button", { name: "Create inbox" }).click();
    await accessible(page, "an inbox's dialog");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Channel accounts" }).click();
    await page.getByRole("link", { name: "Chat", exact: true }).click();
    await page.getByRole("switch", { name: "Somebody is always there" }).click();
    await expect(page.getByLabel("Monday, from")).toBeVisible();
    await accessible(page, "a chat");
  });
}

test("a telephone has room for it, from right to left too", async ({ people, portal }) => {
  const admin = await portal.agent("Ada", "ADMIN");
  const page = await settings(people, admin, `channels/${portal.chat}`, { viewport: { width: 360, height: 740 } });
  for (const language of ["en", "ar"]) {
    await page.evaluate((language) => localStorage.setItem("antiphon.inbox.settings", JSON.stringify({ language })), language);
    await page.reload();
    await expect(page.getByRole("textbox").first()).toBeVisible();
    await page.getByRole("switch").last().click();
    const [wide, room] = await page.evaluate(() => {
      const shown = document.querySelector(".page");
      return [shown?.scrollWidth ?? 0, shown?.clientWidth ?? 0];
    });
    expect(wide, language).toBeLessThanOrEqual(room);
  }
});
