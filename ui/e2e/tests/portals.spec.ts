// Somebody who works in several portals, with one address and one password.
import { expect, test } from "../kit/test.ts";
import { Portal } from "../kit/portal.ts";

test("whoever is known in several portals is asked which one, once the password is right", async ({ people, portal, server }) => {
  const other = await Portal.make(server.desk, `Marina ${portal.id}`);
  const agent = await portal.agent("Noor");
  const made = await other.api.post("/antiphon/v1/agents", { name: "Noor", email: agent.email });
  await other.api.put(`/antiphon/v1/agents/${String(made["id"])}/login`, { password: agent.password });
  const page = await people.page();
  await page.goto(people.inbox());
  await page.getByLabel("Email address").fill(agent.email);
  await page.getByLabel("Password").fill("not mine at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("not right");
  await page.getByLabel("Password").fill(agent.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  const choice = page.getByRole("list", { name: "Which portal?" });
  await expect(choice.getByRole("button")).toHaveText([portal.name, other.name]);
  await choice.getByRole("button", { name: other.name }).click();
  await expect(page.getByRole("navigation", { name: "Views and inboxes" })).toBeVisible();
  const session = await page.evaluate(async () => (await fetch("/antiphon/v1/session")).json());
  expect(session).toMatchObject({ portal: { id: other.id, name: other.name } });
});
