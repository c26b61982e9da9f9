import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../../platform/bus/index.ts'
import { parseCertificate } from '../../../../platform/certificates/index.ts'
import { createScope } from '../../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import { minutes, ms, systemRandom as random, seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { links } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import type { Identity } from '../../../serving/access/stored-identity.ts'
import { type ClusterSigner, clusterSigner } from '../testing/cluster-signer.ts'
import { PodsCertificate } from './pods-certificate.ts'

const LIFETIME = 10 * 3_600_000
const known = () => true

interface Node {
  readonly folder: string
  readonly clock: FakeClock
  readonly renewed: readonly Identity[]
  readonly log: ReturnType<typeof memoryLogger>
  readonly certificate: PodsCertificate
  get(): ReturnType<PodsCertificate['get']>
  /** Virtual time until something is so. */
  until(isSo: () => boolean, sleepers?: number): Promise<void>
  back(): void
  stop(): Promise<void>
}

function start(t: TestContext, cluster: ClusterSigner, clock: FakeClock, folder = temporaryFolder()): Node {
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  cluster.serve(bus)
  const onCrash = (error: unknown) => log.error('crashed', { error })
  const scope = createScope('node', { clock, log, deadline: seconds(5), onCrash })
  const renewed: Identity[] = []
  const addresses = ['127.0.0.1', '127.0.0.77']
  const names = { dnsNames: ['edge-1'], addresses, names: ['edge-1', ...addresses] }
  const certificate = new PodsCertificate(
    {
      ...{ bus, random, clock, log, folder, nodeName: 'edge-1', applications: cluster, ...names },
      onRenewed: (identity) => renewed.push(identity),
    },
    scope,
  )
  // What is on disk and signed takes real time: virtual time goes on when all others sleep.
  const until = async (isSo: () => boolean, sleepers = 1) => {
    for (let turns = 0; !isSo(); turns++) {
      if (turns > 1_000_000) assert.fail(`it is not so: ${log.messages('info').join()}`)
      if (cluster.busy === 0 && clock.waiting >= sleepers) await clock.advance(ms(100))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const stop = async () => {
    const closing = scope.close(seconds(5))
    await clock.advance(ms(1))
    await closing
  }
  t.after(stop)
  return {
    ...{ folder, clock, renewed, log, certificate, until, stop },
    back: () => bus.set(links, 'cloud', { connected: true, since: 0, detail: '' }),
    async get() {
      let answer: Awaited<ReturnType<PodsCertificate['get']>> | undefined
      const asking = certificate.get(known).then((got) => {
        answer = got
        return got
      })
      await until(() => answer !== undefined, 2)
      return asking
    },
  }
}

test('it is renewed before its end, and what is on disk is the new one', async (t) => {
  const clock = new FakeClock()
  const cluster = await clusterSigner({ clock, lifetimeMs: LIFETIME })
  const node = start(t, cluster, clock)
  const first = await node.get()
  assert.ok('certificate' in first)
  await clock.advance(ms(LIFETIME * 0.6))
  assert.equal(node.renewed.length, 1)
  await clock.advance(ms(LIFETIME * 0.15))
  await node.until(() => node.renewed.length === 2)
  const second = await node.get()
  assert.ok('certificate' in second && second.certificate !== first.certificate)
  assert.notEqual(second.privateKey, first.privateKey, 'the key is new, too')
  assert.equal(await readFile(join(node.folder, 'pods.crt'), 'utf8'), second.certificate)
})

test('one that ends while the cloud is away is not given any more, and exchanged when it is back', async (t) => {
  const clock = new FakeClock()
  const cluster = await clusterSigner({ clock, lifetimeMs: LIFETIME })
  const node = start(t, cluster, clock)
  await node.get()
  cluster.isConnected = false
  await clock.advance(ms(LIFETIME * 0.9))
  assert.ok('certificate' in (await node.get()), 'it lasts to its end')
  await clock.advance(ms(LIFETIME * 0.2))
  const none = await node.get()
  assert.ok('refusal' in none && /the cloud is not connected/.test(none.refusal))
  cluster.isConnected = true
  node.back()
  await node.until(() => node.renewed.length === 2)
  const made = await node.get()
  assert.ok('certificate' in made && parseCertificate(made.certificate).notAfter.getTime() > clock.now())
})

test('where a person approves it, the one request is waited for over restarts, and pods are told how', async (t) => {
  const clock = new FakeClock()
  const cluster = await clusterSigner({ clock, lifetimeMs: LIFETIME })
  cluster.isApproving = false
  const before = start(t, cluster, clock)
  const waiting = await before.get()
  const [name] = [...cluster.requests.keys()]
  assert.ok('refusal' in waiting && waiting.refusal.endsWith(`kubectl certificate approve ${name}`))
  await before.stop()
  const node = start(t, cluster, clock, before.folder)
  await node.get()
  assert.deepEqual([...cluster.requests.keys()], [name])
  await cluster.decide('Approved')
  await node.until(() => node.renewed.length === 1)
  assert.ok('certificate' in (await node.get()))
  assert.equal(cluster.requests.size, 1)
})

test('a request that was denied is not asked about for ever: another one is made, at growing distances', async (t) => {
  const clock = new FakeClock()
  const cluster = await clusterSigner({ clock, lifetimeMs: LIFETIME })
  cluster.isApproving = false
  const node = start(t, cluster, clock)
  await node.get()
  await cluster.decide('Denied')
  await node.until(() => cluster.requests.size === 2)
  assert.ok(node.log.lines.some(({ fields }) => /the cluster says Denied/.test(String(fields['reason']))))
  await clock.advance(minutes(1))
  assert.equal(cluster.requests.size, 2)
})

test('what is on disk for another address is not taken', async (t) => {
  const clock = new FakeClock()
  const cluster = await clusterSigner({ clock, lifetimeMs: LIFETIME })
  const before = start(t, cluster, clock)
  await before.get()
  await before.stop()
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  const scope = createScope('other', { clock, log, deadline: seconds(5), onCrash: () => undefined })
  const other = new PodsCertificate(
    {
      ...{ bus, random, clock, log, folder: before.folder, nodeName: 'edge-1', applications: cluster },
      ...{
        dnsNames: ['edge-1'],
        addresses: ['127.0.0.88'],
        names: ['edge-1', '127.0.0.88'],
        onRenewed: () => undefined,
      },
    },
    scope,
  )
  assert.equal(await other.open(), undefined)
  await scope.close(seconds(5))
})
