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

test("a portal in which nothing is set up says what comes first", async ({ people, portal }) => {
  await portal.api.call("DELETE", `/antiphon/v1/channel-accounts/${portal.chat}`);
  await portal.api.call("DELETE", `/antiphon/v1/inboxes/${portal.inbox}`);
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "channels");
  await expect(page.getByRole("button", { name: "Connect account" })).toBeDisabled();
  await page.getByRole("button", { name: "To the inboxes" }).click();
  await expect(page.getByRole("heading", { name: "Inboxes" }).last()).toBeVisible();
  await expect(page.getByText("There is no inbox yet", { exact: true })).toBeVisible();
  await page.goto(people.inbox("all/mine"));
  await page.getByRole("link", { name: "There is no inbox yet. Make one in the settings." }).click();
  await page.getByRole("button", { name: "Create inbox" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Harbour master");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("list", { name: "Inboxes" }).getByText("Harbour master")).toBeVisible();
  await page.getByRole("link", { name: "Channel accounts" }).click();
  await expect(page.getByText("No channel is connected yet")).toBeVisible();
  await expect(page.getByRole("button", { name: "Connect account" })).toBeEnabled();
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

test("an address is connected once, switched off, archived and brought back", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "channels");
  const dialog = page.getByRole("dialog");
  const connect = async (name: string) => {
    await page.getByRole("button", { name: "Connect account" }).click();
    await dialog.getByRole("combobox", { name: "Channel" }).selectOption("Email");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByRole("textbox", { name: "Email" }).fill("office@harbour.example");
    await dialog.getByRole("button", { name: "Create" }).click();
  };
  await connect("Office mail");
  await expect(page.getByRole("heading", { name: "Office mail" })).toBeFocused();
  await expect(page.getByText("office@harbour.example")).toBeVisible();

  await page.getByRole("button", { name: "Change" }).click();
  await dialog.getByRole("switch", { name: "Switched on" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Off", { exact: true })).toBeVisible();

  await page.getByRole("link", { name: "Channel accounts" }).first().click();
  await connect("Twin");
  await expect(dialog.getByRole("textbox", { name: "Email" })).toHaveAttribute("aria-invalid", "true");
  await expect(dialog).toContainText("has the same address already");
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("link", { name: "Office mail" }).click();
  await page.getByRole("button", { name: "Archive" }).click();
  await dialog.getByRole("button", { name: "Archive" }).click();
  const archived = page.getByRole("list", { name: "Archived" });
  await expect(archived.getByText("Office mail")).toBeVisible();
  // One of ours is never removed for good.
  await expect(archived.getByRole("button")).toHaveCount(1);
  await archived.getByRole("button", { name: "Restore" }).click();
  await expect(page.getByRole("list", { name: "Harbour office" }).getByText("Office mail")).toBeVisible();
});

test("an account of a channel that an app brought is connected on the app's page, and removed for good", async ({ people, portal, website }) => {
  const relay = website.with("<p>Relay asks who you are.</p>");
  const channels = "/conversations/v3/custom-channels";
  const channel = await portal.api.post(channels, { name: "Relay", capabilities: {}, channelAccountConnectionRedirectUrl: relay });
  await portal.api.post(`${channels}/${String(channel["id"])}/channel-accounts`, { name: "Old relay", inboxId: portal.inbox });

  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "channels");
  const dialog = page.getByRole("dialog");
  await page.getByRole("link", { name: "Old relay" }).click();
  await page.getByRole("button", { name: "Archive" }).click();
  await dialog.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("button", { name: "What to do with Old relay" }).click();
  await page.getByRole("menuitem", { name: "Remove for good" }).click();
  await expect(dialog).toContainText("cannot be undone");
  await dialog.getByRole("button", { name: "Remove for good" }).click();
  await expect(page.getByText("Old relay is removed.")).toBeVisible();
  await expect(page.getByRole("list", { name: "Archived" })).toBeHidden();

  await page.getByRole("button", { name: "Connect account" }).click();
  await dialog.getByRole("combobox", { name: "Channel" }).selectOption("Relay");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(/accountToken=/);
  await expect(page.getByText("Relay asks who you are.")).toBeVisible();
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
