import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const OLD_AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

describe('what the API says of itself', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const accepting = (path: string, accept: string) => ask(api, { path, headers: { accept } })

  it('comes aggregated, in JSON or in YAML, whichever is preferred', async () => {
    const aggregated = await accepting('/apis', `${AGGREGATED},application/json`)
    assert.equal(aggregated.headers['content-type'], AGGREGATED)
    // Version v2beta1 is no longer served, as upstream: the next form that the client takes is.
    const older = await accepting('/apis', `${OLD_AGGREGATED},application/json`)
    assert.deepEqual([older.status, older.headers['content-type']], [200, 'application/json'])
    for (const path of ['/apis', '/apis/apps', '/apis/apps/v1', '/api', '/api/v1']) {
      const yaml = await accepting(path, 'application/yaml')
      assert.equal(yaml.headers['content-type'], 'application/yaml')
      assert.deepEqual(parse(yaml.text), (await accepting(path, 'application/json')).json, path)
      for (const accept of [OLD_AGGREGATED, 'text/html'])
        assert.equal((await accepting(path, accept)).status, 406, path)
    }
  })

  it('a path into nowhere is told so in a Status where its group is served, in plain text elsewhere', async () => {
    for (const path of ['/api/v2', '/apis/apps/v9', '/apis/apps/v1/nothing']) {
      const { status, headers } = await ask(api, { path })
      assert.deepEqual([status, headers['content-type']], [404, 'application/json'], path)
    }
    for (const path of ['/nowhere', '/apis/nowhere', '/apis/nowhere/v1']) {
      const { status, text } = await ask(api, { path })
      assert.deepEqual([status, text], [404, '404 page not found\n'], path)
    }
  })

  it('is indented for people, who sit behind a browser or ask for it, as every answer in JSON', async () => {
    const path = '/api/v1/namespaces/default'
    const textOf = async (query: string, agent: string) =>
      (await ask(api, { path: `${path}${query}`, headers: { 'user-agent': agent } })).text
    const compact = await textOf('', 'kubectl/v1.36.0')
    assert.equal(compact, `${JSON.stringify(JSON.parse(compact))}\n`)
    const indented = JSON.stringify(JSON.parse(compact), undefined, 2)
    assert.equal(await textOf('', 'curl/8.0'), indented)
    assert.equal(await textOf('?pretty=true', 'kubectl/v1.36.0'), indented)
    assert.equal(await textOf('?pretty=false', 'curl/8.0'), compact)
  })
})
