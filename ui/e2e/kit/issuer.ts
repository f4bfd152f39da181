// A real issuer of OpenID Connect, with pages on which anybody is whoever they say they are.
import { once } from "node:events";
import { type Server as Http, createServer } from "node:http";
import Provider from "oidc-provider";

export const CLIENT = { id: "antiphon", secret: "tide and time" };

export class Issuer {
  private constructor(
    private readonly http: Http,
    readonly url: string,
  ) {}

  /** Takes a port; what it answers there is said later, once it is known who asks. */
  static async open(): Promise<Issuer> {
    const http = createServer().listen(0, "127.0.0.1");
    await once(http, "listening");
    const address = http.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    return new Issuer(http, `http://127.0.0.1:${address.port}`);
  }

  /** Serves a client. Whose name begins with `un` has an address that nobody has looked at. */
  serve(callback: string): void {
    const provider = new Provider(this.url, {
      clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [callback] }],
      claims: { email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["harbour"] },
      pkce: { required: () => true },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({
          sub: id,
          email: id,
          email_verified: !id.startsWith("un"),
          name: id.split("@")[0] ?? id,
        }),
      }),
    });
    this.http.on("request", provider.callback());
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, "close");
  }
}
