// Somebody's website, on another host than ours: pages that are written for HubSpot's chat, with the host changed.
import { once } from "node:events";
import { createServer, type Server } from "node:http";

export interface Page {
  /** What the page sets before the loader. */
  settings?: Record<string, unknown>;
  /** Runs in the page, before the loader. */
  script?: string;
  body?: string;
  /** A policy of the page's own; its scripts are then files. */
  policy?: string;
}

export class Website {
  private readonly pages = new Map<string, string>();
  private readonly policies = new Map<string, string>();
  private readonly scripts = new Map<string, string>();
  private count = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<Website> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    // Another site than 127.0.0.1, as a browser sees it.
    const website = new Website(server, `http://localhost:${address.port}`);
    server.on("request", (request, response) => website.answer(request.url ?? "/", response));
    return website;
  }

  private answer(url: string, response: import("node:http").ServerResponse): void {
    const path = url.split("?")[0] ?? "/";
    const script = this.scripts.get(path);
    if (script !== undefined) {
      response.setHeader("content-type", "text/javascript");
      response.end(script);
      return;
    }
    const page = [...this.pages].find(([known]) => path === known || path.startsWith(`${known}/`));
    const policy = page && this.policies.get(page[0]);
    if (policy !== undefined) response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.statusCode = page === undefined ? 404 : 200;
    response.end(page?.[1] ?? "");
  }

  /** Puts a page up, and returns its address. Places below it show the same page. */
  page(host: string, portal: string, page: Page = {}): string {
    const path = `/page-${(this.count += 1)}`;
    const settings = page.settings ? `window.hsConversationsSettings = ${JSON.stringify(page.settings)};` : "";
    const script = settings + (page.script ?? "");
    if (page.policy !== undefined) {
      this.policies.set(path, page.policy);
      this.scripts.set(`${path}.js`, script);
    }
    const inline = script ? `<script>${script}</script>` : "";
    this.pages.set(
      path,
      `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Harbour</title>
    <link rel="icon" href="data:,">
    ${page.policy === undefined ? inline : `<script src="${path}.js"></script>`}
  </head>
  <body>
    <main><h1>Berths and moorings</h1>${page.body ?? "<p>Ask us for a berth.</p>"}</main>
    <!-- Start of HubSpot Embed Code -->
    <script type="text/javascript" id="hs-script-loader" async defer src="//${host}/${portal}.js"></script>
    <!-- End of HubSpot Embed Code -->
  </body>
</html>`,
    );
    return this.url + path;
  }

  /** The same with a line that somebody was told to put there, as it is. */
  with(tag: string): string {
    const path = `/page-${(this.count += 1)}`;
    this.pages.set(path, `<!doctype html><html lang="en"><head><title>Harbour</title><link rel="icon" href="data:,"></head><body><main><h1>Berths</h1></main>${tag}</body></html>`);
    return this.url + path;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
