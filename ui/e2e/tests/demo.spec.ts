// What `cargo xtask demo` prints opens on a conversation.
import { Chat } from "../kit/chat.ts";
import { expect, test } from "../kit/demo.ts";
import { Desk } from "../kit/desk.ts";

test("the printed addresses open the inbox, signed in, and the shop with its chat", async ({ demo, browser }) => {
  const page = await browser.newPage();
  await page.goto(demo.inbox);
  const desk = new Desk(page);
  await expect(desk.views).toBeVisible();
  // The way in is not left in the address.
  expect(new URL(page.url()).hash).toBe("");
  const visit = await browser.newPage();
  await visit.goto(demo.website);
  const chat = new Chat(visit);
  await chat.open();
  await chat.say("Does the Wren fold with mudguards?");
  await desk.shelf("Unassigned");
  await desk.show("Does the Wren fold with mudguards?");
  await desk.reply("It does, and they fold too.");
  await expect(chat.said("It does, and they fold too.")).toBeVisible();

  // The page of a customer who has signed in to the shop.
  const customer = await browser.newPage();
  await customer.goto(`${demo.website}account`);
  const known = new Chat(customer);
  await known.open();
  await known.say("Where is my order 4471?");
  await expect(desk.row("Priya Raman").filter({ hasText: "Where is my order 4471?" })).toBeVisible();
  for (const one of [page, visit, customer]) await one.close();
});
