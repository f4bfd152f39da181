// How people come to sign in: the first run, invitations, passwords, authenticators, and what each role may do.
import { accessible } from "../kit/axe.ts";
import { Desk, enter } from "../kit/desk.ts";
import { Server } from "../kit/server.ts";
import { settings } from "../kit/settings.ts";
import { expect, test } from "../kit/test.ts";
import { code } from "../kit/totp.ts";

test("an empty server is set up by the link that it prints, once", async ({ browser }) => {
  const server = await Server.start("embedded");
  try {
    const link = String(server.desk.told["setup"]);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.desk.url}/inbox/`);
    await expect(page.getByText("Nobody can sign in yet")).toBeVisible();
    await page.goto(link);
    // The secret is in no address and in no history.
    expect(page.url()).toBe(`${server.desk.url}/inbox/setup`);
    await accessible(page, "set-up");
    await page.getByLabel("Name of your company or team").fill("Harbour Ltd");
    await page.getByLabel("Your name").fill("Ada Lark");
    await page.getByLabel("Email address").fill("ada@harbour.example");
    await page.getByLabel("Password").fill("tide and time");
    await page.getByRole("button", { name: "Set up" }).click();
    const desk = new Desk(page);
    await expect(desk.views).toBeVisible();
    await expect(desk.views).toContainText("Make one in the settings");
    await expect(page).toHaveTitle(/Harbour Ltd/);

    // Whoever has the link later makes nobody an administrator.
    const late = await context.newPage();
    await late.goto(link);
    await late.getByLabel("Your name").fill("Mallory");
    await late.getByLabel("Email address").fill("mallory@harbour.example");
    await late.getByLabel("Password").fill("tide and time");
    await late.getByRole("button", { name: "Set up" }).click();
    await expect(late.getByRole("alert")).toContainText("used already or has expired");
    await context.close();
  } finally {
    await server.close();
  }
});

test("whoever is invited chooses a password in a browser of their own, and answers", { tag: "@nodes" }, async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "agents", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: "Invite an agent" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Tom Teal");
  await dialog.getByLabel("Email address").fill("no address");
  await dialog.getByLabel("Email address").evaluate((field: HTMLInputElement) => (field.type = "text"));
  await dialog.getByRole("button", { name: "Make the link" }).click();
  await expect(dialog.getByLabel("Email address")).toHaveAttribute("aria-invalid", "true");
  const email = `tom@invited-${portal.id}.example`;
  await dialog.getByLabel("Email address").fill(email);
  await dialog.getByRole("button", { name: "Make the link" }).click();
  await expect(dialog).toContainText("Good until");
  await dialog.getByRole("button", { name: "Copy: Link" }).click();
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByRole("list", { name: "Open invitations" })).toContainText("Tom Teal");
  // It is told this once.
  expect(await page.content()).not.toContain(link.split("#token=")[1]);

  const other = await people.page();
  await other.goto(link);
  await accessible(other, "an invitation");
  await other.getByLabel("Password").fill("tide and time");
  await other.getByRole("button", { name: "Join" }).click();
  const desk = new Desk(other);
  await expect(desk.views).toBeVisible();
  const visitor = await people.visitor();
  await visitor.open();
  await visitor.say("Is there a berth?");
  await desk.shelf("Unassigned");
  await desk.show("Is there a berth?");
  await desk.reply("There is.");
  await expect(visitor.said("There is.")).toBeVisible();

  // The link is nothing any more, and the administrator sees it.
  const again = await people.page();
  await again.goto(link);
  await again.getByLabel("Password").fill("another tide");
  await again.getByRole("button", { name: "Join" }).click();
  await expect(again.getByRole("alert")).toContainText("Ask for a new one");
  await page.reload();
  await expect(page.getByRole("listitem").filter({ hasText: "Tom Teal" })).toContainText("Signs in with a password");
  await expect(page.getByRole("list", { name: "Open invitations" })).toBeHidden();
});

test("an invitation that is revoked lets nobody in", async ({ people, portal }) => {
  const page = await settings(people, await portal.agent("Ada", "ADMIN"), "agents");
  const made = await portal.api.post("/antiphon/v1/invitations", { name: "Eve", email: `eve@revoked-${portal.id}.example` });
  await page.reload();
  const open = page.getByRole("list", { name: "Open invitations" });
  await open.getByRole("button", { name: "What to do with Eve" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(open).toBeHidden();
  const other = await people.page();
  await other.goto(String(made["url"]));
  await other.getByLabel("Password").fill("tide and time");
  await other.getByRole("button", { name: "Join" }).click();
  await expect(other.getByRole("alert")).toContainText("Ask for a new one");
});

test("with an authenticator, a code is asked for; a recovery code does instead, once", async ({ people, portal }) => {
  const tom = await portal.agent("Tom", "AGENT");
  const page = await settings(people, tom, "account");
  await page.getByRole("button", { name: "Set up two-step sign-in" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("img", { name: "QR code for your authenticator app" })).toBeVisible();
  await expect(dialog.getByLabel("Code", { exact: true })).toBeFocused();
  const secret = await dialog.getByRole("textbox", { name: "Or type this key" }).inputValue();
  await dialog.getByLabel("Code", { exact: true }).fill("123 45");
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await expect(dialog).toContainText(/is not right/);
  await dialog.getByLabel("Code", { exact: true }).fill(code(secret));
  await dialog.getByRole("button", { name: "Turn on" }).click();
  const kept = dialog.getByRole("textbox", { name: "Recovery codes" });
  await expect(kept).toBeVisible();
  const recovery = (await kept.inputValue()).split("\n");
  expect(recovery).toHaveLength(10);
  const saved = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download" }).click();
  expect((await saved).suggestedFilename()).toBe("recovery-codes.txt");
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText("10 recovery codes are left.")).toBeVisible();

  const other = await people.page();
  await other.goto(people.inbox());
  await enter(other, tom);
  await expect(other.getByLabel("Code")).toBeFocused();
  await other.getByLabel("Code").fill("000000");
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(other.getByRole("alert")).toContainText(/is not right/);
  // The one of now was used to turn it on, and is good once.
  await other.getByLabel("Code").fill(code(secret, 1));
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(new Desk(other).views).toBeVisible();

  const lost = await people.page();
  await lost.goto(people.inbox("settings/account"));
  await enter(lost, tom);
  await lost.getByLabel("Code").fill(recovery[0] ?? "");
  await lost.getByRole("button", { name: "Sign in" }).click();
  await expect(lost.getByText("9 recovery codes are left.")).toBeVisible();
  const twice = await people.page();
  await twice.goto(people.inbox());
  await enter(twice, tom);
  await twice.getByLabel("Code").fill(recovery[0] ?? "");
  await twice.getByRole("button", { name: "Sign in" }).click();
  await expect(twice.getByRole("alert")).toContainText(/is not right/);

  // It ends with the password, and by an administrator for whoever has lost everything.
  await lost.getByRole("button", { name: "Turn off" }).click();
  const ending = lost.getByRole("dialog");
  await ending.getByLabel("Password").fill("not the password");
  await ending.getByRole("button", { name: "Turn off" }).click();
  await expect(ending).toContainText("That is not your current password");
  await ending.getByLabel("Password").fill(tom.password);
  await ending.getByRole("button", { name: "Turn off" }).click();
  await expect(lost.getByRole("button", { name: "Set up two-step sign-in" })).toBeVisible();
});

test("a password that is tried in vain is tried ever more seldom, the right one too", async ({ people, portal }) => {
  const tom = await portal.agent("Tom");
  const page = await people.page();
  await page.goto(people.inbox());
  for (let trial = 0; trial < 5; trial += 1) {
    const answer = await enter(page, { ...tom, password: `wrong ${trial}` });
    expect(answer.status()).toBe(401);
    await expect(page.getByRole("alert")).toContainText("The address or the password is not right");
  }
  await enter(page, tom);
  await expect(page.getByRole("alert")).toContainText("That was a lot at once");
  await expect(new Desk(page).views).toBeHidden();
});

test("another password ends every other browser; signing out ends this one", { tag: "@nodes" }, async ({ people, portal }) => {
  const tom = await portal.agent("Tom", "AGENT");
  const page = await settings(people, tom, "account");
  const phone = await people.agent(tom);
  const rows = page.getByRole("list", { name: "Where you are signed in" });
  await page.reload();
  await expect(rows.getByRole("listitem")).toHaveCount(2);
  await rows.getByRole("button", { name: /^Sign out there/ }).click();
  await expect(rows.getByRole("listitem")).toHaveCount(1);
  await phone.page.reload();
  await expect(phone.page.getByRole("button", { name: "Sign in" })).toBeVisible();

  const tablet = await people.agent(tom);
  await page.getByRole("button", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Current password").fill("not this one");
  await dialog.getByLabel("New password").fill("an ebb and a flow");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toContainText("That is not your current password");
  await dialog.getByLabel("Current password").fill(tom.password);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await tablet.page.reload();
  await expect(tablet.page.getByRole("button", { name: "Sign in" })).toBeVisible();

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await page.reload();
  await enter(page, { ...tom, password: "an ebb and a flow" });
  await expect(page.getByRole("heading", { name: "Account" })).toBeVisible();
});

test("whoever may only read sees no pages of administrators, and writes nothing", async ({ people, portal }) => {
  const visitor = await people.visitor();
  await visitor.open();
  await visitor.say("Is there a berth?");
  const page = await settings(people, await portal.agent("Rea", "READ_ONLY"), "canned");
  const pages = page.getByRole("navigation", { name: "Settings" });
  await expect(pages.getByRole("link", { name: "Canned replies" })).toBeVisible();
  for (const name of ["Agents", "Audit log", "Inboxes", "Channel accounts"]) await expect(pages.getByRole("link", { name })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "New canned reply" })).toHaveCount(0);
  await page.goto(people.inbox("settings/agents"));
  await expect(page.getByText("There is no such page")).toBeVisible();
  // Nor does the server let her, whatever the page shows.
  const statuses = await page.evaluate(async () => {
    const { csrf } = (await (await fetch("/antiphon/v1/session")).json()) as { csrf: string };
    const headers = { "content-type": "application/json", "x-antiphon-csrf": csrf };
    const ask = async (method: string, path: string, body?: object) =>
      (await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })).status;
    return [
      await ask("GET", "/antiphon/v1/audit"),
      await ask("POST", "/antiphon/v1/invitations", { name: "Eve", email: "eve@harbour.example" }),
      await ask("POST", "/antiphon/v1/tags", { name: "Mine" }),
      await ask("POST", "/antiphon/v1/canned-replies", { name: "Mine", text: "Mine" }),
    ];
  });
  expect(statuses).toEqual([403, 403, 403, 403]);
  const desk = new Desk(page);
  await page.goto(people.inbox("all/unassigned"));
  await desk.show("Is there a berth?");
  await expect(page.getByText("You can read here, and not answer.")).toBeVisible();
  await expect(desk.editor).toHaveCount(0);
});
