import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, done, refused } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

/** Of these no namespace has any by itself. */
const SECRETS = '/api/v1/namespaces/default/secrets'

describe('lists', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { history: 10 })
    for (const name of ['a', 'b', 'c', 'd']) await create(name)
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const create = (name: string) =>
    done(api, { method: 'POST', path: SECRETS, body: { apiVersion: 'v1', kind: 'Secret', metadata: { name } } })
  const remove = (name: string) => done(api, { method: 'DELETE', path: `${SECRETS}/${name}` })
  const list = (query: string) => done(api, { path: `${SECRETS}?${query}` })
  const versionOf = (page: unknown) => String(at(page, 'metadata', 'resourceVersion'))
  const tokenOf = (page: unknown) => String(at(page, 'metadata', 'continue'))
  const namesOf = (page: unknown) => {
    const items = at(page, 'items')
    assert.ok(Array.isArray(items))
    return items.map((item) => String(at(item, 'metadata', 'name')))
  }
  const churn = async () => {
    for (let count = 0; count < 20; count++) {
      await create('churn')
      await remove('churn')
    }
  }

  it('page by page are of one version, whatever happens between the pages', async () => {
    const first = await list('limit=2')
    assert.deepEqual([namesOf(first), at(first, 'metadata', 'remainingItemCount')], [['a', 'b'], 2])
    await remove('c')
    const second = await list(`limit=1&continue=${tokenOf(first)}`)
    assert.deepEqual([namesOf(second), versionOf(second)], [['c'], versionOf(first)])
    const third = await list(`limit=1&continue=${tokenOf(second)}&resourceVersion=0`)
    assert.deepEqual([namesOf(third), at(third, 'metadata', 'continue')], [['d'], undefined])
    await create('c')
  })

  it('whose version is forgotten between pages say how to go on with what is there now', async () => {
    const first = await list('limit=2')
    await churn()
    const gone = await refused(api, { path: `${SECRETS}?limit=1&continue=${tokenOf(first)}` }, 410, 'Expired')
    assert.match(String(at(gone.json, 'message')), /use the continue token in this response to retrieve the remainder/)
    const rest = await list(`limit=1&continue=${tokenOf(gone.json)}`)
    assert.deepEqual(namesOf(rest), ['c'])
    assert.ok(Number(versionOf(rest)) > Number(versionOf(first)))
    assert.deepEqual(namesOf(await list(`continue=${tokenOf(rest)}`)), ['d'])
  })

  it('answer the version that is asked for, exactly or at least', async () => {
    const before = versionOf(await list('limit=1'))
    await create('e')
    assert.deepEqual(namesOf(await list(`resourceVersion=${before}&resourceVersionMatch=Exact`)), ['a', 'b', 'c', 'd'])
    assert.equal(versionOf(await list(`resourceVersion=${before}&limit=1`)), before, 'a page of a version is exact')
    const later = await list(`resourceVersion=${before}&resourceVersionMatch=NotOlderThan`)
    assert.ok(namesOf(later).includes('e'))
    assert.equal(namesOf(await list('resourceVersion=0&limit=2')).length, 5, 'a list of any version comes whole')
    await remove('e')
    await churn()
    const path = `${SECRETS}?resourceVersion=${before}&resourceVersionMatch=Exact`
    const { json } = await refused(api, { path }, 410, 'Expired')
    assert.equal(at(json, 'message'), 'The resourceVersion for the provided list is too old.')
  })

  it('of a version that was not reached have to wait', async () => {
    for (const path of [`${SECRETS}?resourceVersion=99999999`, `${SECRETS}/a?resourceVersion=99999999`]) {
      const { json } = await refused(api, { path }, 504, 'Timeout')
      assert.match(String(at(json, 'message')), /^Timeout: Too large resource version: 99999999, current: \d+$/)
      assert.equal(at(json, 'details', 'causes', 0, 'reason'), 'ResourceVersionTooLarge')
    }
  })

  const wrong: readonly (readonly [query: string, code: number, message: string])[] = [
    [
      'resourceVersion=abc',
      400,
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    [
      'resourceVersionMatch=Exact',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      'resourceVersionMatch=Foo&resourceVersion=1',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    [
      'continue=abc',
      400,
      "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    ],
    ['limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      'watch=1&resourceVersion=abc',
      500,
      'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    [
      'watch=1&sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&resourceVersionMatch=Exact&resourceVersion=1',
      422,
      'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    [
      'watch=1&limit=1&continue=abc',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
    ],
  ]
  for (const [query, code, message] of wrong) {
    it(`refuse ${query} in the words of Kubernetes`, async () => {
      const { status, json } = await ask(api, { path: `${SECRETS}?${query}` })
      assert.deepEqual([status, at(json, 'code'), at(json, 'message')], [code, code, message])
    })
  }
})
