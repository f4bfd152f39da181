// So many visitors with the chat open: each has a stream of events and writes now and then. Says `ready` once all listen, and
// ends with its input. Arguments: the server's address, portal, account, how many, and every how many seconds each writes.
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

const [url, portal, account, count, every] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function ask(method, path, body, session) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", ...(session ? { authorization: `Bearer ${session}` } : {}) };
    const sent = request(url + path, { method, headers, agent }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        if (response.statusCode >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function listen(session) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${session}`, accept: "text/event-stream" };
    const stream = request(`${url}/widget/v1/events`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`no stream: ${response.statusCode}`));
      response.resume();
      resolve();
    });
    stream.on("error", reject);
    stream.end();
  });
}

async function visitor(number) {
  const body = { accountId: account, url: "https://harbour.example/berths" };
  const { session } = await ask("POST", `/widget/v1/${portal}/sessions`, body);
  await listen(session);
  const write = async () => {
    const text = `Visitor ${number} asks at ${new Date().toISOString()}`;
    await ask("POST", "/widget/v1/messages", { text, clientId: randomUUID() }, session);
    setTimeout(() => void write(), Number(every) * 1000 * (0.5 + Math.random()));
  };
  return write;
}

const writers = [];
for (let begun = 0; begun < Number(count); begun += 25) {
  const some = Array.from({ length: Math.min(25, Number(count) - begun) }, (_, at) => visitor(begun + at));
  writers.push(...(await Promise.all(some)));
}
for (const write of writers) setTimeout(() => void write(), Math.random() * Number(every) * 1000);
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
