// Files and folders by HubSpot's official Node client.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import hubspot from '@hubspot/api-client'
import FormData from 'form-data'
import { PICTURE, ask, basePath, client, limitedPath, listener, thrown, until, watched, width } from './kit.js'

const { filesApi, foldersApi, left } = watched(client.files)
const directory = mkdtempSync(join(tmpdir(), 'antiphon-'))
after(() => rmSync(directory, { recursive: true }))

const PRIVATE = JSON.stringify({ access: 'PRIVATE' })
const bytes = (text, name = 'note.txt') => ({ data: Buffer.from(text), name })
const fetched = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer())
const download = async (id) => (await client.apiRequest({ path: `/files/v3/files/${id}/download` })).buffer()

/** The two searches, with their parameters by name. */
const common = ['properties', 'after', 'before', 'limit', 'sort', 'ids', 'idLte', 'idGte', 'createdAt', 'createdAtLte',
  'createdAtGte', 'updatedAt', 'updatedAtLte', 'updatedAtGte', 'name', 'path', 'parentFolderIds']
const ofFiles = [...common, 'size', 'sizeLte', 'sizeGte', 'height', 'heightLte', 'heightGte', 'width', 'widthLte', 'widthGte',
  'encoding', 'type', 'extension', 'url', 'isUsableInContent', 'allowsAnonymousAccess', 'fileMd5', 'expiresAt', 'expiresAtLte',
  'expiresAtGte']
const files = (wanted) => filesApi.doSearch(...ofFiles.map((name) => wanted[name]))
const folders = (wanted) => foldersApi.doSearch(...common.map((name) => wanted[name]))
const names = ({ results }) => results.map((one) => one.name)

test('what is uploaded from disk and from memory is read back', async () => {
  const path = join(directory, 'berth.png')
  writeFileSync(path, PICTURE)
  const made = await filesApi.uploadWithHttpInfo(
    { data: createReadStream(path), name: 'berth.png' }, undefined, '/node/plans', undefined, undefined, PRIVATE)
  assert.equal(made.httpStatusCode, 201)
  const picture = made.data
  assert.equal(made.headers.location, `/files/v3/files/${picture.id}`)
  assert.deepEqual(
    [picture.path, picture.type, picture.encoding, picture.width, picture.access],
    ['/node/plans/berth.png', 'IMG', 'png', 1, 'PRIVATE'])
  const text = await filesApi.upload(bytes('Grüße'), picture.parentFolderId, undefined, 'greeting', 'utf-8', PRIVATE)
  assert.equal(text.path, '/node/plans/greeting.txt')
  assert.equal(text.fileMd5, createHash('md5').update('Grüße').digest('hex'))
  assert.equal((await download(text.id)).toString(), 'Grüße')

  assert.equal((await filesApi.getById(picture.id)).path, picture.path)
  const some = await filesApi.getById(picture.id, ['name', 'size'])
  assert.deepEqual([some.name, some.size, some.path], ['berth', PICTURE.length, undefined])
  assert.equal((await filesApi.getMetadata('node/plans/greeting.txt')).file.id, text.id)
  assert.equal((await filesApi.getMetadata('node/plans')).folder.id, picture.parentFolderId)

  assert.equal((await fetch(picture.url)).status, 404, 'nobody reads what is private')
  const signed = await filesApi.getSignedUrl(picture.id, undefined, 60)
  assert.ok(signed.expiresAt > Date.now() && signed.expiresAt <= Date.now() + 61_000)
  assert.equal(`${signed.name}.${signed.extension}`, 'berth.png')
  assert.deepEqual(await fetched(signed.url), PICTURE)
  const scaled = await filesApi.getSignedUrl(picture.id, 'thumb', 60, true)
  assert.equal(width(await fetched(scaled.url)), 128)
})

test('a large file goes up and down as a stream', async () => {
  const path = join(directory, 'film.mov')
  const film = randomBytes(20 << 20)
  writeFileSync(path, film)
  const file = { data: createReadStream(path), name: 'film.mov' }
  const made = await filesApi.upload(file, undefined, '/node/films', undefined, undefined, PRIVATE)
  assert.deepEqual([made.size, made.type, made.fileMd5], [film.length, 'MOVIE', createHash('md5').update(film).digest('hex')])
  assert.ok((await download(made.id)).equals(film))
})

test('the legacy path takes the same form', async () => {
  const form = new FormData()
  form.append('file', PICTURE, 'old.png')
  form.append('folderPath', '/node/legacy')
  const path = '/filemanager/api/v3/files/upload'
  const { objects } = await ask(path, { method: 'POST', body: form, defaultJson: false, headers: form.getHeaders() })
  assert.equal(typeof objects[0].id, 'number')
  assert.equal((await filesApi.getById(String(objects[0].id))).path, '/node/legacy/old.png')
})

test('a file is changed, replaced, deleted and erased', async () => {
  const { id, parentFolderId } = await filesApi.upload(bytes('one'), undefined, '/node/changing', undefined, undefined, PRIVATE)
  const changed = await filesApi.updateProperties(id, {
    name: 'renamed', access: 'PUBLIC_NOT_INDEXABLE', parentFolderPath: '/node/changed', isUsableInContent: false,
    expiresAt: new Date('2099-01-01T00:00:00Z'),
  })
  assert.deepEqual(
    [changed.path, changed.isUsableInContent, changed.expiresAt],
    ['/node/changed/renamed.txt', false, Date.parse('2099-01-01')])
  assert.equal((await fetched(changed.url)).toString(), 'one')
  const back = await filesApi.updateProperties(id, { parentFolderId, clearExpires: true })
  assert.deepEqual([back.path, back.expiresAt], ['/node/changing/renamed.txt', undefined])

  const options = JSON.stringify({ access: 'PUBLIC_INDEXABLE' })
  const replaced = await filesApi.replace(id, bytes('two, longer'), 'utf-8', options)
  assert.deepEqual([replaced.id, replaced.size, replaced.access], [id, 11, 'PUBLIC_INDEXABLE'])
  assert.equal((await fetched(replaced.url)).toString(), 'two, longer')

  await filesApi.archive(id)
  assert.equal((await thrown(filesApi.getById(id))).code, 404)
  assert.equal((await thrown(filesApi.archive(id))).code, 404)
  await filesApi._delete(id)
  assert.equal((await thrown(filesApi._delete(id))).code, 404)
})

test('files are found, page by page', async () => {
  for (let number = 1; number <= 5; number++) {
    await filesApi.upload(bytes('x'.repeat(number)), undefined, '/node/found', `leaf ${number}`, undefined, PRIVATE)
  }
  const found = []
  let after
  do {
    const page = await files({ path: '/node/found', sort: ['-size'], limit: 2, after, properties: ['name', 'size'] })
    assert.ok(page.results.length <= 2)
    found.push(...page.results)
    after = page.paging?.next?.after
  } while (after)
  assert.deepEqual(found.map((file) => file.size), [5, 4, 3, 2, 1])
  const all = (await files({ path: '/node/found', sort: ['id'] })).results
  const [second, third] = [all[1], all[2]]
  for (const [wanted, expected] of [
    [{ ids: [Number(second.id), Number(third.id)] }, ['leaf 2', 'leaf 3']],
    [{ idGte: Number(third.id), parentFolderIds: [Number(third.parentFolderId)] }, ['leaf 3', 'leaf 4', 'leaf 5']],
    [{ name: 'LEAF', sizeGte: 4, extension: 'txt', type: 'DOCUMENT' }, ['leaf 4', 'leaf 5']],
    [{ fileMd5: second.fileMd5, allowsAnonymousAccess: false, path: '/node/found' }, ['leaf 2']],
    [{ createdAtGte: new Date(third.createdAt), createdAtLte: new Date(third.createdAt), path: '/node/found' }, ['leaf 3']],
    [{ updatedAtLte: new Date(0) }, []],
    [{ url: second.url, isUsableInContent: true }, ['leaf 2']],
  ]) {
    assert.deepEqual(names(await files({ ...wanted, sort: ['id'] })), expected, JSON.stringify(wanted))
  }
})

test('a file comes from elsewhere', async (t) => {
  const elsewhere = await listener(t)
  const start = (url) => filesApi.importFromUrl({ url, access: 'PRIVATE', folderPath: '/node/imported', name: 'logo' })
  const task = await start(`${elsewhere.url}/logo.png`)
  assert.equal(task.links.status, `${basePath}/files/v3/files/import-from-url/async/tasks/${task.id}/status`)
  const done = await until(() => filesApi.checkImport(task.id), ({ status }) => status === 'COMPLETE')
  assert.ok(done.completedAt instanceof Date && done.startedAt <= done.completedAt)
  assert.deepEqual([done.taskId, done.result.path], [task.id, '/node/imported/logo.png'])
  assert.deepEqual(await download(done.result.id), PICTURE)
  await elsewhere.stop()
  const failed = await start(`${elsewhere.url}/logo.png`)
  const ended = await until(() => filesApi.checkImport(failed.id), ({ status }) => status === 'COMPLETE')
  assert.deepEqual([ended.numErrors, ended.errors.length, ended.result], [1, 1, undefined])
  assert.equal((await thrown(filesApi.checkImport('nothing'))).code, 404)
})

test('folders are made, found, moved and deleted', async () => {
  const made = await foldersApi.createWithHttpInfo({ name: 'harbour', parentPath: '/node' })
  assert.equal(made.httpStatusCode, 201)
  const harbour = made.data
  assert.equal(made.headers.location, `/files/v3/folders/${harbour.id}`)
  assert.ok(harbour.createdAt instanceof Date)
  const quay = await foldersApi.create({ name: 'quay', parentFolderId: harbour.id })
  assert.equal(quay.path, '/node/harbour/quay')
  assert.deepEqual(await foldersApi.getById(quay.id), quay)
  assert.deepEqual(await foldersApi.getByPath('node/harbour/quay'), quay)
  assert.deepEqual(names(await folders({ parentFolderIds: [Number(harbour.id)], limit: 1 })), ['quay'])

  const renamed = await foldersApi.updateProperties(quay.id, { name: 'pier' })
  assert.equal(renamed.path, '/node/harbour/pier')
  const { id } = await filesApi.upload(bytes('x'), quay.id, undefined, 'inside', undefined, PRIVATE)
  const other = await foldersApi.create({ name: 'basin', parentPath: '/node' })
  const task = await foldersApi.updatePropertiesRecursively({ id: quay.id, parentFolderId: Number(other.id), name: 'jetty' })
  const done = await until(() => foldersApi.checkUpdateStatus(task.id), ({ status }) => status === 'COMPLETE')
  assert.equal(done.result.path, '/node/basin/jetty')
  assert.equal((await filesApi.getById(id)).path, '/node/basin/jetty/inside.txt')

  await foldersApi.archiveByPath('node/basin/jetty')
  await foldersApi.archive(harbour.id)
  assert.equal((await thrown(foldersApi.getById(harbour.id))).code, 404)
  assert.equal((await thrown(foldersApi.getByPath('node/basin/jetty'))).code, 404)
  assert.equal((await thrown(filesApi.getById(id))).code, 404)
})

test('what is wrong is thrown as the client understands it', async () => {
  const missing = await thrown(filesApi.getById('999999999'))
  assert.deepEqual([missing.code, missing.body.category], [404, 'OBJECT_NOT_FOUND'])
  assert.equal(missing.headers['x-hubspot-correlation-id'], missing.body.correlationId)
  const wrong = await thrown(filesApi.upload(bytes('x'), '1', '/both', undefined, undefined, PRIVATE))
  assert.deepEqual([wrong.code, wrong.body.category], [400, 'VALIDATION_ERROR'])
  assert.equal(wrong.body.errors[0].in, 'folderPath')
  const once = JSON.stringify({ access: 'PRIVATE', duplicateValidationStrategy: 'REJECT', duplicateValidationScope: 'EXACT_FOLDER' })
  const unique = () => filesApi.upload(bytes('once'), undefined, '/node/once', undefined, undefined, once)
  await unique()
  const twice = await thrown(unique())
  assert.deepEqual([twice.code, twice.body.category], [409, 'CONFLICT'])
  const stranger = new hubspot.Client({ accessToken: 'nobody', basePath }).files.filesApi
  assert.equal((await thrown(stranger.getById('1'))).code, 401)
})

test('too much at once is refused, too much in a row is tried again', { timeout: 90_000 }, async () => {
  const options = { accessToken: 'pat-demo-other', basePath: limitedPath }
  const hasty = new hubspot.Client({ ...options, numberOfApiCallRetries: 0 }).files.filesApi
  const large = await thrown(hasty.upload({ data: Buffer.alloc(80_000), name: 'large' }))
  assert.deepEqual([large.code, large.body.category], [413, 'PAYLOAD_TOO_LARGE'])
  let refused
  for (let sent = 0; sent < 10 && refused?.code !== 429; sent++) refused = await thrown(hasty.getById('999999999'))
  assert.deepEqual([refused.code, refused.body.category], [429, 'RATE_LIMITS'])
  assert.ok(Number(refused.headers['retry-after']) >= 1)
  const patient = new hubspot.Client({ ...options, numberOfApiCallRetries: 3 }).files.filesApi
  assert.deepEqual((await patient.doSearch()).results, [], 'it waits as long as it takes')
})

test('nothing of the family is left out', () => {
  assert.deepEqual([...left], [])
})
