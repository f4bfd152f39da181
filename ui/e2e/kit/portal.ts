// A portal of a test's own: a server has room for many, and none sees another.
import type { Node } from "./server.ts";

type Json = Record<string, unknown>;

export interface Agent {
  id: string;
  name: string;
  email: string;
  password: string;
  portal: string;
}

/** The public API, as an integration calls it. */
export class Api {
  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  async call(method: string, path: string, body?: Json): Promise<Json> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Json);
  }

  get(path: string): Promise<Json> {
    return this.call("GET", path);
  }

  post(path: string, body: Json): Promise<Json> {
    return this.call("POST", path, body);
  }

  put(path: string, body: Json): Promise<Json> {
    return this.call("PUT", path, body);
  }
}

export class Portal {
  private constructor(
    readonly id: string,
    readonly name: string,
    readonly api: Api,
    readonly inbox: string,
    /** Its account on live chat. */
    readonly chat: string,
  ) {}

  /** A portal with an inbox and a chat that is on every page. */
  static async make(node: Node, name: string): Promise<Portal> {
    const id = String((await node.operate("portal", "create", name))["id"]);
    const token = await node.operate("token", "create", "Tests", "--portal", id, "--all-scopes");
    const api = new Api(node.url, String(token["token"]));
    const inbox = String((await api.post("/antiphon/v1/inboxes", { name: "Harbour office" }))["id"]);
    const account = { name: "Chat", channelId: "1000", inboxId: inbox };
    const chat = String((await api.post("/antiphon/v1/channel-accounts", account))["id"]);
    return new Portal(id, name, api, inbox, chat);
  }

  /** Says how the chat is. */
  async chats(settings: Json = {}): Promise<void> {
    await this.api.put(`/antiphon/v1/channel-accounts/${this.chat}/chat`, settings);
  }

  /** Somebody who can sign in, and in no other portal of the server; an administrator unless another role is said. */
  async agent(name: string, role?: "ADMIN" | "AGENT" | "READ_ONLY"): Promise<Agent> {
    const email = `${name.toLowerCase().replaceAll(/[^a-z]+/g, ".")}@harbour-${this.id}.example`;
    const password = `tide-${name}-and-time`;
    const made = await this.api.post("/antiphon/v1/agents", { name, email });
    const id = String(made["id"]);
    await this.api.put(`/antiphon/v1/agents/${id}/login`, { password, ...(role ? { role } : {}) });
    return { id, name, email, password, portal: this.id };
  }
}
