// What is measured, one thing after the other, and never as a test.
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

// All who are measured come from one address, and one visitor types as fast as it is answered.
for (const limit of ["SESSIONS", "MESSAGES", "MESSAGES_OF_ADDRESS", "REQUESTS", "REQUESTS_OF_ADDRESS"]) {
  const name = limit.replace(/^[A-Z]+/, "$&_PER_MINUTE");
  process.env[`ANTIPHON_WIDGET__${name}`] = "1000000";
}
process.env["ANTIPHON_WIDGET__THREADS_PER_HOUR"] = "1000000";
process.env["ANTIPHON_WIDGET__THREADS_PER_HOUR_OF_ADDRESS"] = "1000000";

export default defineConfig({
  ...tests,
  testDir: "measure",
  workers: 1,
  fullyParallel: false,
  timeout: 15 * 60_000,
  use: { ...tests.use, trace: "off" },
  projects: [{ name: "embedded" }],
});
