// A channel of an app's own by HubSpot's official Node client, which knows these paths by its generic request alone.

import assert from 'node:assert/strict'
import test from 'node:test'
import hubspot from '@hubspot/api-client'
import { PICTURE, ask, basePath, client, listener, limitedPath } from './kit.js'

const developer = new hubspot.Client({ developerApiKey: 'key-demo-antiphon', basePath })
const qs = { appId: 4410 }
const v3 = '/conversations/v3/custom-channels'
const spellings = ['v3', '2025-09', '2026-03', '2026-09'].map((version) => `/conversations/custom-channels/${version}`)
const phone = (value) => ({ type: 'HS_PHONE_NUMBER', value })
const { inbox, agent } = await ask('/conversations/v3/conversations/inboxes').then(async (inboxes) => ({
  inbox: inboxes.results[0].id,
  agent: (await ask('/antiphon/v1/agents')).results[0],
}))

const post = (path, body, options) => ask(path, { method: 'POST', body, status: 201, ...options })
const patch = (path, body, options) => ask(path, { method: 'PATCH', body, ...options })
const channel = (more = {}) =>
  post(`${v3}/`, { name: 'Harbour SMS', capabilities: { deliveryIdentifierTypes: ['HS_PHONE_NUMBER'] }, ...more }, { client: developer, qs })
const account = (channel, number) =>
  post(`${v3}/${channel}/channel-accounts`, { name: 'Harbour', inboxId: inbox, authorized: true, deliveryIdentifier: phone(number) })

test('a channel lives on every path', async () => {
  for (const base of [v3, ...spellings]) {
    const app = (path, options) => ask(base + path, { client: developer, qs, ...options })
    const body = { name: 'Harbour SMS', capabilities: { threadingModel: 'DELIVERY_IDENTIFIER' } }
    const made = await app('/', { method: 'POST', body, status: 201 })
    assert.deepEqual(made.capabilities, body.capabilities)
    const path = `/${made.id}`
    assert.deepEqual(await app(path), made)
    const changed = await app(path, { method: 'PATCH', body: { capabilities: { richText: ['BOLD'] }, name: {} } })
    assert.deepEqual(changed, { ...made, capabilities: { richText: ['BOLD'] } })
    const { total, results } = await app('/', { qs: { ...qs, sort: '-id', limit: 1 } })
    assert.ok(total >= 1)
    assert.deepEqual(results, [changed])
    await app(path, { method: 'DELETE', status: 204 })
    await app(path, { status: 404 })
  }
})

test('what users and agents say goes through the app', async (t) => {
  const app = await listener(t)
  const { id } = await channel({ webhookUrl: `${app.url}/events` })
  const { id: channelAccountId, active } = await account(id, '+4940555012')
  assert.ok(active)
  const created = await app.next(({ body }) => JSON.parse(body).type === 'CHANNEL_ACCOUNT_CREATED')
  assert.equal(JSON.parse(created.body).channelAccountId, channelAccountId)

  const said = {
    channelAccountId, messageDirection: 'INCOMING', integrationThreadId: 'relay-1', integrationIdempotencyId: 'first',
    text: 'Is berth 4 free?', timestamp: new Date(), attachments: [],
    senders: [{ name: 'Ineke', deliveryIdentifier: phone('+31205550178') }],
    recipients: [{ deliveryIdentifier: phone('+4940555012') }],
  }
  const message = await post(`${v3}/${id}/messages`, said)
  assert.deepEqual(await post(`${v3}/${id}/messages`, said), message, 'said twice, it is there once')
  assert.deepEqual(await ask(`${v3}/${id}/messages/${message.id}`), message)
  assert.deepEqual([message.direction, message.status.statusType], ['INCOMING', 'RECEIVED'])

  const thread = `/conversations/v3/conversations/threads/${message.conversationsThreadId}/messages`
  const file = await client.files.filesApi.upload({ data: PICTURE, name: 'plan.png' }, undefined, '/node', undefined, undefined, '{}')
  const sent = await post(thread, {
    type: 'MESSAGE', text: 'Until nine.', senderActorId: agent.actorId, channelId: id, channelAccountId,
    attachments: [{ type: 'FILE', fileId: file.id }],
  })
  const told = await app.next(({ body }) => JSON.parse(body).type === 'OUTGOING_CHANNEL_MESSAGE_CREATED')
  const event = JSON.parse(told.body)
  assert.deepEqual([event.message.id, event.channelIntegrationThreadIds], [sent.id, ['relay-1']])
  assert.deepEqual(event.message.recipients[0].deliveryIdentifier, phone('+31205550178'))
  assert.equal(event.message.senders[0].name, agent.name)
  const fetched = await fetch(event.message.attachments[0].url, { headers: { authorization: 'Bearer x' } })
  assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), PICTURE)
  const signed = { clientSecret: 'secret-demo-antiphon', requestBody: told.body, url: app.url + told.url, method: told.method }
  const timestamp = Number(told.headers['x-hubspot-request-timestamp'])
  const isValid = (signature, signatureVersion) => hubspot.Signature.isValid({ ...signed, timestamp, signature, signatureVersion })
  assert.ok(isValid(told.headers['x-hubspot-signature-v3'], 'v3'))
  assert.ok(isValid(told.headers['x-hubspot-signature'], told.headers['x-hubspot-signature-version']))

  const status = (body) => patch(`${v3}/${id}/messages/${sent.id}`, body)
  assert.equal((await status({ statusType: 'READ' })).status.statusType, 'READ')
  const failed = await status({ statusType: 'FAILED', errorMessage: 'no such number' })
  assert.deepEqual(failed.status.failureDetails, { errorMessage: 'no such number', errorMessageTokens: {} })
  assert.deepEqual((await ask(`${thread}/${sent.id}`)).status, failed.status)

  const published = await post(`${v3}/${id}/messages`, {
    channelAccountId, messageDirection: 'OUTGOING', text: 'Automatic.', timestamp: Date.now(), attachments: [],
    recipients: said.senders, senders: said.recipients, integrationThreadId: 'relay-1',
  })
  assert.deepEqual([published.conversationsThreadId, published.createdBy], [message.conversationsThreadId, 'I-4410'])
})

test('accounts are connected, found, changed, and refused twice', async () => {
  const { id } = await channel({ channelAccountConnectionRedirectUrl: 'https://sms.example/connect?a=1' })
  const accounts = `${v3}/${id}/channel-accounts`
  const made = await account(id, '+4940555013')
  const twice = await post(accounts, { name: 'x', inboxId: inbox, deliveryIdentifier: phone('00494 0555013') }, { status: 409 })
  assert.equal(twice.category, 'CONFLICT')
  const begun = await post(`/antiphon/v1/channels/${id}/connect`, { inboxId: inbox, userId: agent.id })
  const token = new URL(begun.location).searchParams.get('accountToken')
  const staged = { accountName: 'Quay', deliveryIdentifier: phone('+4940555014') }
  const staging = `${v3}/${id}/channel-account-staging-tokens/${token}`
  const told = await patch(staging, staged)
  assert.deepEqual([told.genericChannelId, told.inboxId, told.accountName], [Number(id), Number(inbox), 'Quay'])
  assert.equal((await patch(staging, staged, { status: 409 })).category, 'CONFLICT')
  const found = await ask(accounts, { qs: { deliveryIdentifierType: 'HS_PHONE_NUMBER', deliveryIdentifierValue: '+4940555014' } })
  assert.deepEqual([found.total, found.results[0].name], [1, 'Quay'])
  const off = await patch(`${accounts}/${made.id}`, { authorized: false, name: 'Closed' })
  assert.deepEqual([off.active, off.name], [false, 'Closed'])
  assert.deepEqual(await ask(`${accounts}/${made.id}`), off)
  const said = { channelAccountId: made.id, messageDirection: 'INCOMING', text: 'x', senders: [{ deliveryIdentifier: phone('+31') }] }
  const refused = await post(`${v3}/${id}/messages`, said, { status: 400 })
  assert.equal(refused.subCategory, 'CustomChannelsError.CHANNEL_ACCOUNT_INACTIVE')
})

test('what is wrong is said as clients read it', async () => {
  const wrong = await post(v3, { name: 'x', capabilities: { threadingModel: 'DISTINCT' } }, { client: developer, qs, status: 400 })
  assert.deepEqual(wrong.context.capabilityKeysAndValues, ['threadingModel: DISTINCT'])
  await ask(v3, { client: new hubspot.Client({ developerApiKey: 'nobody', basePath }), qs, status: 401 })
  const other = new hubspot.Client({ accessToken: 'pat-demo-other', basePath })
  const { id } = await channel()
  assert.equal((await ask(`${v3}/${id}/channel-accounts`, { client: other, status: 404 })).category, 'OBJECT_NOT_FOUND')
  const reader = new hubspot.Client({ accessToken: 'pat-demo-readonly', basePath })
  assert.equal((await ask(`${v3}/${id}/channel-accounts`, { client: reader, status: 403 })).category, 'MISSING_SCOPES')
  const large = { name: 'x'.repeat(300_000), capabilities: {} }
  assert.equal((await post(v3, large, { client: developer, qs, status: 413 })).category, 'PAYLOAD_TOO_LARGE')

  const hasty = new hubspot.Client({ developerApiKey: 'key-demo-antiphon', basePath: limitedPath })
  let response
  for (let sent = 0; sent < 10 && response?.status !== 429; sent++) response = await hasty.apiRequest({ path: v3, qs })
  assert.equal((await response.json()).policyName, 'TEN_SECONDLY_ROLLING')
})
