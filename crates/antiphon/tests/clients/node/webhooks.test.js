// The webhooks of an app, set up by HubSpot's official Node client with the app's developer key and with its token.

import assert from 'node:assert/strict'
import test from 'node:test'
import hubspot from '@hubspot/api-client'

const basePath = process.env.ANTIPHON_URL
const app = 4410
const { settingsApi, subscriptionsApi } = new hubspot.Client({ developerApiKey: 'key-demo-antiphon', basePath }).webhooks
const targetUrl = 'https://bot.example.org/hooks?team=caf%C3%A9&next=%2Fhome'

/** What a call throws. */
const thrown = (call) => call.then(() => assert.fail('it succeeded'), (error) => error)

test('settings are configured, read and cleared', async () => {
  assert.equal((await thrown(settingsApi.getAll(app))).code, 404)
  const made = await settingsApi.configure(app, { targetUrl, throttling: { maxConcurrentRequests: 10 } })
  assert.equal(made.targetUrl, targetUrl, 'as it was given')
  assert.ok(made.createdAt instanceof Date)
  assert.equal(made.updatedAt, undefined)
  const changed = await settingsApi.configure(app, { targetUrl, throttling: { maxConcurrentRequests: 6 } })
  assert.equal(changed.throttling.maxConcurrentRequests, 6)
  assert.deepEqual(changed.createdAt, made.createdAt)
  assert.ok(changed.updatedAt >= made.createdAt)
  assert.deepEqual(await settingsApi.getAll(app), changed)
  await settingsApi.clear(app)
  assert.equal((await thrown(settingsApi.getAll(app))).code, 404)
  const wrong = await thrown(settingsApi.configure(app, { targetUrl: 'nowhere', throttling: { maxConcurrentRequests: 6 } }))
  assert.equal(wrong.code, 400)
  assert.equal(wrong.body.errors[0].in, 'targetUrl')
})

test('a subscription is made, switched on, and archived', async () => {
  const made = await subscriptionsApi.create(app, { eventType: 'conversation.newMessage' })
  assert.equal(made.active, false, 'it begins switched off')
  assert.equal(typeof made.id, 'string')
  const id = Number(made.id)
  const on = await subscriptionsApi.update(id, app, { active: true })
  assert.equal(on.active, true)
  assert.deepEqual(await subscriptionsApi.getById(id, app), on)
  const twice = await thrown(subscriptionsApi.create(app, { eventType: 'conversation.newMessage', active: true }))
  assert.equal(twice.code, 409)
  assert.equal(twice.body.category, 'CONFLICT')
  await subscriptionsApi.archive(id, app)
  assert.equal((await thrown(subscriptionsApi.getById(id, app))).code, 404)
  await subscriptionsApi.create(app, { eventType: 'conversation.newMessage' })
})

test('every type the client knows is taken, and many are switched at once', async () => {
  const types = Object.values((await import('@hubspot/api-client/lib/codegen/webhooks/models/SubscriptionCreateRequest.js'))
    .SubscriptionCreateRequestEventTypeEnum)
  const known = new Set((await subscriptionsApi.getAll(app)).results.map((one) => one.eventType))
  for (const eventType of types.filter((type) => !known.has(type))) {
    const propertyName = { 'conversation.propertyChange': 'assignedTo' }[eventType] ?? 'amount'
    const made = await subscriptionsApi.create(app, { eventType, propertyName, active: false })
    assert.equal(made.eventType, eventType)
  }
  const { results } = await subscriptionsApi.getAll(app)
  assert.deepEqual(new Set(results.map((one) => one.eventType)), new Set(types))

  const inputs = results.map((one) => ({ id: Number(one.id), active: true }))
  const batch = await subscriptionsApi.updateBatch(app, { inputs })
  assert.equal(batch.status, 'COMPLETE')
  assert.ok(batch.completedAt instanceof Date)
  assert.deepEqual(batch.results.map((one) => one.id), results.map((one) => one.id))
  assert.ok(batch.results.every((one) => one.active))
  const partly = await subscriptionsApi.updateBatch(app, { inputs: [inputs[0], { id: 2147483647, active: true }] })
  assert.equal(partly.results.length, 1)
  assert.equal(partly.numErrors, 1)
  assert.deepEqual(partly.errors[0].context.id, ['2147483647'])
})

test('a token of the app opens it, and nobody else', async () => {
  const path = `/webhooks/2026-03/${app}/subscriptions`
  const status = async (options) => (await new hubspot.Client({ basePath, ...options }).apiRequest({ path })).status
  assert.equal(await status({ accessToken: 'pat-demo-readonly' }), 200)
  assert.equal(await status({ accessToken: 'pat-demo-other' }), 404)
  assert.equal(await status({ accessToken: 'nobody' }), 401)
  const stranger = new hubspot.Client({ developerApiKey: 'nobody', basePath }).webhooks.settingsApi
  assert.equal((await thrown(stranger.getAll(app))).code, 401)
})
