// Requests that Antiphon signed, held against the verification of HubSpot's official Node client.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import hubspot from '@hubspot/api-client'

const { cases, old } = JSON.parse(fs.readFileSync('signatures.json', 'utf8'))

function valid(version, request) {
  return hubspot.Signature.isValid({
    signatureVersion: version,
    signature: request[version],
    clientSecret: request.secret,
    method: request.method,
    url: request.url,
    requestBody: request.body,
    timestamp: request.timestamp,
  })
}

test('what Antiphon signs is accepted', () => {
  assert.equal(cases.length, 72)
  for (const request of cases) {
    for (const version of ['v1', 'v2', 'v3']) {
      const expected = version !== 'v3' || !request.undone
      assert.equal(valid(version, request), expected, `${version} ${JSON.stringify(request)}`)
    }
  }
})

test('what was changed since is not', () => {
  for (const request of cases) {
    for (const [version, changed] of [
      ['v1', { body: `${request.body} ` }],
      ['v1', { secret: `${request.secret}0` }],
      ['v2', { body: `${request.body} ` }],
      ['v2', { url: `${request.url}0` }],
      ['v2', { method: 'PUT' }],
      ['v3', { body: `${request.body} ` }],
      ['v3', { url: `${request.url}0` }],
      ['v3', { method: 'PUT' }],
      ['v3', { secret: `${request.secret}0` }],
      ['v3', { timestamp: String(Number(request.timestamp) + 1) }],
    ]) {
      assert.equal(valid(version, { ...request, ...changed }), false, `${version} ${JSON.stringify(changed)}`)
    }
  }
})

test('what is old is refused', () => {
  assert.equal(valid('v1', old), true)
  assert.throws(() => valid('v3', old), /Timestamp is invalid/)
})
