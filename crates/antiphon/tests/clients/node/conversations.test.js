// HubSpot's official Node client against a running Antiphon: the base path is changed, nothing else.

import assert from 'node:assert/strict'
import test from 'node:test'
import hubspot from '@hubspot/api-client'
import retrying from '@hubspot/api-client/lib/src/services/decorators/RetryDecorator.js'

const basePath = process.env.ANTIPHON_URL
const limitedPath = process.env.ANTIPHON_LIMITED_URL
const accessToken = 'pat-demo-antiphon'
const versions = {
  v3: '/conversations/v3/conversations',
  'v3 as assignees spell it': '/conversations/conversations/v3',
  '2026-09-beta': '/conversations/conversations/2026-09-beta',
  '2026-09': '/conversations/conversations/2026-09',
}
const v3 = versions.v3
const beta = versions['2026-09-beta']
const client = new hubspot.Client({ accessToken, basePath })

async function ask(path, qs, options = {}) {
  const response = await (options.client ?? client).apiRequest({ path, qs, ...options })
  assert.equal(response.status, options.status ?? 200, `${path}: ${response.status}`)
  return response.status === 204 ? undefined : response.json()
}

async function all(path, qs) {
  const found = []
  let after
  for (let pages = 1; ; pages++) {
    const page = await ask(path, after ? { ...qs, after } : qs)
    found.push(...page.results)
    after = page.paging?.next?.after
    if (!after) return { found, pages }
    const link = new URL(page.paging.next.link)
    assert.equal(link.origin, basePath)
    assert.equal(link.pathname, path)
    assert.equal(link.searchParams.get('after'), after)
    assert.ok(pages < 10_000, 'paging does not end')
  }
}

/** An open chat whose account can send, and an agent to send as. */
async function openChat() {
  const accounts = await ask(`${v3}/channel-accounts`, { channelId: [1000] })
  const usable = new Set(accounts.results.filter((a) => a.active && a.authorized).map((a) => a.id))
  const { found } = await all(`${v3}/threads`, { threadStatus: 'OPEN', limit: 500 })
  const thread = found.find((t) => usable.has(t.originalChannelAccountId) && t.assignedTo?.startsWith('A-'))
  assert.ok(thread, 'the demo has an open chat with an agent')
  return thread
}

for (const [name, prefix] of Object.entries(versions)) {
  test(`${name}: threads are listed and each can be read`, async () => {
    const { found, pages } = await all(`${prefix}/threads`, { limit: 30 })
    assert.ok(pages > 3, `${pages} pages`)
    assert.equal(new Set(found.map((t) => t.id)).size, found.length, 'each thread once')
    const ids = found.map((t) => Number(t.id))
    assert.deepEqual(ids, ids.toSorted((a, b) => a - b), 'oldest first')
    assert.deepEqual(await ask(`${prefix}/threads/${found[0].id}`), found[0])
  })
}

test('an array arrives as one comma value and filters', async () => {
  const inboxes = (await ask(`${v3}/inboxes`)).results.map((inbox) => inbox.id).slice(0, 2)
  const { found } = await all(`${v3}/threads`, { inboxId: inboxes, association: ['TICKET'], limit: 500 })
  assert.deepEqual(new Set(found.map((t) => t.inboxId)), new Set(inboxes))
  assert.ok(found.some((t) => t.threadAssociations?.associatedTicketId))
})

test('a history is paged newest first, without gap or repetition', async () => {
  const { id } = await openChat()
  const path = `${beta}/threads/${id}/messages`
  const { found, pages } = await all(path, { limit: 2 })
  assert.ok(pages > 1)
  assert.equal(new Set(found.map((m) => m.id)).size, found.length)
  const times = found.map((m) => m.createdAt)
  assert.deepEqual(times, times.toSorted().reverse())
  const { found: forwards } = await all(path, { limit: 3, sort: 'createdAt' })
  assert.deepEqual(forwards.reverse(), found)
  assert.deepEqual(await ask(`${path}/${found[0].id}`), found[0])
})

test('a message is sent and read back', async () => {
  const thread = await openChat()
  const path = `${v3}/threads/${thread.id}/messages`
  const newest = (await all(path, { limit: 100 })).found.find((m) => m.direction === 'INCOMING')
  const body = {
    type: 'MESSAGE',
    text: 'Grüße, 你好, שלום 👋',
    richText: '<p>Grüße, 你好, שלום 👋</p>',
    senderActorId: thread.assignedTo,
    channelId: thread.originalChannelId,
    channelAccountId: thread.originalChannelAccountId,
    recipients: newest.senders.map((s) => ({ actorId: s.actorId, deliveryIdentifiers: [s.deliveryIdentifier] })),
    attachments: [],
  }
  const sent = await ask(path, undefined, { method: 'POST', body, status: 201 })
  assert.equal(sent.direction, 'OUTGOING')
  assert.equal(sent.status.statusType, 'SENT')
  assert.equal(sent.text, body.text)
  assert.equal(sent.client.integrationAppId, 4410)
  assert.equal(sent.createdBy, 'I-4410')
  assert.equal(sent.senders[0].actorId, thread.assignedTo)
  const history = await ask(path, { limit: 1 })
  assert.deepEqual(history.results, [sent])
  const after = await ask(`${v3}/threads/${thread.id}`)
  assert.equal(after.latestMessageSentTimestamp, sent.createdAt)
})

test('a comment belongs to the app', async () => {
  const { id } = await openChat()
  const path = `${beta}/threads/${id}/messages`
  const body = { type: 'COMMENT', text: 'Please look at this.', senderActorId: 'A-1' }
  const sent = await ask(path, undefined, { method: 'POST', body, status: 201 })
  assert.equal(sent.createdBy, 'I-4410')
  assert.equal(sent.direction, undefined)
  assert.deepEqual(sent.recipients, [])
})

test('actors are read in batches; what is unknown is 207, and 200 in 2026-09', async () => {
  const { assignedTo } = await openChat()
  const body = { inputs: [assignedTo, 'S-hubspot', 'V-9007199254740991'] }
  for (const [prefix, status] of [[v3, 207], [beta, 207], [versions['2026-09'], 200]]) {
    const batch = await ask(`${prefix}/actors/batch/read`, undefined, { method: 'POST', body, status })
    assert.equal(batch.status, 'COMPLETE')
    assert.deepEqual(batch.results.map((actor) => actor.type), ['AGENT', 'SYSTEM'])
    assert.equal(batch.numErrors, 1)
    assert.deepEqual(batch.errors[0].context.id, ['V-9007199254740991'])
  }
})

test('a thread is closed, reopened, unassigned, assigned, deleted and restored', async () => {
  const thread = await openChat()
  const path = `${v3}/threads/${thread.id}`
  const patch = (body, qs) => ask(path, qs, { method: 'PATCH', body })
  assert.equal((await patch({ status: 'CLOSED' })).status, 'CLOSED')
  assert.equal((await patch({ status: 'OPEN' })).closedAt, undefined)
  await ask(`${path}/assignee`, undefined, { method: 'DELETE', status: 204 })
  const assigned = await ask(`${path}/assignee`, undefined, { method: 'PUT', body: { actorId: thread.assignedTo } })
  assert.equal(assigned.assignedTo, thread.assignedTo)
  await ask(path, undefined, { method: 'DELETE', status: 204 })
  await ask(path, undefined, { status: 404 })
  assert.equal((await ask(path, { archived: true })).archived, true)
  assert.equal((await patch({ archived: false }, { archived: true })).archived, false)
})

test('errors say what clients look for', async () => {
  const missing = await ask(`${v3}/threads/99999999`, undefined, { status: 404 })
  assert.equal(missing.category, 'OBJECT_NOT_FOUND')
  assert.deepEqual(missing.context.id, ['99999999'])

  const unsorted = await ask(`${v3}/threads`, { sort: 'latestMessageTimestamp' }, { status: 400 })
  assert.equal(unsorted.category, 'VALIDATION_ERROR')
  assert.equal(unsorted.errors[0].in, 'latestMessageTimestampAfter')

  const stranger = new hubspot.Client({ accessToken: 'nobody', basePath })
  const refused = await ask(`${v3}/threads`, undefined, { client: stranger, status: 401 })
  assert.equal(refused.category, 'INVALID_AUTHENTICATION')
  assert.match(refused.message, /^Authentication credentials not found\./)

  const reader = new hubspot.Client({ accessToken: 'pat-demo-readonly', basePath })
  const { id } = await openChat()
  const options = { client: reader, method: 'POST', body: { type: 'COMMENT', text: 'no' }, status: 403 }
  const forbidden = await ask(`${v3}/threads/${id}/messages`, undefined, options)
  assert.equal(forbidden.category, 'MISSING_SCOPES')
  assert.deepEqual(forbidden.errors[0].context.requiredGranularScopes, ['conversations.write'])

  const other = new hubspot.Client({ accessToken: 'pat-demo-other', basePath })
  const theirs = await ask(`${v3}/threads`, { limit: 500 }, { client: other })
  const ours = await ask(`${v3}/threads`, { limit: 500 })
  assert.notDeepEqual(theirs.results, ours.results)
})

// apiRequest hands every answer to its caller; the generated methods throw what is not 2xx into the client's own retries. This
// is the client's retry code around the client's request, joined in the way the generated methods join them.
function patiently(limited, path) {
  const failures = []
  const once = async () => {
    const response = await limited.apiRequest({ path })
    const body = await response.json()
    if (!response.ok) {
      const failure = Object.assign(new Error(body.message), { code: response.status, body, headers: response.headers })
      failures.push(failure)
      throw failure
    }
    return body
  }
  return { failures, answer: new retrying.default(3).decorate(once)() }
}

test('over the limit, the client waits and tries again', { timeout: 60_000 }, async () => {
  const limited = new hubspot.Client({ accessToken, basePath: limitedPath })
  let response
  for (let sent = 0; sent < 10; sent++) {
    response = await limited.apiRequest({ path: `${v3}/inboxes` })
    if (response.status === 429) break
    assert.equal(response.headers.get('x-hubspot-ratelimit-max'), process.env.ANTIPHON_LIMIT)
    assert.equal(response.headers.get('x-hubspot-ratelimit-interval-milliseconds'), '10000')
  }
  assert.equal(response.status, 429)
  const { failures, answer } = patiently(limited, `${v3}/inboxes`)
  assert.ok((await answer).results.length > 0)
  assert.ok(failures.length >= 1)
  assert.equal(failures[0].code, 429)
  assert.equal(failures[0].body.policyName, 'TEN_SECONDLY_ROLLING')
  assert.equal(failures[0].body.message, 'You have reached your ten_secondly_rolling limit.')
  assert.equal(failures[0].body.errorType, 'RATE_LIMIT')
  const wait = Number(failures[0].headers.get('retry-after'))
  assert.ok(wait >= 1 && wait <= 10, `Retry-After: ${wait}`)
})
