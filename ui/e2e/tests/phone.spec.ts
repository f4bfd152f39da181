// The inbox on a phone, where one pane takes the place of another.
import { expect, test } from "../kit/test.ts";

test("a conversation is found, answered, tagged, snoozed and left with a thumb", async ({ portal, people }) => {
  const desk = await people.agent(await portal.agent("Ana Ruiz"));
  const { page } = desk;
  const chat = await people.visitor({}, { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await chat.open();
  await chat.say("From the pier");
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(people.inbox("all/unassigned"));
  const list = page.getByRole("main", { name: "Conversations" });
  await list.getByRole("listitem").filter({ hasText: "From the pier" }).getByRole("link").click();
  await expect(desk.said("From the pier")).toBeVisible();
  await expect(list).toBeHidden();
  await desk.reply("To the pier");
  await expect(chat.said("To the pier")).toBeVisible();

  const more = async (name: string) => {
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await more("Tags");
  await page.getByRole("combobox", { name: "Tags" }).fill("pier");
  await page.getByRole("option", { name: /pier/ }).click();
  await expect(page.getByRole("list", { name: "Tags" }).getByText("pier")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await more("Snooze");
  await page.getByRole("menuitem", { name: /^Next month/ }).click();
  // Back at the list, from which it has gone.
  await expect(list).toBeVisible();
  await expect(list.getByText("To the pier")).toHaveCount(0);
  await page.goto(people.inbox("all/snoozed"));
  await expect(list.getByText("To the pier")).toBeVisible();

  // Nothing is wider than the phone.
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wide).toBeLessThanOrEqual(0);
});
