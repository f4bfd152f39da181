// The chat itself, as somebody uses it who visits a page.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Chat } from "../kit/chat.ts";
import type { Portal } from "../kit/portal.ts";
import { expect, test } from "../kit/test.ts";

type Row = Record<string, unknown>;

/** What is in the portal's threads, the oldest first. */
async function threads(portal: Portal): Promise<Row[]> {
  return (await portal.api.get("/conversations/v3/conversations/threads"))["results"] as Row[];
}

async function said(portal: Portal, thread: unknown): Promise<string[]> {
  const page = await portal.api.get(
    `/conversations/v3/conversations/threads/${String(thread)}/messages?sort=createdAt`,
  );
  return (page["results"] as Row[]).filter((each) => each["type"] === "MESSAGE").map((each) => String(each["text"]));
}

/** An agent answers through the API. */
async function answer(portal: Portal, thread: unknown, text: string, richText?: string): Promise<void> {
  const path = `/conversations/v3/conversations/threads/${String(thread)}/messages`;
  const page = (await portal.api.get(`${path}?sort=createdAt`))["results"] as Row[];
  const first = page.find((each) => each["direction"] === "INCOMING");
  const sender = (first?.["senders"] as Row[])[0]?.["actorId"];
  const agents = (await portal.api.get("/antiphon/v1/agents"))["results"] as Row[];
  await portal.api.post(path, {
    type: "MESSAGE",
    text,
    richText: richText ?? text,
    senderActorId: `A-${String(agents[0]?.["id"])}`,
    channelId: "1000",
    channelAccountId: portal.chat,
    recipients: [{ actorId: sender }],
  });
}

async function nothingSerious(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include("iframe").analyze();
  expect(violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`)).toEqual(
    [],
  );
}

test("what was written without a network is sent once it is back, once", async ({
  server,
  website,
  portal,
  page,
  context,
}) => {
  await portal.chats();
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("One");
  await context.setOffline(true);
  await chat.write("Two");
  await chat.write("Three");
  await expect(chat.log.getByText("Waiting for the network")).toBeVisible();
  await context.setOffline(false);
  await expect(chat.log.getByText(/· Sent$/)).toBeVisible();
  await expect(chat.log.getByText("Waiting for the network")).toBeHidden();
  const [thread] = await threads(portal);
  await expect.poll(() => said(portal, thread?.["id"])).toEqual(["One", "Two", "Three"]);
});

test("what could not be sent survives a reload, and its answer was lost but not the message", async ({
  server,
  website,
  portal,
  page,
}) => {
  await portal.chats();
  const url = website.page(server.site.host, portal.id);
  // The server hears it, and the browser never learns that it did: neither as an answer nor as what happened.
  await page.route("**/widget/v1/events*", (route) => route.abort());
  await page.goto(url);
  const chat = new Chat(page);
  await chat.open();
  await page.route("**/widget/v1/messages", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await chat.write("Said once");
  await expect(chat.log.getByText("Waiting for the network")).toBeVisible();
  await page.unroute("**/widget/v1/messages");
  await page.unroute("**/widget/v1/events*");
  await page.goto(url);
  await expect(chat.field).toBeVisible();
  await expect(chat.log.getByText(/· Sent$/)).toBeVisible();
  await expect(chat.said("Said once")).toHaveCount(1);
  const all = await threads(portal);
  expect(all).toHaveLength(1);
  expect(await said(portal, all[0]?.["id"])).toEqual(["Said once"]);
});

test("a message whose answer was lost has been sent, as the stream says", async ({ server, website, portal, page }) => {
  await portal.chats();
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("Are you there?");
  await page.route("**/widget/v1/messages", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await chat.say("Said once");
  await expect(chat.log.getByText("Waiting for the network")).toBeHidden();
  await page.unroute("**/widget/v1/messages");
  await chat.say("And this");
  await expect(chat.said("Said once")).toHaveCount(1);
  const [thread] = await threads(portal);
  expect(await said(portal, thread?.["id"])).toEqual(["Are you there?", "Said once", "And this"]);
});

test("a message that is refused says so, and can be taken back", async ({ server, website, portal, page }) => {
  await portal.chats();
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await page.route("**/widget/v1/messages", (route) => route.fulfill({ status: 400, json: {} }));
  await chat.write("Not like this");
  await expect(chat.log.getByText("Not sent")).toBeVisible();
  await page.unroute("**/widget/v1/messages");
  await chat.frame.getByRole("button", { name: "Try again" }).click();
  await expect(chat.log.getByText(/· Sent$/)).toBeVisible();
});

test("a server that is busy for a moment leaves no dead launcher", async ({ server, website, portal, page }) => {
  await portal.chats();
  let asked = 0;
  await page.route("**/widget/assets/start-*.js", (route) => {
    asked += 1;
    return asked > 1 ? route.continue() : route.fulfill({ status: 503 });
  });
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("There you are");
  expect(asked).toBe(2);
});

test(
  "answers arrive, are counted while the chat is closed, and are read when it is open",
  { tag: "@nodes" },
  async ({ server, website, portal, page }) => {
    await portal.chats();
    await portal.agent("Mia Berg");
    await page.goto(website.page(server.site.host, portal.id));
    const chat = new Chat(page);
    await chat.open();
    await chat.say("Is anybody there?");
    const [thread] = await threads(portal);
    await answer(portal, thread?.["id"], "We are.");
    await expect(chat.said("We are.")).toBeVisible();
    await chat.launcher.click();
    await answer(portal, thread?.["id"], "Still here.");
    await expect(chat.launcher).toHaveAccessibleName("Open chat, 1 unread conversation");
    await page.reload();
    await expect(chat.launcher).toHaveAccessibleName("Open chat, 1 unread conversation");
    await chat.open();
    await expect(chat.said("Still here.")).toBeVisible();
    await chat.launcher.click();
    await expect(chat.launcher).toHaveAccessibleName("Open chat");
    const listed = page.waitForResponse((response) => response.url().endsWith("/widget/v1/threads"));
    await page.reload();
    await listed;
    await expect(chat.launcher).toHaveAccessibleName("Open chat");
  },
);

test(
  "nothing that is said acts in the visitor's browser",
  { tag: "@nodes" },
  async ({ server, website, portal, page }) => {
    const title = '"><img src=x onerror="top.postMessage(1)">';
    await portal.chats({ title, welcomeMessage: "<script>alert(1)</script>", quickReplies: ["<b>bold</b>"] });
    await portal.agent("Mia <img src=x onerror=alert(1)>");
    let alarms = 0;
    page.on("dialog", (dialog) => {
      alarms += 1;
      void dialog.dismiss();
    });
    await page.goto(website.page(server.site.host, portal.id));
    const chat = new Chat(page);
    await chat.open();
    await expect(chat.frame.getByRole("heading", { level: 1 })).toHaveText(title);
    await expect(chat.frame.getByRole("button", { name: "<b>bold</b>" })).toBeVisible();
    await chat.say("<img src=x onerror=alert(1)>");
    await chat.attach("<img src=x onerror=alert(1)>.txt", "text/plain", Buffer.from("x"));
    await chat.say("With a file");
    const [thread] = await threads(portal);
    const html = '<p>Hello<img src=x onerror=alert(1)></p><a href="javascript:alert(1)">here</a><svg onload=alert(1)>';
    await answer(portal, thread?.["id"], "Hello here", html);
    await expect(chat.log.getByText("Hello")).toBeVisible();
    expect(await chat.log.locator("img, svg[onload], script, a[href^=javascript]").count()).toBe(0);
    expect(alarms).toBe(0);
  },
);

test("several conversations stand beside each other", async ({ server, website, portal, page }) => {
  await portal.chats();
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("About the berth");
  await chat.frame.getByRole("button", { name: "All conversations" }).click();
  await chat.frame.getByRole("button", { name: "New conversation" }).click();
  await chat.say("About the bill");
  expect(await threads(portal)).toHaveLength(2);
  await chat.frame.getByRole("button", { name: "All conversations" }).click();
  await expect(chat.frame.getByRole("listitem")).toHaveCount(2);
  await nothingSerious(page);
  await chat.frame.getByRole("listitem").filter({ hasText: "About the berth" }).getByRole("button").click();
  await expect(chat.said("About the berth")).toBeVisible();
  await expect(chat.said("About the bill")).toBeHidden();
});

test("a page may forbid further conversations and files", async ({ server, website, portal, page }) => {
  await portal.chats();
  const settings = { hideNewThreadLink: true, disableAttachment: true };
  await page.goto(website.page(server.site.host, portal.id, { settings }));
  const chat = new Chat(page);
  await chat.open();
  await expect(chat.frame.getByRole("button", { name: "Attach a file" })).toBeHidden();
  await chat.say("The only one");
  await chat.frame.getByRole("button", { name: "All conversations" }).click();
  await expect(chat.frame.getByRole("listitem")).toHaveCount(1);
  await expect(chat.frame.getByRole("button", { name: "New conversation" })).toBeHidden();
});

test("the keyboard does everything", async ({ server, website, portal, page }) => {
  await portal.chats({ welcomeMessage: null });
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await expect(chat.launcher).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(chat.launcher).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(chat.field).toBeFocused();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await expect(chat.log.getByText(/· Sent$/)).toBeVisible();
  await expect(chat.field).toBeFocused();
  await nothingSerious(page);
  await page.keyboard.press("Escape");
  await expect(chat.field).toBeHidden();
  await expect(chat.launcher).toBeFocused();
  await expect(chat.launcher).toHaveAttribute("aria-expanded", "false");
});

test("an address is asked for and kept", async ({ server, website, portal, page }) => {
  await portal.chats({ askEmail: "ALWAYS" });
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("Write to me");
  const address = chat.frame.getByRole("textbox", { name: /Where can we write to you/ });
  await address.fill("no address");
  await chat.frame.getByRole("button", { name: "Save" }).click();
  await expect(chat.frame.getByRole("alert")).toHaveText(/name@example.com/);
  await expect(address).toBeFocused();
  await nothingSerious(page);
  await address.fill("jo@pier.example");
  await chat.frame.getByRole("button", { name: "Save" }).click();
  await expect(chat.log.getByText(/we write to jo@pier.example/)).toBeVisible();
  const contacts = (await portal.api.get("/antiphon/v1/contacts"))["results"] as Row[];
  expect(contacts.map((each) => each["email"])).toContain("jo@pier.example");
});

test("Arabic runs from right to left", async ({ server, website, portal, page }) => {
  await portal.chats({ language: "ar" });
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.launcher.click();
  const field = chat.frame.getByRole("textbox", { name: "اكتب رسالة" });
  await expect(field).toBeVisible();
  await expect(chat.frame.locator("html")).toHaveAttribute("dir", "rtl");
  const send = await chat.frame.getByRole("button", { name: "إرسال" }).boundingBox();
  const box = await field.boundingBox();
  expect(send?.x).toBeLessThan(box?.x ?? 0);
  await nothingSerious(page);
});

test("it works where browsers give a frame no storage", async ({ server, website, portal, page }) => {
  await portal.chats();
  await page.addInitScript(() => {
    if (window === window.top) return;
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    }
  });
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("Remembered by the page");
  await page.reload();
  await expect(chat.said("Remembered by the page")).toBeVisible();
});

test("on a phone it takes the whole screen, and gives it back", async ({ server, website, portal, browser }) => {
  await portal.chats();
  const context = await browser.newContext({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(website.page(server.site.host, portal.id));
  const chat = new Chat(page);
  await chat.launcher.tap();
  await expect(chat.field).toBeVisible();
  // The keyboard of a phone does not cover what the visitor came to read.
  await expect(chat.field).not.toBeFocused();
  expect(await page.locator("#hubspot-messages-iframe-container").boundingBox()).toEqual({
    x: 0,
    y: 0,
    width: 390,
    height: 780,
  });
  await nothingSerious(page);
  await chat.frame.getByRole("button", { name: "Close chat" }).tap();
  await expect(chat.launcher).toBeVisible();
  await page.getByRole("heading", { name: "Berths and moorings" }).tap();
  await context.close();
});

for (const scheme of ["light", "dark"] as const) {
  test(`nobody has trouble reading it in the ${scheme}`, async ({ server, website, portal, page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await portal.chats({ color: "#ffcc00", quickReplies: ["Opening hours"], awayMessage: "Back on Monday." });
    await page.goto(website.page(server.site.host, portal.id));
    const chat = new Chat(page);
    await expect(chat.launcher).toBeVisible();
    await nothingSerious(page);
    await chat.open();
    await nothingSerious(page);
    await chat.frame.getByRole("button", { name: "Opening hours" }).click();
    await expect(chat.log.getByText(/· Sent$/)).toBeVisible();
    await nothingSerious(page);
  });
}
