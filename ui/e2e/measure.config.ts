// What is measured, one thing after the other, and never as a test.
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig({
  ...tests,
  testDir: "measure",
  workers: 1,
  fullyParallel: false,
  timeout: 15 * 60_000,
  use: { ...tests.use, trace: "off" },
  projects: [{ name: "embedded" }],
});
