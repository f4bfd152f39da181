// How long people wait: for what the other one says while 500 others have the chat open, and in a portal of 100,000 threads for
// a list and a conversation. Prints rows for docs/benchmarks.md. Every time is from the key or the click to the frame that is
// painted with it, in the browser.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent as Sockets, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Locator, Page } from "@playwright/test";
import { Chat } from "../kit/chat.ts";
import type { Portal } from "../kit/portal.ts";
import { expect, test } from "../kit/test.ts";
import { HEAD, row } from "./figures.ts";

const OTHERS = Number(process.env["OTHERS"] ?? 500);
const THREADS = Number(process.env["THREADS"] ?? 100_000);
const TIMES = Number(process.env["TIMES"] ?? 200);

/** Every how many seconds each of the others writes. */
const EVERY = 20;

/** Notes in a page when a text is first painted, and when Enter is pressed. */
async function noting(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const now = () => performance.timeOrigin + performance.now();
    const notes = { pressed: 0, painted: {} as Record<string, number> };
    Object.assign(window, { notes });
    addEventListener("keydown", (event) => event.key === "Enter" && (notes.pressed = now()), true);
    const look = (changes: MutationRecord[]) => {
      // Only what is new: reading the whole page on each change would be measured with it.
      const added = changes.flatMap(({ type, target, addedNodes }) => (type === "characterData" ? [target] : [...addedNodes]));
      for (const [mark] of added.map((node) => node.textContent).join(" ").matchAll(/mark-[a-z]-\d+;/g)) {
        if (notes.painted[mark] === undefined) {
          notes.painted[mark] = Number.POSITIVE_INFINITY;
          requestAnimationFrame(() => setTimeout(() => (notes.painted[mark] = now())));
        }
      }
    };
    addEventListener("DOMContentLoaded", () => {
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  });
}

interface Notes {
  pressed: number;
  painted: Record<string, number>;
}

const pressed = (field: Locator) => field.evaluate(() => (window as unknown as { notes: Notes }).notes.pressed);
const painted = (field: Locator, mark: string) =>
  field.evaluate(
    (_, mark) =>
      new Promise<number>((resolve) => {
        const ask = () => {
          const at = (window as unknown as { notes: Notes }).notes.painted[mark];
          if (at !== undefined && Number.isFinite(at)) resolve(at);
          else setTimeout(ask, 5);
        };
        ask();
      }),
    mark,
  );

test("what the other one says", async ({ portal, people, server }) => {
  const agent = await portal.agent("Ana Ruiz");
  const visitors = join(import.meta.dirname, "visitors.mjs");
  const words = [visitors, server.site.url, portal.id, portal.chat, String(OTHERS), String(EVERY)];
  const others = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const gone = once(others, "exit").then(() => ["gone"]);
    const [line] = (await Promise.race([once(createInterface(others.stdout), "line"), gone])) as [string];
    expect(line).toBe("ready");
    const desk = await people.agent(agent);
    await noting(desk.page);
    await desk.page.reload();
    const page = await people.page();
    await noting(page);
    const chat = new Chat(page);
    await page.goto(people.site());
    await chat.open();
    await chat.say("mark-a-0;");
    await desk.shelf("All open");
    await desk.show("mark-a-0;");
    await desk.choose("Reply");
    const [there, back]: [number[], number[]] = [[], []];
    for (let time = 1; time <= TIMES; time += 1) {
      await chat.field.fill(`mark-v-${time};`);
      await chat.field.press("Enter");
      there.push((await painted(desk.history, `mark-v-${time};`)) - (await pressed(chat.field)));
      await desk.editor.fill(`mark-r-${time};`);
      await desk.editor.press("Control+Enter");
      back.push((await painted(chat.field, `mark-r-${time};`)) - (await pressed(desk.editor)));
      // People take a breath; what the last answer set off is not measured with the next one.
      await page.waitForTimeout(250);
    }
    console.log(`\nBeside ${OTHERS} other visitors with the chat open, of whom each writes every ${EVERY} s:\n\n${HEAD}`);
    console.log(row("Visitor's Enter → the agent's screen", there, 100));
    console.log(row("Agent's Enter → the visitor's screen", back, 100));
  } finally {
    others.stdin.end();
    if (others.exitCode === null) await once(others, "exit");
  }
});

/** Fills a portal with conversations, as an integration would. */
async function fill(portal: Portal, threads: number): Promise<void> {
  const address = { type: "HS_EMAIL_ADDRESS", value: "office@harbour.example" };
  const account = { name: "Office", channelId: "1002", inboxId: portal.inbox, deliveryIdentifier: address };
  const mail = String((await portal.api.post("/antiphon/v1/channel-accounts", account))["id"]);
  const agent = new Sockets({ keepAlive: true, maxSockets: 64 });
  let begun = 0;
  const one = (number: number) =>
    new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${portal.api.token}`, "content-type": "application/json" };
      const sent = request(`${portal.api.url}/antiphon/v1/messages/incoming`, { method: "POST", headers, agent }, (response) => {
        response.resume();
        response.on("end", () => (response.statusCode === 201 ? resolve() : reject(new Error(`${response.statusCode}`))));
      });
      sent.on("error", reject);
      const sender = { name: `Customer ${number % 20_000}`, email: `customer-${number % 20_000}@example.org` };
      const text = `Conversation ${number}: ${"is there a berth for a boat of eleven metres? ".repeat(1 + (number % 4))}`;
      sent.end(JSON.stringify({ channelAccountId: mail, sender, subject: `Berth ${number}`, text, newThread: true }));
    });
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (begun < threads) await one((begun += 1));
    }),
  );
}

/** From a click to the frame in which a part of the page shows what was wanted. */
function clicked(target: Locator, part: "Conversations" | "Messages", shown: string): Promise<number> {
  return target.evaluate(
    (element, [part, shown]) =>
      new Promise<number>((resolve) => {
        const from = performance.now();
        const look = () => {
          const there = document.querySelector(`section[aria-label="${part}"]`)?.textContent?.includes(shown);
          if (!there) return requestAnimationFrame(look);
          return requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
        };
        (element as HTMLElement).click();
        look();
      }),
    [part, shown] as const,
  );
}

test("a list and a conversation among many", async ({ portal, people }) => {
  await fill(portal, THREADS);
  const desk = await people.agent(await portal.agent("Ana Ruiz"));
  const [lists, threads, whole]: [number[], number[], number[]] = [[], [], []];
  await desk.shelf("All open");
  await expect(desk.row(/Berth/).first()).toBeVisible();
  for (let time = 0; time < TIMES / 4; time += 1) {
    // Away to where nothing is, and back.
    await desk.shelf("Closed");
    await expect(desk.page.getByText("Nothing is closed yet")).toBeVisible();
    const link = desk.views.getByRole("link", { name: /^All open/ }).first();
    lists.push(await clicked(link, "Conversations", "Berth"));
  }
  for (let time = 0; time < TIMES / 4; time += 1) {
    const rows = desk.list.getByRole("listitem");
    const row = rows.nth(time % 6);
    const number = /Berth (\d+)/.exec(await row.innerText())?.[1] ?? "";
    threads.push(await clicked(row.getByRole("link"), "Messages", `Conversation ${number}: `));
    if (time % 6 === 5) {
      await desk.list.getByRole("link").last().focus();
      await desk.page.keyboard.press("PageDown");
      await desk.page.waitForTimeout(200);
    }
  }
  for (let time = 0; time < 10; time += 1) {
    await desk.page.goto("about:blank");
    const from = performance.now();
    await desk.page.goto(people.inbox());
    await desk.shelf("All open");
    await expect(desk.row(/Berth/).first()).toBeVisible();
    whole.push(performance.now() - from);
  }
  console.log(`\nIn a portal of ${THREADS} conversations:\n\n${HEAD}`);
  console.log(row("Click → the list", lists, 200));
  console.log(row("Click → a conversation", threads, 150));
  console.log(row("The whole inbox, from nothing", whole, 1000));
});
