// What the tests of several families share.

import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import { setTimeout as passed } from 'node:timers/promises'
import hubspot from '@hubspot/api-client'

export const basePath = process.env.ANTIPHON_URL
export const limitedPath = process.env.ANTIPHON_LIMITED_URL
assert.ok(basePath && limitedPath, 'the servers are named by ANTIPHON_URL and ANTIPHON_LIMITED_URL')
export const accessToken = 'pat-demo-antiphon'
export const client = new hubspot.Client({ accessToken, basePath })

/** What a call throws. */
export const thrown = (call) => call.then(() => assert.fail('it succeeded'), (error) => error)

/** What the client's generic request is answered. */
export async function ask(path, { client: by = client, status = 200, ...options } = {}) {
  const response = await by.apiRequest({ path, ...options })
  const text = await response.text()
  assert.equal(response.status, status, `${path}: ${response.status} ${text}`)
  return text && JSON.parse(text)
}

/** A group of the client's APIs, and in `left` the operations that nobody called. Each has two methods, which send the same. */
export function watched(apis) {
  const operation = (api, method) => `${api}.${method.replace(/WithHttpInfo$/, '')}`
  const methods = (api) => Object.getOwnPropertyNames(Object.getPrototypeOf(api)).filter((name) => name !== 'constructor')
  const left = new Set(Object.entries(apis).flatMap(([name, api]) => methods(api).map((method) => operation(name, method))))
  const calls = (name) => ({ get: (api, method) => (left.delete(operation(name, method)), api[method]) })
  const proxies = Object.entries(apis).map(([name, api]) => [name, new Proxy(api, calls(name))])
  return { left, ...Object.fromEntries(proxies) }
}

/** Asks until the answer is one that was waited for. */
export async function until(question, done) {
  for (const end = Date.now() + 20_000; ; await passed(20)) {
    const answer = await question()
    if (done(answer)) return answer
    assert.ok(Date.now() < end, `still ${JSON.stringify(answer)}`)
  }
}

/** A program on this machine, until a test ends: it serves one picture, and takes what it is told. */
export async function listener(test) {
  const told = []
  const server = http.createServer(async (request, response) => {
    const chunks = await request.toArray()
    const { method, url, headers } = request
    told.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    server.emit('told')
    response.setHeader('content-type', 'image/png').end(request.method === 'GET' ? PICTURE : '')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const next = async (wanted) => {
    const signal = AbortSignal.timeout(20_000)
    for (;;) {
      const found = told.findIndex(wanted)
      if (found >= 0) return told.splice(found, 1)[0]
      await once(server, 'told', { signal })
    }
  }
  const stop = () => new Promise((closed) => (server.close(closed), server.closeAllConnections()))
  test.after(stop)
  return { url: `http://127.0.0.1:${server.address().port}`, next, stop }
}

/** A picture of one pixel. */
export const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** How wide a picture is. */
export const width = (picture) => picture.readUInt32BE(16)
