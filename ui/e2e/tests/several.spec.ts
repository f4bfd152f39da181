// Two windows of one person, two people on one conversation.
import { Chat } from "../kit/chat.ts";
import { Desk } from "../kit/desk.ts";
import { expect, test } from "../kit/test.ts";

test("two tabs of a visitor show the same conversation", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const address = people.site();
  const page = await people.page();
  await page.goto(address);
  const one = new Chat(page);
  await one.open();
  await one.say("From the first tab");
  const other = new Chat(await page.context().newPage());
  await other.page.goto(address);
  // It was open in the first one, so it is open here.
  await expect(other.said("From the first tab")).toBeVisible();
  await other.say("From the second tab");
  await expect(one.said("From the second tab")).toBeVisible();
  await ana.shelf("Unassigned");
  await expect(ana.row("From the second tab")).toHaveCount(1);
  await ana.show("From the second tab");
  await ana.reply("To both");
  await expect(one.said("To both")).toBeVisible();
  await expect(other.said("To both")).toBeVisible();
});

test("two tabs of an agent show the same", async ({ portal, people, server }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const second = await ana.page.context().newPage();
  await second.goto(`${server.desk.url}/inbox/`);
  const other = new Desk(second);
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Two windows");
  for (const desk of [ana, other]) {
    await desk.shelf("Unassigned");
    await desk.show("Two windows");
  }
  await ana.reply("From one of them");
  await expect(other.said("From one of them")).toHaveCount(1);
});

test("nobody answers past a newer message without being told", { tag: "@nodes" }, async ({ portal, people }) => {
  const [ana, ben] = await Promise.all([
    portal.agent("Ana Ruiz").then((agent) => people.agent(agent)),
    portal.agent("Ben Okoro").then((agent) => people.agent(agent)),
  ]);
  const chat = await people.visitor();
  await chat.open();
  await chat.say("May I moor here?");
  for (const desk of [ana, ben]) {
    await desk.shelf("All open");
    await desk.show("May I moor here?");
  }
  await ben.choose("Reply");
  await ben.editor.fill("Sorry, we are full.");
  await expect(ana.page.getByRole("status").filter({ hasText: "Ben Okoro is answering." })).toBeVisible();
  await expect(ben.page.getByText("Draft saved")).toBeVisible();
  // Ben's answer is on a slow line, and Ana is quicker.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await ben.page.route("**/antiphon/v1/threads/*/replies", async (route) => {
    await held;
    await route.continue();
  });
  await ben.editor.press("Control+Enter");
  await ana.write("Reply", "Of course.");
  const told = ana.page.getByRole("dialog", { name: "A colleague is answering" });
  await expect(told).toBeVisible();
  await told.getByRole("button", { name: "Send anyway" }).click();
  await expect(chat.said("Of course.")).toBeVisible();

  release();
  const newer = ben.page.getByRole("dialog", { name: "Something new has come in" });
  await expect(newer.getByText("Of course.")).toBeVisible();
  await newer.getByRole("button", { name: "Keep editing" }).click();
  await expect(ben.editor).toHaveText("Sorry, we are full.");
  await chat.page.reload();
  await expect(chat.said("Of course.")).toBeVisible();
  await expect(chat.log.getByText("Sorry, we are full.")).toHaveCount(0);
});
