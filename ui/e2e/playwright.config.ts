import { defineConfig } from "@playwright/test";
import type { Stores } from "./kit/test.ts";

// Debian's Chromium, which calls nobody.
const launchOptions = {
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export default defineConfig<object, Stores>({
  testDir: "tests",
  outputDir: "results",
  fullyParallel: true,
  workers: Number(process.env["E2E_WORKERS"] ?? 3),
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: { launchOptions, trace: "retain-on-failure", locale: "en-GB", timezoneId: "Europe/Berlin" },
  projects: [
    { name: "embedded", use: { store: "embedded" }, grepInvert: /@alone|@pictures/ },
    // Two nodes on one database, and whoever talks to whom is on the other one.
    { name: "nodes", use: { store: "nodes" }, grep: /@nodes/ },
    // What is timed has the machine to itself.
    { name: "alone", use: { store: "embedded" }, grep: /@alone/, dependencies: ["embedded", "nodes"], workers: 1 },
    ...(process.env["ANTIPHON_PICTURES"] ? [{ name: "pictures", grep: /@pictures/ }] : []),
  ],
});
