// A bell that rings when a script of others runs anywhere in a window, or when anything leaves for where nothing should go.
import type { Page, Request } from "@playwright/test";
import { expect } from "@playwright/test";

export class Alarm {
  private readonly rung: string[] = [];

  private constructor(
    private readonly page: Page,
    private readonly own: readonly string[],
  ) {}

  /** Hangs it up in a window that has been nowhere yet; requests may go to these origins. Whatever runs calls `evil()`. */
  static async in(page: Page, own: readonly string[]): Promise<Alarm> {
    const alarm = new Alarm(page, own);
    const context = page.context();
    await context.exposeBinding("evil", ({ frame }, what: unknown) => {
      alarm.rung.push(`${String(what)} ran in ${frame.url()}`);
    });
    context.on("requestfinished", (request) => alarm.asked(request));
    // What a policy stops goes nowhere.
    context.on("requestfailed", (request) => request.failure()?.errorText === "csp" || alarm.asked(request));
    context.on("dialog", (dialog) => {
      alarm.rung.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("page", (other) => other === page || alarm.rung.push(`a window was opened: ${other.url()}`));
    return alarm;
  }

  private asked(request: Request): void {
    const url = new URL(request.url());
    if (["data:", "blob:", "about:"].includes(url.protocol) || this.own.includes(url.origin)) return;
    this.rung.push(`${request.frame().url()} asked for ${request.url()}`);
  }

  /** It has not rung, and nothing stands there that would have it ring. */
  async silent(): Promise<void> {
    // What waits for the next turn, or for a picture that is not there, has run by then.
    await this.page.waitForTimeout(250);
    for (const frame of this.page.frames()) {
      const bad = await frame
        .evaluate(() => {
          const acts = (one: Element) => [...one.attributes].some((own) => /^on|^srcdoc$/iu.test(own.name));
          const leads = (one: Element) => {
            const href = one.getAttribute("href") ?? one.getAttribute("src") ?? one.getAttribute("action") ?? "";
            return /^[\s\u0000-\u0020]*(?:javascript|vbscript|data:text)/iu.test(href);
          };
          const all = [...document.querySelectorAll("*")];
          // A letter's frame is ours: it has its words in `srcdoc`.
          const found = all.filter((one) => (one.localName !== "iframe" && acts(one)) || leads(one));
          return found.map((one) => one.outerHTML.slice(0, 300));
        })
        .catch(() => []);
      expect(bad, frame.url()).toEqual([]);
    }
    expect(this.rung).toEqual([]);
  }
}
