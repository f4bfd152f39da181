// A program that is told of events, as an app's developer would run it.
import { once } from "node:events";
import { createServer, type Server } from "node:http";

export interface Received {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export class Receiver {
  readonly received: Received[] = [];
  /** What it answers with. */
  status = 200;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<Receiver> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    const receiver = new Receiver(server, `http://127.0.0.1:${address.port}/hook`);
    server.on("request", async (request, response) => {
      let body = "";
      for await (const part of request) body += String(part);
      receiver.received.push({ path: request.url ?? "", headers: request.headers, body });
      response.statusCode = receiver.status;
      response.end(receiver.status < 300 ? "so be it" : "not today");
    });
    return receiver;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
