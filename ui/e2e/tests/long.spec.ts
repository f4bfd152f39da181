// A conversation that has gone on for long: what is drawn does not grow with it, and all of it can be reached.
import { expect, test } from "../kit/test.ts";

const ANSWERS = 150;

test("a long conversation is drawn from its end, and all of it is there", async ({ portal, people }) => {
  const agent = await portal.agent("Ana Ruiz");
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Where it began");
  const thread = String(((await portal.api.get("/antiphon/v1/threads"))["results"] as { id: string }[])[0]?.id);
  for (let number = 1; number <= ANSWERS; number += 1) {
    const said = { type: "MESSAGE", text: `Answer ${number}.`, seen: null, anyway: true, clientId: crypto.randomUUID() };
    await portal.api.post(`/antiphon/v1/threads/${thread}/replies`, { ...said, senderActorId: `A-${agent.id}` });
  }

  await test.step("for the visitor", async () => {
    await expect(chat.said(`Answer ${ANSWERS}.`)).toBeVisible();
    const bubbles = chat.log.getByText(/^Answer \d+\.$/);
    expect(await bubbles.count()).toBeLessThanOrEqual(60);
    const earlier = chat.frame.getByRole("button", { name: "Earlier messages" });
    while ((await bubbles.count()) < ANSWERS) {
      const before = await bubbles.count();
      await earlier.click();
      await expect.poll(() => bubbles.count()).toBeGreaterThan(before);
    }
    await expect(chat.said("Where it began")).toBeAttached();
    await expect(earlier).toBeHidden();
  });

  await test.step("for the agent", async () => {
    const desk = await people.agent(agent);
    await desk.shelf("All open");
    await desk.show(`Answer ${ANSWERS}.`);
    const bubbles = desk.history.getByText(/^Answer \d+\.$/);
    await expect(desk.said(`Answer ${ANSWERS}.`)).toBeInViewport();
    expect(await bubbles.count()).toBeLessThanOrEqual(60);
    // Up to the beginning as somebody does who reads.
    await expect(async () => {
      await desk.history.evaluate((box) => box.scrollBy(0, -600));
      await expect(desk.said("Where it began")).toBeInViewport({ timeout: 50 });
    }).toPass({ intervals: [50] });
    expect(await bubbles.count()).toBe(ANSWERS);
    // Something new does not carry off whoever reads old things, and is one step away.
    await chat.say("And another thing");
    await desk.page.getByRole("button", { name: /new message/ }).click();
    await expect(desk.said("And another thing")).toBeInViewport();
    await chat.say("That is all");
    await expect(desk.said("That is all")).toBeInViewport();
    expect(await bubbles.count()).toBeLessThanOrEqual(60);
  });
});
