// An app is let in by a user, and lives on its tokens, with HubSpot's official Node client.

import assert from 'node:assert/strict'
import test from 'node:test'
import hubspot from '@hubspot/api-client'
import { ask, basePath, client, thrown, watched } from './kit.js'

const app = JSON.parse(process.env.ANTIPHON_OAUTH)
// These calls carry no credential but what they are made with.
const unauthorized = new hubspot.Client({ basePath })
const { accessTokensApi, refreshTokensApi, tokensApi, left } = watched(unauthorized.oauth)
const threads = '/conversations/v3/conversations/threads'
const scope = 'oauth conversations.read files'

/** A browser: what a user does from the app's link to the code that the app is sent. */
async function code() {
  const link = new URL(unauthorized.oauth.getAuthorizationUrl(app.clientId, app.redirectUri, scope, 'tickets', 'a&b'))
  const address = basePath + link.pathname + link.search
  const cookies = new Map()
  const visit = async (body) => {
    const headers = { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }
    const reply = await fetch(address, { method: body ? 'POST' : 'GET', headers, body, redirect: 'manual' })
    for (const cookie of reply.headers.getSetCookie()) cookies.set(...cookie.split(';')[0].split('='))
    const form = (await reply.text()).match(/name="form" value="([^"]+)"/)?.[1]
    return { form, location: reply.headers.get('location') }
  }
  const choose = ({ form }, fields) => visit(new URLSearchParams({ form, ...fields }))
  const back = await choose(await visit(), { do: 'sign-in', email: app.email, password: app.password })
  assert.equal(new URL(back.location, basePath).href, address)
  const asked = await visit()
  // Who has let the app in before is not asked again.
  const { location } = asked.location ? asked : await choose(asked, { do: 'allow' })
  const sent = new URL(location)
  assert.equal(sent.origin + sent.pathname, app.redirectUri)
  assert.equal(sent.searchParams.get('state'), 'a&b')
  return sent.searchParams.get('code')
}

const exchange = (code, { redirectUri = app.redirectUri, clientId = app.clientId, clientSecret = app.clientSecret } = {}) =>
  tokensApi.create('authorization_code', code, redirectUri, clientId, clientSecret)
const refresh = (token) => tokensApi.create('refresh_token', undefined, undefined, app.clientId, app.clientSecret, token)
/** A client whose token is an app's. */
const as = (accessToken) => new hubspot.Client({ accessToken, basePath })
const form = (path, fields, status) =>
  ask(path, { client: unauthorized, method: 'POST', defaultJson: false, body: new URLSearchParams(fields), status })
const credentials = { client_id: app.clientId, client_secret: app.clientSecret }

test('a code becomes tokens, which open what was granted and tell what they are', async () => {
  const first = await code()
  const given = await exchange(first)
  assert.deepEqual([given.tokenType, given.expiresIn, typeof given.refreshToken], ['bearer', 1800, 'string'])
  const granted = ['oauth', 'conversations.read', 'files', 'tickets']
  const access = await accessTokensApi.get(given.accessToken)
  assert.deepEqual(
    [access.token, access.tokenType, access.user, access.userId, access.appId, [...access.scopes]],
    [given.accessToken, 'access', app.email, app.userId, app.appId, granted])
  assert.ok(access.expiresIn > 1700 && access.expiresIn <= 1800)
  const kept = await refreshTokensApi.get(given.refreshToken)
  assert.deepEqual(
    [kept.token, kept.tokenType, kept.hubId, kept.clientId, kept.user, [...kept.scopes]],
    [given.refreshToken, 'refresh', access.hubId, app.clientId, app.email, granted])
  assert.ok(access.hubDomain && kept.hubDomain === access.hubDomain)

  const ours = as(given.accessToken)
  assert.ok((await ask(threads, { client: ours })).results.length > 0)
  assert.ok(Array.isArray((await ours.files.filesApi.doSearch()).results))
  assert.equal((await thrown(ours.conversations.visitorIdentification.generateApi.generateToken({ email: 'a@b.example' }))).code, 403)

  const again = await refresh(given.refreshToken)
  assert.equal(again.refreshToken, given.refreshToken, 'it stays the same')
  assert.notEqual(again.accessToken, given.accessToken)
  await ask(threads, { client: ours })
  await ask(threads, { client: as(again.accessToken) })

  const replayed = await thrown(exchange(first))
  assert.deepEqual([replayed.code, replayed.body.status], [400, 'BAD_AUTH_CODE'])
  await ask(threads, { client: ours, status: 401 })
})

test('a client with an expired token refreshes it', async () => {
  const old = as(app.expired)
  const refused = await thrown(old.files.filesApi.doSearch())
  assert.deepEqual([refused.code, refused.body.category], [401, 'EXPIRED_AUTHENTICATION'])
  assert.match(refused.body.message, /^The OAuth token used to make this call expired \d+ minute\(s\) ago\.$/)
  old.setAccessToken((await refresh(app.refresh)).accessToken)
  assert.ok(Array.isArray((await old.files.filesApi.doSearch()).results))
  assert.equal((await thrown(accessTokensApi.get(app.expired))).code, 404)
})

test('a refresh token that is deleted refreshes nothing', async () => {
  const given = await exchange(await code())
  await refreshTokensApi.archive(given.refreshToken)
  assert.deepEqual((await thrown(refreshTokensApi.get(given.refreshToken))).code, 404)
  const refused = await thrown(refresh(given.refreshToken))
  assert.deepEqual([refused.code, refused.body.status], [400, 'BAD_REFRESH_TOKEN'])
  await refreshTokensApi.archive(given.refreshToken)
  await ask(threads, { client: as(given.accessToken) })
})

test('what is wrong with a request for tokens is said in both languages', async () => {
  const redirectUri = 'https://app.example/elsewhere'
  for (const [status, call] of [
    ['BAD_AUTH_CODE', exchange('nothing')],
    ['BAD_CLIENT_ID', exchange('nothing', { clientId: '00000000-0000-0000-0000-000000000000' })],
    ['BAD_CLIENT_SECRET', exchange('nothing', { clientSecret: 'wrong' })],
    ['BAD_REDIRECT_URI', exchange('nothing', { redirectUri })],
    ['BAD_REFRESH_TOKEN', refresh('nothing')],
    ['BAD_REQUEST', refresh()],
    ['BAD_GRANT_TYPE', tokensApi.create('password', undefined, undefined, app.clientId, app.clientSecret)],
  ].map(([status, call]) => [status, thrown(call)])) {
    const failure = await call
    assert.deepEqual([failure.code, failure.body.status], [400, status])
    assert.ok(failure.body.message && failure.body.correlationId)
  }
  const said = await form('/oauth/v1/token', { grant_type: 'refresh_token', refresh_token: 'nothing', ...credentials }, 400)
  assert.deepEqual([said.error, said.error_description], ['invalid_grant', said.message])
})

test('the newer versions are reached by the generic request', async () => {
  for (const version of ['v3', '2026-03', '2026-09']) {
    const own = await form(`/oauth/${version}/token`, { grant_type: 'client_credentials', ...credentials })
    assert.deepEqual([own.token_use, own.refresh_token], ['client_credentials', undefined])
    const asked = { grant_type: 'authorization_code', code: await code(), redirect_uri: app.redirectUri, ...credentials }
    const given = await form(`/oauth/${version}/token`, asked)
    const introspect = (token) => form(`/oauth/${version}/token/introspect`, { token, ...credentials })
    const seen = await introspect(given.access_token)
    assert.deepEqual([seen.active, seen.token_use, seen.app_id, seen.user], [true, 'access_token', app.appId, app.email])
    assert.equal((await introspect(given.refresh_token)).token_use, 'refresh_token')
    await form(`/oauth/${version}/token/revoke`, { token: given.refresh_token, ...credentials })
    for (const token of [given.refresh_token, given.access_token]) {
      assert.deepEqual(await introspect(token), { active: false }, version)
    }
    await ask(threads, { client: as(given.access_token), status: 401 })
  }
  const wrong = await form('/oauth/v3/token/introspect', { token: 'x', client_id: app.clientId, client_secret: 'wrong' }, 400)
  assert.equal(wrong.error, 'invalid_client')
  assert.ok((await ask(threads)).results, 'nobody else is touched')
})

test('nothing of the family is left out', () => {
  assert.deepEqual([...left], [])
})
