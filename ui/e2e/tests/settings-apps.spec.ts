// An administrator makes an app and has it told of what happens.
import type { Page } from "@playwright/test";
import { accessible } from "../kit/axe.ts";
import type { Portal } from "../kit/portal.ts";
import { Receiver } from "../kit/receiver.ts";
import { settings } from "../kit/settings.ts";
import { expect, test as base } from "../kit/test.ts";

const test = base.extend<{ receiver: Receiver }>({
  receiver: async ({}, use) => {
    const receiver = await Receiver.open();
    await use(receiver);
    await receiver.close();
  },
});

/** A conversation begins. */
async function begin(portal: Portal, who: string): Promise<void> {
  const sender = { identifier: { type: "CHANNEL_SPECIFIC_OPAQUE_ID", value: who } };
  await portal.api.post("/antiphon/v1/messages/incoming", { channelAccountId: portal.chat, sender, text: "Is berth 12 free?" });
}

/** A fresh app's page. */
async function fresh(page: Page): Promise<{ secret: string }> {
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Create app" }).click();
  await dialog.getByLabel("Name").fill("Exporter");
  await dialog.getByRole("button", { name: "Create" }).click();
  const secret = await dialog.getByLabel("Client secret", { exact: true }).inputValue();
  await expect(dialog.getByLabel("Developer key", { exact: true })).not.toHaveValue("");
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByRole("heading", { name: "Exporter" })).toBeFocused();
  return { secret };
}

test("an app's secrets are replaced, users may let it in, and it is suspended", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "apps");
  const { secret } = await fresh(page);
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Replace: Client secret" }).click();
  await dialog.getByRole("button", { name: "Replace", exact: true }).click();
  await expect(dialog.getByLabel("Client secret", { exact: true })).not.toHaveValue(secret);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText("The one before works until")).toBeVisible();

  const form = page.getByLabel("Redirect URLs");
  await form.fill("not a url");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(form).toHaveAttribute("aria-invalid", "true");
  await form.fill("https://exporter.example/back");
  await page.getByRole("checkbox", { name: "Read conversations" }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const link = page.getByLabel("Install link", { exact: true });
  await expect(link).toHaveValue(/redirect_uri=https%3A%2F%2Fexporter.example%2Fback/);
  // Whoever follows it is asked.
  const other = await page.context().newPage();
  await other.goto(await link.inputValue());
  await expect(other.getByText("Exporter").first()).toBeVisible();
  await other.close();

  await page.getByRole("button", { name: "Install", exact: true }).click();
  await dialog.getByRole("button", { name: "Install", exact: true }).click();
  const token = await dialog.getByLabel("Access token", { exact: true }).inputValue();
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  const threads = () => fetch(`${portal.api.url}/conversations/v3/conversations/threads`, { headers: { authorization: `Bearer ${token}` } });
  expect((await threads()).status).toBe(200);
  await page.getByRole("button", { name: "Uninstall" }).click();
  await dialog.getByRole("button", { name: "Uninstall" }).click();
  await expect(page.getByText("Exporter is uninstalled.")).toBeVisible();
  expect((await threads()).status).toBe(403);

  await page.getByRole("button", { name: "Suspend" }).click();
  await dialog.getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText("This app is suspended")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("Suspend this app")).toBeVisible();
});

test("an app is told, what it did not take is in the log and is sent again", async ({ people, portal, receiver }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "apps");
  await fresh(page);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  const dialog = page.getByRole("dialog");

  const target = page.getByLabel("Target URL");
  await target.fill("ftp://nowhere.example");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(target).toHaveAttribute("aria-invalid", "true");
  await target.fill(receiver.url);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The target is saved.")).toBeVisible();
  await expect(page.getByText("No subscription is on")).toBeVisible();

  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByText("so be it")).toBeVisible();
  expect(receiver.received).toHaveLength(1);

  await page.getByRole("button", { name: "Add subscription" }).click();
  await dialog.getByRole("combobox", { name: "Event" }).selectOption("A new conversation");
  await dialog.getByRole("checkbox", { name: "The conversation" }).check();
  await accessible(page, "a subscription's dialog");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("switch", { name: "A new conversation" })).toHaveAttribute("aria-checked", "true");
  await expect(page.getByText("Running")).toBeVisible();

  await begin(portal, "omar");
  await expect.poll(() => receiver.received.length).toBe(2);
  const log = page.getByRole("list", { name: "Delivery log" }).getByRole("listitem");
  await refreshed(page, async () => expect(await log.count()).toBe(1));
  await expect(log.first()).toContainText("200");
  await log.first().getByRole("button").click();
  await expect(dialog).toContainText("so be it");
  await expect(dialog).toContainText('"kind": "conversation.creation"');
  await accessible(page, "a request");
  await dialog.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByText("1 event is sent again.")).toBeVisible();
  await expect.poll(() => receiver.received.length).toBe(3);
  // It is the same event, told once more.
  const [first, second] = receiver.received.slice(1).map(({ body }) => JSON.parse(body)[0]);
  expect(second.eventId).toBe(first.eventId);
  expect(second.attemptNumber).toBeGreaterThan(first.attemptNumber);

  // One that is not taken, and a look at only those.
  receiver.status = 503;
  await begin(portal, "lena");
  await expect.poll(() => receiver.received.length).toBeGreaterThanOrEqual(4);
  await page.getByRole("combobox", { name: "Show" }).selectOption("Not taken");
  await refreshed(page, async () => expect(await log.filter({ hasText: "503" }).count()).toBeGreaterThan(0));
  await expect(log.filter({ hasText: "200" })).toHaveCount(0);
  receiver.status = 200;
  await page.getByRole("button", { name: "Send all failed ones again" }).click();
  await dialog.getByRole("button", { name: "Send again" }).click();
  await page.getByRole("combobox", { name: "Show" }).selectOption("Taken");
  await refreshed(page, async () => expect(await log.count()).toBe(3));

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("Somebody has paused it")).toBeVisible();
  const before = receiver.received.length;
  await begin(portal, "ineke");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => receiver.received.length).toBe(before + 1);

  await page.getByRole("switch", { name: "A new conversation" }).click();
  await expect(page.getByText("No subscription is on")).toBeVisible();
  await page.getByRole("button", { name: "Delete subscription" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("It is told of nothing yet")).toBeVisible();
  await page.getByRole("button", { name: "Take away" }).click();
  await dialog.getByRole("button", { name: "Take away" }).click();
  await expect(page.getByText("The webhook is gone.")).toBeVisible();
});

/** Looks again until the log has what was written a moment ago. */
async function refreshed(page: Page, holds: () => Promise<void>): Promise<void> {
  await expect(async () => {
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.waitForTimeout(150);
    await holds();
  }).toPass({ timeout: 15_000 });
}

for (const scheme of ["light", "dark"] as const) {
  test(`nothing about apps keeps anybody out, ${scheme}`, async ({ people, portal, receiver }) => {
    const page = await settings(people, await portal.agent("Ada", "ADMIN"), "apps", { colorScheme: scheme });
    await expect(page.getByRole("link", { name: "Tests" })).toBeVisible();
    await accessible(page, "apps");
    await page.getByRole("link", { name: "Tests" }).click();
    await expect(page.getByLabel("Redirect URLs")).toBeVisible();
    await accessible(page, "an app");
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await page.getByLabel("Target URL").fill(receiver.url);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Send a test" }).click();
    await expect(page.getByText("so be it")).toBeVisible();
    await accessible(page, "a webhook");
  });
}

test("an app's pages fit a telephone, from right to left too", async ({ people, portal, receiver }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "apps", { viewport: { width: 360, height: 740 } });
  await page.getByRole("link", { name: "Tests" }).click();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByLabel("Target URL").fill(`${receiver.url}/${"long".repeat(40)}`);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByText("so be it")).toBeVisible();
  for (const language of ["en", "ar"]) {
    await page.evaluate((language) => localStorage.setItem("antiphon.inbox.settings", JSON.stringify({ language })), language);
    await page.reload();
    await expect(page.locator('input[inputmode="url"]')).toBeVisible();
    const [wide, room] = await page.evaluate(() => {
      const shown = document.querySelector(".page");
      return [shown?.scrollWidth ?? 0, shown?.clientWidth ?? 0];
    });
    expect(wide, language).toBeLessThanOrEqual(room);
  }
});
