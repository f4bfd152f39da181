// A visitor on one node and an agent on another: they notice nothing of it. With one node, the same holds.
import { expect, test } from "../kit/test.ts";

/** As soon as somebody who waits would look. */
const AT_ONCE = { timeout: 3000 };

test("a visitor on one node and an agent on another see each other at once, through cuts of the network", {
  tag: "@nodes",
}, async ({ portal, people, server, store }) => {
  test.slow();
  if (store === "nodes") expect(server.site.url).not.toBe(server.desk.url);
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.open();
  await ana.shelf("Unassigned");
  await chat.say("Is anybody on the other side?");
  await expect(ana.row("Is anybody on the other side?")).toBeVisible(AT_ONCE);
  await ana.show("Is anybody on the other side?");
  await expect(chat.log.getByText(/· Seen$/)).toBeVisible(AT_ONCE);
  await ana.editor.pressSequentially("Yes");
  await expect(chat.log.getByText(/is typing$/)).toBeVisible(AT_ONCE);
  await ana.reply("Yes, I am.");
  await expect(chat.said("Yes, I am.")).toBeVisible(AT_ONCE);
  await chat.field.pressSequentially("G");
  await expect(ana.history.getByRole("status").filter({ hasText: "is writing…" })).toBeVisible(AT_ONCE);

  // The visitor's network goes; the agent's goes on.
  await chat.page.context().setOffline(true);
  await chat.write("From the tunnel");
  await ana.reply("You are cut off, I fear.");
  await chat.page.context().setOffline(false);
  await expect(chat.said("You are cut off, I fear.")).toBeVisible({ timeout: 30_000 });
  await expect(ana.said("From the tunnel")).toBeVisible({ timeout: 30_000 });

  // And the other way round.
  await ana.page.context().setOffline(true);
  await chat.say("And now you?");
  await expect(ana.page.getByText("Connection lost. Trying again…")).toBeVisible({ timeout: 30_000 });
  await ana.page.context().setOffline(false);
  await expect(ana.said("And now you?")).toBeVisible({ timeout: 30_000 });

  // The visitor's node goes. With two of them, the agent works on.
  await server.site.stop("SIGKILL");
  await chat.write("Into the dark");
  if (store === "nodes") await ana.reply("I have light.");
  await server.site.start();
  await expect(ana.said("Into the dark")).toBeVisible({ timeout: 30_000 });
  if (store === "nodes") await expect(chat.said("I have light.")).toBeVisible({ timeout: 30_000 });
  await ana.reply("Here we are again.");
  await expect(chat.said("Here we are again.")).toBeVisible({ timeout: 30_000 });

  // Everything is there once, on both sides.
  const all = ["Yes, I am.", "From the tunnel", "You are cut off, I fear.", "And now you?", "Into the dark", "Here we are again."];
  for (const text of all) {
    await expect(chat.said(text)).toHaveCount(1);
    await expect(ana.said(text)).toHaveCount(1);
  }
});
