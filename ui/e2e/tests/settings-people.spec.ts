// Administrators see to their people and to what those work with.
import { accessible } from "../kit/axe.ts";
import { Desk } from "../kit/desk.ts";
import { settings } from "../kit/settings.ts";
import { expect, test } from "../kit/test.ts";

test("agents get another role, are deactivated and come back, and the log tells it", async ({ people, portal }) => {
  const tom = await portal.agent("Tom", "AGENT");
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "agents");
  const rows = page.getByRole("list", { name: "Agents" });
  const row = (name: string) => rows.getByRole("listitem").filter({ hasText: name });
  await expect(row("Ada")).toContainText("Administrator");
  await expect(row("Ada")).toContainText("You");
  const act = async (name: string, what: string) => {
    await page.getByRole("button", { name: `What to do with ${name}` }).click();
    await page.getByRole("menuitem", { name: what }).click();
  };
  const dialog = page.getByRole("dialog");

  await act("Ada", "Change role");
  await dialog.getByLabel("Role").selectOption("Agent");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("last administrator");
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await act("Tom", "Change role");
  await dialog.getByLabel("Role").selectOption("Read only");
  await expect(dialog).toContainText("and changes nothing");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row("Tom")).toContainText("Read only");

  const desk = await people.agent(tom);
  await act("Tom", "Deactivate");
  await expect(dialog).toContainText("What they wrote stays");
  await dialog.getByRole("button", { name: "Deactivate" }).click();
  await expect(row("Tom")).toContainText("Deactivated");
  await desk.page.reload();
  await expect(desk.page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await act("Tom", "Activate");
  await expect(row("Tom")).not.toContainText("Deactivated");

  await act("Tom", "Set a password");
  await dialog.getByLabel("New password").fill("an ebb and a flow");
  await dialog.getByLabel("Role").selectOption("Agent");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row("Tom")).toContainText("Agent");
  await people.agent({ ...tom, password: "an ebb and a flow" });

  // All of it is in the log, in sentences.
  await page.getByRole("link", { name: "Audit log" }).click();
  const log = page.getByRole("list", { name: "Audit log" });
  const changed = log.getByRole("listitem").filter({ hasText: "Ada changed how Tom signs in" });
  await expect(changed.first()).toBeVisible();
  await changed.last().getByText("What changed").click();
  await expect(changed.last().getByRole("row", { name: /role/ })).toContainText("READ_ONLY");
  await page.getByLabel("Who").selectOption("Tom");
  await expect(log.getByRole("listitem").filter({ hasText: "Tom signed in" }).first()).toBeVisible();
  await expect(log).not.toContainText("Ada");
  await page.getByLabel("What", { exact: true }).selectOption({ label: "Created the inbox “…”" });
  await expect(page.getByText("Nothing is noted")).toBeVisible();
});

test("a picture is chosen, and colleagues see it", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Tom", "AGENT"), "account");
  const png = await page.screenshot({ clip: { x: 0, y: 0, width: 300, height: 200 } });
  await page.locator('input[type="file"]').setInputFiles({ name: "me.txt", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await expect(page.getByRole("alert")).toContainText("no picture that the browser can read");
  await page.locator('input[type="file"]').setInputFiles({ name: "me.png", mimeType: "image/png", buffer: png });
  await expect(page.getByText("Saved.")).toBeVisible();
  const shown = page.locator(".page .avatar img");
  await expect(shown).toHaveJSProperty("naturalWidth", 192);
  await page.getByLabel("Your name").fill("Tom Teal");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const other = await settings(people, await portal.agent("Ada", "ADMIN"), "agents");
  const row = other.getByRole("list", { name: "Agents" }).getByRole("listitem").filter({ hasText: "Tom Teal" });
  await expect(row.locator("img")).toHaveJSProperty("complete", true);
  await page.getByRole("button", { name: "Remove picture" }).click();
  await expect(shown).toHaveCount(0);
});

test("a canned reply is written with places to be filled in, and used", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Tom", "AGENT"), "canned");
  await expect(page.getByText("No canned replies yet")).toBeVisible();
  await page.getByRole("button", { name: "New canned reply" }).click();
  await page.getByLabel("Name").fill("Opening hours");
  await page.getByLabel("Shortcut").fill("/hours");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Please fill this in.")).toBeVisible();
  const text = page.getByRole("textbox", { name: "Text" });
  await text.pressSequentially("We are open till six. ");
  await page.getByRole("button", { name: "{{agent.name}}" }).click();
  await page.getByRole("switch", { name: "For the whole team" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const row = page.getByRole("listitem").filter({ hasText: "Opening hours" });
  await expect(row).toContainText("/hours");
  await expect(row).toContainText("Team");

  const visitor = await people.visitor();
  await visitor.open();
  await visitor.say("How long are you open?");
  const desk = new Desk(page);
  await desk.shelf("Unassigned");
  await desk.show("How long are you open?");
  await desk.choose("Reply");
  await desk.editor.pressSequentially("/hours");
  await page.keyboard.press("Enter");
  await expect(desk.editor).toContainText("We are open till six. Tom");

  // A colleague reads it and leaves it as it is; whoever made it takes it away.
  const colleague = await settings(people, await portal.agent("Eve", "AGENT"), "canned");
  await expect(colleague.getByText("Opening hours")).toBeVisible();
  await expect(colleague.getByRole("link", { name: "Opening hours" })).toHaveCount(0);
  await page.goto(people.inbox("settings/canned"));
  await page.getByRole("link", { name: "Opening hours" }).click();
  await expect(text).toContainText("We are open till six. {{agent.name}}");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No canned replies yet")).toBeVisible();
});

test("tags are made, recoloured, archived and restored; views are saved and deleted", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Tom", "AGENT"), "tags");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "New tag" }).click();
  await dialog.getByLabel("Name").fill("Repairs");
  await dialog.getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("list", { name: "Tags" }).getByRole("listitem").filter({ hasText: "Repairs" });
  const act = async (what: string) => {
    await page.getByRole("button", { name: "What to do with Repairs" }).click();
    await page.getByRole("menuitem", { name: what }).click();
  };
  await act("Change");
  await dialog.getByLabel("Colour").selectOption("Teal");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row.locator('[data-color="teal"]')).toBeVisible();
  await act("Archive");
  await expect(row).toContainText("Archived");
  await act("Restore");
  await expect(row).not.toContainText("Archived");
  await page.getByRole("button", { name: "New tag" }).click();
  await dialog.getByLabel("Name").fill("Repairs");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("link", { name: "Saved views" }).click();
  await page.locator(".page").getByRole("button", { name: "Save a view" }).click();
  await dialog.getByLabel("Name").fill("Berths");
  await dialog.getByLabel("Tag").selectOption("Repairs");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("list", { name: "Saved views" })).toContainText("Open · Repairs");
  await page.getByRole("button", { name: "What to do with Berths" }).click();
  await page.getByRole("menuitem", { name: "Delete this view" }).click();
  await dialog.getByRole("button", { name: "Delete this view" }).click();
  await expect(page.getByText("No saved views yet")).toBeVisible();
});

test("the portal is renamed, and everybody reads it", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "general");
  await page.getByLabel("Name of your company or team").fill("Quayside");
  await page.getByLabel("Time zone").selectOption("Europe/Lisbon");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveTitle(/Quayside/);
  const tom = await people.agent(await portal.agent("Tom", "AGENT"));
  await expect(tom.page).toHaveTitle(/Quayside/);
  await page.reload();
  await expect(page.getByLabel("Time zone")).toHaveValue("Europe/Lisbon");
});

const PLACES = ["account", "general", "agents", "audit", "canned", "canned/new", "tags", "views"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`these pages keep nobody out, ${colorScheme}`, async ({ people, portal }) => {
    test.slow();
    await portal.agent("Tom", "AGENT");
    await portal.api.post("/antiphon/v1/invitations", { name: "Eve", email: `eve@axe-${portal.id}.example` });
    await portal.api.post("/antiphon/v1/tags", { name: "Repairs", color: "TEAL" });
    const page = await settings(people, await portal.agent("Ada", "ADMIN"), "account", { colorScheme });
    for (const place of PLACES) {
      await page.goto(people.inbox(`settings/${place}`));
      await expect(page.locator(".page").getByRole("heading", { level: 2 })).toBeVisible();
      await page.waitForLoadState("networkidle");
      await accessible(page, place);
    }
    await page.goto(people.inbox("settings/audit"));
    await page.getByText("What changed").first().click();
    await accessible(page, "what changed");
    await page.goto(people.inbox("settings/agents"));
    await page.getByRole("button", { name: "Invite an agent" }).click();
    await accessible(page, "an invitation's form");
    await page.goto(people.inbox("settings/account"));
    await page.getByRole("button", { name: "Set up two-step sign-in" }).click();
    await expect(page.getByRole("dialog").getByRole("img")).toBeVisible();
    await accessible(page, "an authenticator");
  });
}

test("a telephone has room for these pages, from right to left too", async ({ people, portal }) => {
  test.slow();
  await portal.api.post("/antiphon/v1/invitations", { name: "Eve", email: `somebody.with.a.very.long.address@of-a-very-long-name-${portal.id}.example` });
  await portal.api.post("/antiphon/v1/canned-replies", { name: "Hours", text: "We are open till six.", shortcut: "hours", shared: true });
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "account", { viewport: { width: 360, height: 740 } });
  for (const language of ["en", "de", "ar"]) {
    await page.evaluate((language) => localStorage.setItem("antiphon.inbox.settings", JSON.stringify({ language })), language);
    for (const place of PLACES) {
      await page.goto(people.inbox(`settings/${place}`));
      await expect(page.locator(".page").getByRole("heading", { level: 2 })).toBeVisible();
      await page.waitForLoadState("networkidle");
      const [wide, room] = await page.evaluate(() => {
        const shown = document.querySelector(".page");
        return [shown?.scrollWidth ?? 0, shown?.clientWidth ?? 0];
      });
      expect(wide, `${place} in ${language}`).toBeLessThanOrEqual(room);
    }
  }
});
