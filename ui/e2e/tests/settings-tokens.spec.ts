// An administrator gives programs what they call the API with.
import { accessible } from "../kit/axe.ts";
import { Api } from "../kit/portal.ts";
import { settings } from "../kit/settings.ts";
import { expect, test } from "../kit/test.ts";

test("a token is made, opens what it says, is replaced and revoked", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "tokens", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: "Create token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Exporter");
  await dialog.getByRole("combobox", { name: "Ends" }).selectOption({ label: "In 30 days" });
  await dialog.getByRole("checkbox", { name: "Answer and change conversations" }).uncheck();
  await dialog.getByRole("button", { name: "Create" }).click();

  await expect(dialog).toContainText("This is shown only now");
  // A click beside it does not lose what is shown once.
  await page.mouse.click(5, 400);
  await expect(dialog).toBeVisible();
  await dialog.getByRole("button", { name: "Copy: Token" }).click();
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  await expect(dialog.getByLabel("Token", { exact: true })).toHaveValue(secret);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.locator("body")).not.toContainText(secret);

  const api = new Api(portal.api.url, secret);
  const threads = "/conversations/v3/conversations/threads";
  expect(await api.get(threads)).toHaveProperty("results");
  await expect(api.post("/antiphon/v1/inboxes", { name: "No" })).rejects.toThrow(/403/);

  const row = page.getByRole("list", { name: "Tokens" }).getByRole("listitem").filter({ hasText: "Exporter" });
  await expect(row).toContainText("conversations.read");
  await expect(row).not.toContainText("conversations.write");
  await row.getByRole("button").click();
  await page.getByRole("menuitem", { name: "Replace" }).click();
  await dialog.getByRole("button", { name: "Replace" }).click();
  await expect(dialog.getByLabel("Token", { exact: true })).not.toHaveValue(secret);
  const fresh = new Api(portal.api.url, await dialog.getByLabel("Token", { exact: true }).inputValue());
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  // Both work, until the old one has ended.
  await api.get(threads);
  await fresh.get(threads);
  await expect(row).toHaveCount(2);
  await expect(row.filter({ hasText: "Ends soon" })).toHaveCount(1);

  const old = row.filter({ hasText: "Ends soon" });
  await old.getByRole("button").click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await expect(row.filter({ hasText: "Revoked" })).toHaveCount(1);
  await expect(api.get(threads)).rejects.toThrow(/401/);
  await fresh.get(threads);
});

test("what is wrong with a token stands beside it", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "tokens");
  await page.getByRole("button", { name: "Create token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("   ");
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
});

test("the palette goes there, for those who may see it", async ({ people, portal }) => {
  for (const role of ["ADMIN", "AGENT"] as const) {
    const page = await settings(people, await portal.agent(role === "ADMIN" ? "Ada" : "Ben", role), "");
    await page.keyboard.press("Control+k");
    const found = page.getByRole("dialog").getByText("Tokens", { exact: true });
    await page.getByRole("dialog").getByRole("combobox").fill("Tokens");
    if (role === "ADMIN") {
      await expect(found).toBeVisible();
      await page.keyboard.press("Enter");
      await expect(page.getByRole("heading", { name: "Tokens" })).toBeVisible();
    } else {
      await expect(found).toBeHidden();
      await page.goto(people.inbox("settings/tokens"));
      await expect(page.getByText("There is no such page")).toBeVisible();
    }
  }
});

for (const scheme of ["light", "dark"] as const) {
  test(`nothing about tokens keeps anybody out, ${scheme}`, async ({ people, portal }) => {
    const page = await settings(people, await portal.agent("Ada", "ADMIN"), "tokens", { colorScheme: scheme });
    await expect(page.getByText("Tests", { exact: true })).toBeVisible();
    await accessible(page, "tokens");
    await page.getByRole("button", { name: "Create token" }).click();
    await accessible(page, "a token's dialog");
  });
}
