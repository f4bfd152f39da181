// Networks and servers go away. Nothing that was written is lost, nothing comes twice.
import { expect, test } from "../kit/test.ts";

test("what a visitor writes without a network is sent once it is back, in order and once", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("One");
  await ana.shelf("Unassigned");
  await ana.show("One");

  await chat.page.context().setOffline(true);
  await chat.write("Two");
  await chat.write("Three");
  await expect(chat.log.getByText("Waiting for the network").first()).toBeVisible();
  await ana.reply("Said while you were away");
  await chat.page.context().setOffline(false);

  await expect(chat.said("Said while you were away")).toBeVisible();
  await expect(ana.said("Three")).toBeVisible();
  const said = await ana.history.getByRole("article").allInnerTexts();
  const order = ["One", "Two", "Three"].map((text) => said.findIndex((one) => one.includes(text)));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  for (const text of ["One", "Two", "Three"]) await expect(ana.said(text)).toHaveCount(1);
});

test("what was written without a network survives the page", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Before");
  await chat.page.context().setOffline(true);
  await chat.write("Written in a tunnel");
  await chat.page.context().setOffline(false);
  await chat.page.reload();
  await expect(chat.said("Written in a tunnel")).toHaveCount(1);
  await ana.shelf("Unassigned");
  await ana.show("Written in a tunnel");
  await expect(ana.said("Written in a tunnel")).toHaveCount(1);
});

test("an agent without a network sees what has come meanwhile, and keeps what was written", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Is anybody there?");
  await ana.shelf("Unassigned");
  await ana.show("Is anybody there?");
  await ana.page.context().setOffline(true);
  await chat.say("I will wait.");
  await expect(ana.page.getByText("Connection lost. Trying again…")).toBeVisible({ timeout: 20_000 });
  await ana.page.context().setOffline(false);
  await expect(ana.said("I will wait.")).toBeVisible({ timeout: 20_000 });
  await ana.reply("Here I am.");
  await expect(chat.said("Here I am.")).toBeVisible();
});

test("both go on by themselves when the server comes back", async ({ portal, people, server }) => {
  test.slow();
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Before the storm");
  await ana.shelf("Unassigned");
  await ana.show("Before the storm");
  await server.site.stop();
  await chat.write("During the storm");
  await server.site.start();
  await expect(ana.said("During the storm")).toBeVisible({ timeout: 30_000 });
  await ana.reply("After the storm");
  await expect(chat.said("After the storm")).toBeVisible({ timeout: 30_000 });
  await expect(ana.said("During the storm")).toHaveCount(1);
});
