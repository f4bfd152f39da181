// Pages that know who their visitor is.
import { Chat } from "../kit/chat.ts";
import type { Portal } from "../kit/portal.ts";
import { expect, test } from "../kit/test.ts";

async function tokenOf(portal: Portal, email: string): Promise<string> {
  const body = { email, firstName: "Ineke", lastName: "de Boer" };
  return String((await portal.api.post("/visitor-identification/v3/tokens/create", body))["token"]);
}

test("an identified visitor is known by name, and has the conversation on every device", { tag: "@nodes" }, async ({ portal, people }) => {
  const email = "ineke@harbour.example";
  const settings = { identificationEmail: email, identificationToken: await tokenOf(portal, email) };
  await portal.chats({ askEmail: "ALWAYS" });
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const first = await people.visitor({ settings });
  await first.open();
  await first.say("I lost my key.");
  await expect(first.frame.getByText("Where can we write to you")).toHaveCount(0);
  await ana.shelf("Unassigned");
  await expect(ana.row("Ineke de Boer")).toBeVisible();
  await ana.show("I lost my key.");
  await ana.reply("There is a second one.");

  const second = await people.visitor({ settings: { ...settings, identificationToken: await tokenOf(portal, email) } });
  await second.open();
  await expect(second.said("There is a second one.")).toBeVisible();
  expect((await first.page.context().cookies()).map((cookie) => cookie.name)).not.toContain("messagesUtk");
});

test("an address without its token proves nothing, and a wrong one is said once", async ({ portal, people }) => {
  const email = "ineke@harbour.example";
  const known = await people.visitor({
    settings: { identificationEmail: email, identificationToken: await tokenOf(portal, email) },
  });
  await known.open();
  await known.say("Mine alone.");
  for (const identificationToken of ["", await tokenOf(portal, "other@harbour.example"), "forged"]) {
    const page = await people.page();
    const warnings: string[] = [];
    page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    await page.goto(people.site({ settings: { identificationEmail: email, identificationToken } }));
    const chat = new Chat(page);
    await chat.open();
    await chat.say("Who am I?");
    await expect(chat.log.getByText("Mine alone.")).toHaveCount(0);
    expect(errors).toEqual([]);
    expect(warnings.filter((text) => text.includes("[Antiphon]")).length).toBe(identificationToken === "" ? 0 : 1);
  }
});
