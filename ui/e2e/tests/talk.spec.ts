// A visitor's browser and an agent's: what one says, the other sees at once.
import { expect, test } from "../kit/test.ts";

const NODES = { tag: "@nodes" };

test("a visitor asks, an agent answers, and each sees that the other has read it", NODES, async ({ portal, people }) => {
  await portal.chats({ welcomeMessage: "Ahoy! What are you looking for?" });
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  await ana.shelf("Unassigned");
  const chat = await people.visitor();
  await chat.open();
  await expect(chat.said("Ahoy! What are you looking for?")).toBeVisible();
  await chat.say("Is berth 12 free in May?");

  await ana.show("Is berth 12 free in May?");
  await expect(ana.said("Is berth 12 free in May?")).toBeVisible();
  await expect(chat.log.getByText(/· Seen$/)).toBeVisible();

  await ana.reply("It is. Shall I keep it for you?");
  await expect(chat.said("It is. Shall I keep it for you?")).toBeVisible();
  await expect(chat.log.getByText("Ana Ruiz")).toBeVisible();
  await expect(ana.history.getByText("Read", { exact: true })).toBeVisible();

  await chat.say("Yes please, from the 3rd.");
  await expect(ana.said("Yes please, from the 3rd.")).toBeVisible();
});

test("each sees that the other is writing", NODES, async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Hello?");
  await ana.shelf("Unassigned");
  await ana.show("Hello?");

  await chat.field.pressSequentially("I wanted to ask");
  await expect(ana.history.getByRole("status").filter({ hasText: "is writing…" })).toBeVisible();
  await ana.choose("Reply");
  await ana.editor.pressSequentially("Just a moment");
  await expect(chat.log.getByText(/is typing$/)).toBeVisible();
});

test("a note is seen by the team and never by the visitor", NODES, async ({ portal, people }) => {
  const [ana, ben] = await Promise.all([
    portal.agent("Ana Ruiz").then((agent) => people.agent(agent)),
    portal.agent("Ben Okoro").then((agent) => people.agent(agent)),
  ]);
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Do you repair sails?");
  for (const desk of [ana, ben]) {
    await desk.shelf("All open");
    await desk.show("Do you repair sails?");
  }
  await ana.note("Owes us for last winter.");
  await expect(ben.said("Owes us for last winter.")).toBeVisible();
  // What is said after it has arrived, so the note would have.
  await ana.reply("We do.");
  await expect(chat.said("We do.")).toBeVisible();
  await chat.page.reload();
  await expect(chat.said("We do.")).toBeVisible();
  await expect(chat.log.getByText("Owes us")).toHaveCount(0);
});

test("files go both ways", NODES, async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.attach("rudder.txt", "text/plain", Buffer.from("It is bent."));
  await chat.field.fill("My rudder");
  await chat.field.press("Enter");
  await expect(chat.log.getByText(/· (Sent|Seen)$/)).toBeVisible();

  await ana.shelf("Unassigned");
  await ana.show("My rudder");
  const sent = ana.history.getByRole("link", { name: "rudder.txt" });
  const address = (await sent.getAttribute("href")) ?? "";
  const file = await ana.page.request.get(address);
  expect(await file.text()).toBe("It is bent.");
  expect(file.headers()["content-security-policy"]).toContain("sandbox");

  await ana.choose("Reply");
  const buffer = Buffer.from("%PDF-1.4 a bill");
  await ana.page.locator('main input[type="file"]').setInputFiles({ name: "bill.pdf", mimeType: "application/pdf", buffer });
  await ana.editor.fill("Here is what it would cost.");
  await expect(ana.page.getByRole("button", { name: "Send", exact: true })).toBeEnabled();
  await ana.page.getByRole("button", { name: "Send", exact: true }).click();
  const bill = chat.log.getByRole("link", { name: /bill\.pdf/ });
  await expect(bill).toBeVisible();
  const got = await chat.page.request.get((await bill.getAttribute("href")) ?? "");
  expect(await got.body()).toEqual(buffer);
});

test("a conversation is taken, closed, opened again by the visitor, and found after reloading", NODES, async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Is the crane out of order?");
  await ana.shelf("Unassigned");
  await ana.show("Is the crane out of order?");
  await ana.act("Assign this conversation").click();
  await ana.page.getByRole("option", { name: /Ana Ruiz/ }).click();
  // It has left the list, and whoever took it goes on with it.
  await expect(ana.row("Is the crane out of order?")).toHaveCount(0);
  await expect(ana.said("Is the crane out of order?")).toBeVisible();
  await expect(ana.history.getByText("You took this")).toBeVisible();

  await ana.reply("Until Friday, sorry.");
  await ana.act("Close").click();
  await expect(chat.log.getByText("This conversation is closed.")).toBeVisible();
  await ana.shelf("Closed");
  await expect(ana.row("Until Friday, sorry.")).toBeVisible();

  await chat.say("It is Friday.");
  await expect(chat.log.getByText("This conversation is closed.")).toHaveCount(0);
  await ana.shelf("Mine");
  await ana.show("It is Friday.");
  await expect(ana.said("It is Friday.")).toBeVisible();

  await Promise.all([chat.page.reload(), ana.page.reload()]);
  for (const text of ["Is the crane out of order?", "Until Friday, sorry.", "It is Friday."]) {
    await expect(chat.said(text)).toBeVisible();
    await expect(ana.said(text)).toBeVisible();
  }
});

test("what is done with makes room for the next, what is marked does not", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  for (const text of ["The first boat", "The second boat"]) {
    const chat = await people.visitor();
    await chat.open();
    await chat.say(text);
  }
  await ana.shelf("Unassigned");
  await ana.show("The first boat");
  await ana.act("Tags").click();
  await ana.page.getByRole("combobox", { name: "Tags" }).fill("mast");
  await ana.page.getByRole("option", { name: /mast/ }).click();
  await ana.page.keyboard.press("Escape");
  await expect(ana.row("The first boat").getByText("mast")).toBeVisible();
  await expect(ana.said("The first boat")).toBeVisible();
  await ana.act("Close").click();
  await expect(ana.row("The first boat")).toHaveCount(0);
  await expect(ana.said("The second boat")).toBeVisible();
});

test("addresses that an agent writes can be followed, and nothing else acts", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Where is the price list?");
  await ana.shelf("Unassigned");
  await ana.show("Where is the price list?");
  await ana.reply("Here: https://harbour.example/prices?y=26, or ask office@harbour.example. Not javascript:alert(1)");
  const prices = chat.log.getByRole("link", { name: "https://harbour.example/prices?y=26" });
  await expect(prices).toHaveAttribute("href", "https://harbour.example/prices?y=26");
  await expect(prices).toHaveAttribute("target", "_blank");
  await expect(prices).toHaveAttribute("rel", /noopener noreferrer/);
  await expect(chat.log.getByRole("link", { name: "office@harbour.example" })).toHaveAttribute("href", "mailto:office@harbour.example");
  await expect(chat.log.getByRole("link")).toHaveCount(2);
  // It opens beside the page, and knows nothing of where it came from.
  await chat.page.context().route("https://harbour.example/**", (route) =>
    route.fulfill({ contentType: "text/html", body: "<title>Prices</title><script>document.title += window.opener + document.referrer</script>" }),
  );
  const opened = chat.page.context().waitForEvent("page");
  await prices.click();
  const page = await opened;
  await expect(page).toHaveTitle("Pricesnull");
});
