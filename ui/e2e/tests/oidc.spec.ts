// Signing in elsewhere, at an issuer of OpenID Connect that knows nothing of us but its own standard.
import { type Page, expect, test as base } from "@playwright/test";
import { CLIENT, Issuer } from "../kit/issuer.ts";
import { Portal } from "../kit/portal.ts";
import { Server } from "../kit/server.ts";

interface House {
  server: Server;
  portal: Portal;
  inbox: string;
}

const test = base.extend<object, { house: House }>({
  house: [
    async ({}, use) => {
      const issuer = await Issuer.open();
      const server = await Server.start("embedded", [], {
        ANTIPHON_OIDC__ISSUER: issuer.url,
        ANTIPHON_OIDC__CLIENT_ID: CLIENT.id,
        ANTIPHON_OIDC__CLIENT_SECRET: CLIENT.secret,
        ANTIPHON_OIDC__NAME: "Harbour",
        ANTIPHON_OIDC__DOMAINS: '["harbour.example"]',
      });
      issuer.serve(`${server.desk.url}/antiphon/v1/oidc/callback`);
      const portal = await Portal.make(server.desk, "Harbour");
      // Somebody who can turn others out again.
      await portal.agent("Harbour master", "ADMIN");
      await use({ server, portal, inbox: `${server.desk.url}/inbox/` });
      await server.close();
      await issuer.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

/** Goes there. Its pages would fetch letters from elsewhere, and nobody is called from here. */
async function leaves(page: Page, link: string): Promise<void> {
  await page.route(/^https:/, (route) => route.abort());
  await page.getByRole("link", { name: link }).click();
}

/** Goes there, and says who one is. */
async function goes(page: Page, name: string): Promise<void> {
  await leaves(page, "Continue with Harbour");
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
}

/** The same, and lets us know it. */
async function signsIn(page: Page, name: string): Promise<void> {
  await goes(page, name);
  await page.locator("button[type=submit]", { hasText: "Continue" }).click();
}

test("a colleague signs in at the issuer and comes back to where they were", async ({ house, page }) => {
  await page.goto(`${house.inbox}settings`);
  await signsIn(page, "nova@harbour.example");
  await expect(page).toHaveURL(`${house.inbox}settings`);
  await expect(page.getByRole("navigation").first()).toBeVisible();
  const session = await page.evaluate(async () => (await fetch("/antiphon/v1/session")).json());
  expect(session).toMatchObject({ agent: { name: "nova", email: "nova@harbour.example", role: "AGENT" } });
  // No script reads any of it.
  expect(await page.evaluate(() => document.cookie)).toBe("");
  const cookies = (await page.context().cookies()).filter((one) => one.name.startsWith("antiphon"));
  expect(cookies.map((one) => [one.name, one.httpOnly])).toEqual([["antiphon_session", true]]);

  // Signed out and in again: the same agent, and the issuer asks nothing any more.
  await page.evaluate(async (csrf) => {
    await fetch("/antiphon/v1/session", { method: "DELETE", headers: { "x-antiphon-csrf": csrf } });
  }, String(session.csrf));
  await page.goto(house.inbox);
  await page.getByRole("link", { name: "Continue with Harbour" }).click();
  await expect(page.getByRole("navigation", { name: "Views and inboxes" })).toBeVisible();
  const agents = (await house.portal.api.get("/antiphon/v1/agents")) as { results: { email?: string }[] };
  expect(agents.results.filter((one) => one.email === "nova@harbour.example")).toHaveLength(1);
});

test("an agent who has a password signs in either way", async ({ house, page }) => {
  const agent = await house.portal.agent("Omar", "READ_ONLY");
  await page.goto(house.inbox);
  await signsIn(page, agent.email);
  await expect(page.getByRole("navigation", { name: "Views and inboxes" })).toBeVisible();
  const session = await page.evaluate(async () => (await fetch("/antiphon/v1/session")).json());
  expect(session).toMatchObject({ agent: { id: agent.id, role: "READ_ONLY" } });
});

for (const [who, name, told] of [
  ["a stranger", "eve@elsewhere.example", "Your address cannot sign in here."],
  ["somebody whose address was never looked at", "una@harbour.example", "Your address is not verified there"],
] as const) {
  test(`${who} is told why not, on the page where one signs in`, async ({ house, page }) => {
    await page.goto(house.inbox);
    await signsIn(page, name);
    await expect(page.getByRole("alert")).toContainText(told);
    await expect(page.getByLabel("Password")).toBeVisible();
    expect(page.url(), "and only once").toBe(house.inbox);
  });
}

test("whoever thinks better of it is back, and told so in their language", async ({ house, browser }) => {
  const page = await (await browser.newContext({ locale: "de-DE" })).newPage();
  await page.goto(house.inbox);
  await leaves(page, "Weiter mit Harbour");
  await page.getByRole("link", { name: /cancel/i }).click();
  await expect(page.getByRole("alert")).toHaveText(/Sie wurden dort nicht angemeldet/);
  await page.context().close();
});

test("a link with somebody else's answer in it signs nobody in", async ({ house, browser, page }) => {
  const context = await browser.newContext();
  const theirs = await context.newPage();
  await theirs.goto(house.inbox);
  await goes(theirs, "mallory@harbour.example");
  // The way back is followed as far as the answer, which nobody brings: a browser would have on its own.
  let answer = "";
  await theirs.route("**/interaction/**", async (route) => {
    const from = route.request().url();
    let reply = await route.fetch({ maxRedirects: 0 });
    answer = reply.headers()["location"] ?? "";
    while (answer !== "" && !answer.includes("/oidc/callback?")) {
      reply = await theirs.request.get(new URL(answer, from).href, { maxRedirects: 0 });
      answer = reply.headers()["location"] ?? "";
    }
    await route.abort();
  });
  await theirs.locator("button[type=submit]", { hasText: "Continue" }).click();
  await expect.poll(() => answer).toContain("code=");
  await page.goto(answer);
  await expect(page.getByRole("alert")).toContainText("begun in another browser");
  await context.close();
});
