// Whoever writes to the house may write anything. It is shown, and it does nothing.
import type { Page, Request } from "@playwright/test";
import { expect, test } from "../kit/test.ts";

const EVIL = [
  "<script>parent.ran=top.ran=window.ran=1</script>",
  "<img src=x onerror=\"parent.ran=top.ran=window.ran=1\">",
  "<svg onload=\"parent.ran=top.ran=window.ran=1\"></svg>",
  "<a href=\"javascript:parent.ran=top.ran=window.ran=1\">a link</a>",
  "\"><script>window.ran=1</script>",
  "{{constructor.constructor('window.ran=1')()}}",
];
const ALL = EVIL.join(" ");

/** Whether anything ran, in any frame. */
async function ran(page: Page): Promise<boolean[]> {
  return Promise.all(page.frames().map((frame) => frame.evaluate(() => "ran" in window).catch(() => false)));
}

/** Clicks every link that leads nowhere on the web. */
async function nothingRuns(page: Page): Promise<void> {
  for (const frame of page.frames()) {
    const links = await frame.locator("a[href]").evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).protocol));
    expect(links.filter((protocol) => !/^(https?|mailto|tel|blob):$/.test(protocol))).toEqual([]);
  }
  await page.waitForTimeout(200);
  expect(await ran(page)).not.toContain(true);
}

test("a letter with scripts in every part of it", async ({ portal, people }) => {
  const { api, inbox } = portal;
  const address = { type: "HS_EMAIL_ADDRESS", value: "office@harbour.example" };
  const mail = await api.post("/antiphon/v1/channel-accounts", {
    name: `Office ${EVIL[1]}`,
    channelId: "1002",
    inboxId: inbox,
    deliveryIdentifier: address,
  });
  await api.post("/antiphon/v1/messages/incoming", {
    channelAccountId: mail["id"],
    sender: { name: EVIL[1], email: "evil@elsewhere.example" },
    subject: ALL.slice(0, 900),
    text: ALL,
    richText: `<html><head><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=javascript:parent.ran=1"></head>
      <body onload="parent.ran=top.ran=1" background="javascript:1"><h1>Dear all</h1>${ALL}
      <form action="https://evil.example"><input name="password"><button>Go</button></form>
      <iframe src="javascript:parent.ran=1"></iframe><object data="javascript:1"></object>
      <style>@import url("https://evil.example/x.css"); body { background: url("javascript:1") }</style>
      <table><tr><td style="position:fixed;inset:0;width:expression(1)">A table, so that it is shown as a letter</td></tr></table>
      </body></html>`,
    attachments: [{ type: "FILE", name: `${EVIL[1]}.html`, url: "javascript:window.ran=1", mediaType: "text/html", size: 1 }],
  }).catch(async (error: unknown) => {
    // An address that no browser should follow may also be refused: then without it.
    expect(String(error)).toContain("400");
    await api.post("/antiphon/v1/messages/incoming", {
      channelAccountId: mail["id"],
      sender: { name: EVIL[1], email: "evil@elsewhere.example" },
      subject: ALL.slice(0, 900),
      text: ALL,
      richText: `<h1>Dear all</h1>${ALL}<table><tr><td>A table</td></tr></table>`,
    });
  });
  const desk = await people.agent(await portal.agent(`Ana ${EVIL[2]}`.slice(0, 60)));
  await desk.shelf("Unassigned");
  await desk.list.getByRole("link").first().click();
  await expect(desk.history.getByRole("article")).toHaveCount(1);
  await nothingRuns(desk.page);
  // Nothing is asked of anybody else before the agent wants it.
  const asked: string[] = [];
  const note = (request: Request) => asked.push(new URL(request.url()).host);
  desk.page.on("requestfinished", note);
  // What the frame's policy stops goes nowhere.
  desk.page.on("requestfailed", (request) => request.failure()?.errorText === "csp" || note(request));
  await desk.page.reload();
  await expect(desk.history.getByRole("article")).toHaveCount(1);
  await desk.page.waitForTimeout(300);
  expect(asked.filter((host) => !host.startsWith("127.0.0.1"))).toEqual([]);
  await nothingRuns(desk.page);
});

test("a visitor whose words, page and files are scripts", async ({ portal, people }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz"));
  const chat = await people.visitor();
  await chat.page.evaluate(() => history.replaceState(null, "", `${location.pathname}?q=<img src=x onerror=alert(1)>`));
  await chat.open();
  for (const text of EVIL) await chat.say(text);
  const page = Buffer.from("<script>window.ran=1</script>");
  await chat.frame.locator('input[type="file"]').setInputFiles({ name: "evil.html", mimeType: "text/html", buffer: page });
  await expect(chat.frame.getByText("Not uploaded")).toBeVisible();
  await chat.frame.getByRole("button", { name: "Remove evil.html" }).click();
  await chat.attach('"><img src=x onerror=window.ran=1>.txt', "text/plain", page);
  await chat.say("with a file");
  await ana.shelf("Unassigned");
  await ana.show("with a file");
  await expect(ana.said(EVIL[0] ?? "")).toBeVisible();
  await nothingRuns(ana.page);
  await nothingRuns(chat.page);
  // What was uploaded is saved, and where a browser opens it all the same, it is nobody.
  const link = ana.history.getByRole("link", { name: /txt$/ });
  const response = await ana.page.request.get((await link.getAttribute("href")) ?? "");
  expect(response.headers()["content-security-policy"]).toContain("sandbox");
  expect(response.headers()["content-disposition"]).toMatch(/^attachment/);
  expect(response.headers()["x-content-type-options"]).toBe("nosniff");
});

test("an agent whose answer has been tampered with reaches the visitor as text", async ({ portal, people }) => {
  const chat = await people.visitor();
  await chat.open();
  await chat.say("Hello");
  const { api } = portal;
  const base = "/conversations/v3/conversations";
  const [thread] = (await api.get(`${base}/threads`))["results"] as [{ id: string }];
  const agent = await portal.agent("Ana Ruiz");
  await api.post(`${base}/threads/${thread.id}/messages`, {
    type: "MESSAGE",
    text: ALL,
    richText: `<p>Hello</p>${ALL}<style>*{display:none}</style>`,
    senderActorId: `A-${agent.id}`,
    channelId: "1000",
    channelAccountId: portal.chat,
  });
  await expect(chat.log.getByText("Ana Ruiz").first()).toBeVisible();
  await nothingRuns(chat.page);
  await expect(chat.field).toBeVisible();
});

test("the inbox cannot be framed, and another site's request is nobody's", async ({ portal, people, server, website }) => {
  const ana = await people.agent(await portal.agent("Ana Ruiz", "ADMIN"));
  const page = await ana.page.context().newPage();
  await page.goto(people.site({ body: `<iframe id="f" src="${people.inbox()}"></iframe>` }));
  const framed = page.frames().find((frame) => frame.url().includes("/inbox/"));
  expect(framed ? await framed.locator("#app").count() : 0).toBe(0);
  const sent = await page.evaluate(async (url) => {
    const answers: string[] = [];
    for (const [method, path, type] of [
      ["POST", "/antiphon/v1/inboxes", "text/plain"],
      ["POST", "/antiphon/v1/agents", "application/x-www-form-urlencoded"],
      ["GET", "/antiphon/v1/session", "text/plain"],
    ] as const) {
      const body = method === "POST" ? { body: '{"name":"Evil"}' } : {};
      const answer = await fetch(url + path, { method, credentials: "include", mode: "no-cors", headers: { "content-type": type }, ...body });
      answers.push(answer.type);
    }
    return answers;
  }, server.desk.url);
  expect(sent).toEqual(["opaque", "opaque", "opaque"]);
  expect(website.url).not.toBe(server.desk.url);
  const inboxes = (await portal.api.get("/conversations/v3/conversations/inboxes"))["results"] as { name: string }[];
  expect(inboxes.map((inbox) => inbox.name)).toEqual(["Harbour office"]);
});
