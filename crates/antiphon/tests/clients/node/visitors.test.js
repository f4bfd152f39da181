// Visitors' tokens by HubSpot's official Node client.

import assert from 'node:assert/strict'
import test from 'node:test'
import hubspot from '@hubspot/api-client'
import { ask, basePath, client, thrown, watched } from './kit.js'

const { generateApi, left } = watched(client.conversations.visitorIdentification)
const says = (token, email) => ask('/antiphon/v1/visitor-tokens/verify', { method: 'POST', body: { token, email } })
const hsCustomerAgentContext = { berth: '4' }

test('a token says who the visitor is', async () => {
  const visitor = { email: 'Ineke@harbour.example', firstName: 'Ineke', lastName: 'Vos', hsCustomerAgentContext }
  const { token } = await generateApi.generateToken(visitor)
  const { valid, visitor: identified } = await says(token, 'ineke@harbour.example')
  assert.ok(valid)
  assert.deepEqual([identified.firstName, identified.lastName], ['Ineke', 'Vos'])
  const whole = await generateApi.generateTokenWithHttpInfo({ email: visitor.email, hsCustomerAgentContext: {} })
  assert.equal(whole.httpStatusCode, 200)
  assert.notEqual(whole.data.token, token)
  assert.equal((await says(whole.data.token, 'piet@harbour.example')).valid, false)
})

test('a page without a valid address, or a caller without the scope, gets none', async () => {
  const wrong = await thrown(generateApi.generateToken({ email: 'nobody', hsCustomerAgentContext }))
  assert.equal(wrong.code, 400)
  assert.equal(wrong.body.category, 'VALIDATION_ERROR')
  assert.equal(wrong.body.errors[0].in, 'email')
  const by = (accessToken) => new hubspot.Client({ accessToken, basePath }).conversations.visitorIdentification.generateApi
  const forbidden = await thrown(by('pat-demo-readonly').generateToken({ email: 'a@b.example', hsCustomerAgentContext }))
  assert.deepEqual([forbidden.code, forbidden.body.category], [403, 'MISSING_SCOPES'])
  assert.equal((await thrown(by('nobody').generateToken({ email: 'a@b.example', hsCustomerAgentContext }))).code, 401)
})

test('every version is reached by the generic request', async () => {
  const versions = ['v3', '2025-09', '2026-03', '2026-09'].map((version) => `/visitor-identification/${version}`)
  for (const prefix of [...versions, '/conversations/v3/visitor-identification']) {
    const { token } = await ask(`${prefix}/tokens/create`, { method: 'POST', body: { email: 'ineke@harbour.example' } })
    assert.ok((await says(token)).valid, prefix)
  }
})

test('nothing of the family is left out', () => {
  assert.deepEqual([...left], [])
})
