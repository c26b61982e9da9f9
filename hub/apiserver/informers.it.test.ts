import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node'
import { silentLogger } from '../../platform/log/index.ts'
import { openStore } from '../../platform/store/index.ts'
import { seconds, systemClock } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { goBack, kubernetesStore } from './index.ts'
import { at, configMap, done, MAPS } from './testing/objects.ts'
import { type ServedApi, serveApi } from './testing/serve.ts'

const INFORMERS = 5

test('informers of client-node go on over ends of watches, compactions, restarts and a restore, and list only when they have to', async (t) => {
  const directory = temporaryFolder('skerry-api-')
  const current: { api: ServedApi } = { api: await serveApi(directory, { history: 20 }) }
  const front = await aFront(() => current.api)
  const informers = Array.from({ length: INFORMERS }, () => anInformer(front.url))
  t.after(async () => {
    // In this order: an API that ends first waits for its watches.
    for (const informer of informers) await informer.stop()
    front.end()
    await current.api[Symbol.asyncDispose]()
  })
  const create = (name: string) => done(current.api, { method: 'POST', path: MAPS, body: configMap(name) })
  const churn = async () => {
    for (let count = 0; count < 60; count++) {
      await done(current.api, {
        method: 'PATCH',
        path: `${MAPS}/first`,
        body: { data: { key: String(count) } },
        headers,
      })
    }
  }
  const headers = { 'content-type': 'application/merge-patch+json' }
  await create('first')
  await Promise.all(informers.map((informer) => informer.start()))
  const all = (name: string) => Promise.all(informers.map((informer) => informer.sees(name)))
  await all('first')
  assert.equal(front.lists(), INFORMERS, 'each lists once')

  front.cut()
  await create('after-cut')
  await all('after-cut')
  assert.equal(front.lists(), INFORMERS, 'a watch that ended goes on from where it was')

  for (const name of ['after-restart', 'after-restart-2', 'after-restart-3']) {
    await current.api[Symbol.asyncDispose]()
    current.api = await serveApi(directory, { history: 20 })
    await create(name)
    await all(name)
    assert.equal(front.lists(), INFORMERS, 'who saw everything goes on over a restart')
  }

  front.close()
  await churn()
  front.open()
  await create('after-compaction')
  await all('after-compaction')
  assert.ok(front.lists() <= 2 * INFORMERS, `each lists once more, not again and again: ${front.lists()}`)

  front.close()
  await create('lost')
  await current.api[Symbol.asyncDispose]()
  const store = await openStore(join(directory, 'kubernetes.db'), [kubernetesStore], {
    clock: systemClock,
    log: silentLogger,
  })
  await store.write([{ statement: 'kubernetes.remove', parameters: ['/configmaps default/lost'] }])
  await goBack(store, systemClock)
  await store[Symbol.asyncDispose]()
  current.api = await serveApi(directory, { history: 20 })
  front.open()
  await create('after-restore')
  await all('after-restore')
  assert.ok(front.lists() <= 3 * INFORMERS, `and once after a restore: ${front.lists()}`)
  for (const informer of informers) {
    const restarts = ['after-restart', 'after-restart-2', 'after-restart-3']
    assert.deepEqual(informer.names(), ['after-compaction', 'after-cut', ...restarts, 'after-restore', 'first'])
  }
})

/** Follows the ConfigMaps of a namespace as clients of this library do: an error starts it again. */
function anInformer(url: string) {
  const config = new KubeConfig()
  config.loadFromClusterAndUser({ name: 'front', server: url, skipTLSVerify: true }, { name: 'anybody' })
  const core = config.makeApiClient(CoreV1Api)
  const list = () => core.listNamespacedConfigMap({ namespace: 'default' })
  const informer = makeInformer(config, MAPS, list)
  const waiting = new Set<() => void>()
  const notify = () => {
    for (const each of [...waiting]) each()
  }
  for (const event of ['add', 'update', 'delete'] as const) informer.on(event, notify)
  const state = { isStopped: false }
  const again = () => {
    if (!state.isStopped) informer.start().catch(later)
  }
  const later = () => void systemClock.after(seconds(0.1), again)
  informer.on('error', later)
  const names = () =>
    informer
      .list()
      .map((map) => map.metadata?.name ?? '')
      .filter((name) => name !== 'kube-root-ca.crt')
      .sort()
  return {
    names,
    start: () => informer.start(),
    stop() {
      state.isStopped = true
      return informer.stop()
    },
    async sees(name: string): Promise<void> {
      const patience = systemClock.monotonic() + 30_000
      while (!names().includes(name)) {
        assert.ok(systemClock.monotonic() < patience, `an informer does not see ${name}, but ${names().join(' ')}`)
        const changed = Promise.withResolvers<void>()
        waiting.add(changed.resolve)
        using _limit = systemClock.after(seconds(1), changed.resolve)
        await changed.promise
        waiting.delete(changed.resolve)
      }
    },
  }
}

/** A way to whatever API runs now, at an address that stays; it counts lists, and cuts connections when asked. */
async function aFront(api: () => ServedApi) {
  const state = { lists: 0, isClosed: false }
  const server: Server = createServer((incoming, outgoing) => {
    if (state.isClosed) return void incoming.socket.destroy()
    const url = new URL(incoming.url ?? '/', 'http://front')
    if (url.pathname === MAPS && !url.searchParams.has('watch')) state.lists++
    const { pki, url: base } = api()
    const onward = request(
      base + (incoming.url ?? ''),
      {
        method: incoming.method,
        headers: { accept: 'application/json' },
        agent: false,
        ca: pki.ca,
        cert: pki.admin.certificate,
        key: pki.admin.privateKey,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? '' })
        outgoing.flushHeaders()
        answer.pipe(outgoing)
        answer.on('error', () => outgoing.destroy())
      },
    )
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    onward.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${String(at(address, 'port'))}`,
    lists: () => state.lists,
    cut: () => server.closeAllConnections(),
    close() {
      state.isClosed = true
      server.closeAllConnections()
    },
    open() {
      state.isClosed = false
    },
    end() {
      server.closeAllConnections()
      server.close()
    },
  }
}
