// The visitor's side: the chat on somebody's page.
import { type FrameLocator, type Locator, type Page, expect } from "@playwright/test";

export class Chat {
  readonly frame: FrameLocator;
  readonly launcher: Locator;
  readonly log: Locator;
  readonly field: Locator;

  constructor(
    readonly page: Page,
    container = "#hubspot-messages-iframe-container iframe",
  ) {
    this.frame = page.frameLocator(container);
    this.launcher = this.frame.locator("#launcher");
    this.log = this.frame.getByRole("log");
    this.field = this.frame.getByRole("textbox", { name: "Write a message" });
  }

  /** Opens it as a visitor does. */
  async open(): Promise<void> {
    await this.launcher.click();
    await expect(this.field).toBeVisible();
  }

  /** Writes, and returns once the server has it. */
  async say(text: string): Promise<void> {
    await this.write(text);
    await expect(this.log.getByText(/· (Sent|Seen)$/).last()).toBeVisible();
  }

  /** Writes, whatever becomes of it. */
  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
    await expect(this.said(text)).toBeVisible();
  }

  said(text: string): Locator {
    return this.log.getByText(text, { exact: true });
  }

  async attach(name: string, mimeType: string, buffer: Buffer): Promise<void> {
    await this.frame.locator('input[type="file"]').setInputFiles({ name, mimeType, buffer });
    await expect(this.frame.getByRole("button", { name: "Send" })).toBeEnabled();
  }
}
