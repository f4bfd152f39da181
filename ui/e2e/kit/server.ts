// The real program in a process of its own, as one node or as two on one database.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = process.env["ANTIPHON_PROGRAM"] ?? join(ROOT, "target/debug/antiphon");
const CLUSTER = process.env["ANTIPHON_CLUSTER"] ?? join(ROOT, "target/debug/antiphon-cluster");

const run = promisify(execFile);

// Nothing outlives the worker that started it.
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) await once(process, "exit");
}

/** The first line that a process prints. */
async function firstLine(process: ChildProcess): Promise<string> {
  if (process.stdout === null) throw new Error("it has no output");
  const lines = createInterface(process.stdout);
  for await (const line of lines) return line;
  throw new Error("it ended without a word");
}

/** An empty database that goes with its process. */
class Database {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async open(): Promise<Database> {
    const process = spawn(CLUSTER, { stdio: ["pipe", "pipe", "inherit"] });
    return new Database(await firstLine(process), process);
  }

  async close(): Promise<void> {
    this.process.stdin?.end();
    await ended(this.process);
  }
}

/** A node: the program on an address of its own, which it keeps when it is started again. */
export class Node {
  private process: ChildProcess | undefined;
  private log = "";
  /** What it said when it began to serve. */
  told: Record<string, unknown> = {};

  constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly flags: string[],
    private readonly environment: Record<string, string>,
  ) {}

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Starts it, and returns once it serves. */
  async start(): Promise<void> {
    const flags = ["serve", "--json", "--listen", this.host, "--data-dir", this.dataDir, ...this.flags];
    const child = spawn(PROGRAM, flags, {
      stdio: ["ignore", "pipe", "pipe"],
      // A machine that is busy with browsers makes a debug build late, and that is no overload.
      env: { ...process.env, ANTIPHON_LIMITS__ENABLED: "false", ANTIPHON_SERVER__LAG_MILLIS: "10000", ...this.environment },
    });
    this.process = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    child.stderr.on("data", (text: Buffer) => (this.log = (this.log + text.toString()).slice(-20_000)));
    try {
      this.told = JSON.parse(await firstLine(child)) as Record<string, unknown>;
    } catch (error) {
      throw new Error(`${PROGRAM} does not serve: ${String(error)}\n${this.log}`);
    }
  }

  /** Stops it gently, or at once. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const process = this.process;
    if (process === undefined) return;
    process.kill(signal);
    await ended(process);
    this.process = undefined;
  }

  /** Asks the program over its control socket, as its operator does. */
  async operate(...words: string[]): Promise<Record<string, unknown>> {
    const { stdout } = await run(PROGRAM, [...words, "--json", "--data-dir", this.dataDir]);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
}

/** Everything that is started for a row of tests. */
export class Server {
  private constructor(
    /** Whom agents talk to, */
    readonly desk: Node,
    /** and visitors: the same one, or another on the same database. */
    readonly site: Node,
    private readonly home: string,
    private readonly database: Database | undefined,
  ) {}

  static async start(
    store: "embedded" | "nodes",
    flags: string[] = [],
    environment: Record<string, string> = {},
  ): Promise<Server> {
    const home = await mkdtemp(join(tmpdir(), "antiphon-e2e-"));
    // One place for files and one master key, for as many nodes as there are.
    const shared = {
      ...environment,
      ANTIPHON_FILES__URL: `file://${join(home, "files")}`,
      ANTIPHON_SECRETS__KEY: randomBytes(32).toString("base64"),
      // Receivers of webhooks are in the test itself.
      ANTIPHON_OUTBOUND__ALLOW: '["127.0.0.1"]',
      ANTIPHON_OUTBOUND__HTTP: "true",
    };
    if (store === "embedded") {
      const node = new Node(await freePort(), join(home, "data"), flags, shared);
      await node.start();
      return new Server(node, node, home, undefined);
    }
    const database = await Database.open();
    const on = ["--store", database.url, ...flags];
    const desk = new Node(await freePort(), join(home, "one"), on, shared);
    const site = new Node(await freePort(), join(home, "two"), on, shared);
    await desk.start();
    await site.start();
    return new Server(desk, site, home, database);
  }

  async close(): Promise<void> {
    await Promise.all([this.desk.stop(), this.site.stop()]);
    await this.database?.close();
    await rm(this.home, { recursive: true, force: true });
  }
}
