import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { minutes, ms, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { type ServedApi, serveTestApi } from '../../apiserver/testing/serve.ts'
import { clientOf, FaultServer, newAuthority } from '../testing/faults/fault-server.ts'
import { refuses } from '../testing/faults/faults.ts'
import { kubernetesFromConfig } from './from-config.ts'
import type { KubeconfigSource } from './kubeconfig.ts'
import { NAMESPACES } from './resources.ts'

const AT = { name: 'default' }

describe('credentials that change while they are used', () => {
  let api: ServedApi
  let server: FaultServer
  const directory = temporaryFolder('skerry-rotations-')
  const releases: (() => Promise<void>)[] = []

  before(async () => {
    api = await serveTestApi({ after: (release) => void releases.push(release) })
    server = await FaultServer.start(api)
  })

  after(async () => {
    await server[Symbol.asyncDispose]()
    for (const release of releases) await release()
  })

  async function open(t: TestContext, source: KubeconfigSource) {
    const clock = new FakeClock(systemClock.now())
    const [log, metrics] = [memoryLogger(), createMetrics()]
    const kubernetes = await kubernetesFromConfig(source, { clock, log, metrics })
    t.after(() => {
      kubernetes[Symbol.dispose]()
      server.fault = undefined
    })
    server.seen.length = 0
    return { clock, log, metrics, kubernetes, ask: () => kubernetes.get(NAMESPACES, AT) }
  }

  /** The API knows this token and no other. */
  const knowsOnly = (token: string) => {
    server.fault = (request, response, pass) => {
      if (request.headers.authorization === `Bearer ${token}`) pass()
      else refuses(401, 'Unauthorized', 'Unauthorized')(request, response, pass)
    }
  }
  const file = async (name: string, text: string) => {
    const path = join(directory, name)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }

  it('a token file that was renewed counts as soon as the API refuses the old token, within the same call', async (t) => {
    const tokenFile = await file('token', 'first\n')
    const { ask, kubernetes } = await open(t, { file: await file('tokens', server.kubeconfig({ tokenFile: 'token' })) })
    knowsOnly('first')
    assert.ok(await ask())
    await writeFile(tokenFile, 'second\n')
    knowsOnly('second')
    const created = await kubernetes.create(NAMESPACES, undefined, { metadata: { name: 'made-once' } })
    assert.equal(created.metadata.name, 'made-once')
    assert.deepEqual(
      server.seen.map(({ authorization }) => authorization),
      ['Bearer first', 'Bearer first', 'Bearer second'],
    )
  })

  it('a token that the API goes on to refuse is not read again for each call, and the next one is found', async (t) => {
    await file('old', 'old')
    const { ask, clock } = await open(t, { file: await file('refused', server.kubeconfig({ tokenFile: 'old' })) })
    knowsOnly('new')
    for (let count = 0; count < 10; count++) await assert.rejects(ask(), { name: 'RefusedError' })
    assert.ok(server.seen.length <= 12, `${server.seen.length} requests`)
    await file('old', 'new')
    await clock.advance(seconds(6))
    assert.ok(await ask())
  })

  it('a kubeconfig whose client certificate was exchanged on disk is read again; one that is written just then changes nothing', async (t) => {
    const inside = (identity: { readonly cert: string; readonly key: string }) =>
      server.kubeconfig({
        'client-certificate-data': Buffer.from(identity.cert).toString('base64'),
        'client-key-data': Buffer.from(identity.key).toString('base64'),
      })
    const [one, two] = [await clientOf(server.authority, 'one'), await clientOf(server.authority, 'two')]
    const path = await file('exchanged', inside(one))
    const { ask, clock, log } = await open(t, { file: path })
    await ask()
    await writeFile(path, inside(two).slice(0, 500))
    await clock.advance(minutes(1))
    await ask()
    const told = log.messages('warn').filter((message) => message.startsWith('The credentials'))
    assert.deepEqual(told, ['The credentials for Kubernetes cannot be read again'])
    await writeFile(path, inside(two))
    await clock.advance(minutes(1))
    await ask()
    assert.deepEqual(
      server.seen.map(({ client }) => client),
      ['one', 'one', 'two'],
    )
  })

  it('a server with a certificate of another authority is not spoken to until the CA bundle is that one', async (t) => {
    const path = await file('bundle', server.kubeconfig())
    const { ask, clock } = await open(t, { file: path })
    await ask()
    const before = server.authority
    await server.renew(await newAuthority())
    server.cut()
    await assert.rejects(ask(), (error: Error) =>
      /certificate|reset|hang up/.test(JSON.stringify(error) + String(error.cause)),
    )
    await clock.advance(seconds(6))
    await assert.rejects(ask(), { code: 'HUB_KUBERNETES_UNREACHABLE' })
    await writeFile(path, server.kubeconfig())
    await clock.advance(seconds(6))
    assert.ok(await ask(), 'it is read again because the server was not trusted, and not after a minute')
    await server.renew(before)
  })

  it('a server that renews its certificate under the same authority is not noticed', async (t) => {
    const { ask } = await open(t, { text: server.kubeconfig() })
    await ask()
    await server.renew()
    assert.ok(await ask())
    server.cut()
    await ask().catch(() => undefined)
    assert.ok(await ask())
  })

  it('a clock that is wrong is told by what it does to certificates', async (t) => {
    const { ask } = await open(t, { text: server.kubeconfig() })
    await server.renew(server.authority, new Date(systemClock.now() + 900_000))
    server.cut()
    await ask().catch(() => undefined)
    await assert.rejects(ask(), (error: { fields?: { detail?: string } }) =>
      /set the clocks/.test(error.fields?.detail ?? ''),
    )
    await server.renew()
    assert.ok(await ask())
  })

  for (const [apart, ahead] of [
    ['ahead of', 600],
    ['behind', -600],
  ] as const)
    it(`a clock ten minutes ${apart} that of the API is measured and told once`, async (t) => {
      const { ask, clock, log, metrics } = await open(t, { text: server.kubeconfig() })
      clock.jump(ms(ahead * 1000))
      for (let count = 0; count < 5; count++) await ask()
      const told = log.lines.filter(({ message }) => message.startsWith('The clocks here'))
      assert.equal(told.length, 1)
      const shown = /^skerry_kubernetes_clock_skew_seconds (-?\d+)$/m.exec(await metrics.text())
      assert.ok(Math.abs(Number(shown?.[1]) - ahead) <= 30, `${shown?.[1]}`)
    })

  const plugin = (script: string) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', script] },
  })
  const answer = (token: string, expires?: string) =>
    `echo '${JSON.stringify({ kind: 'ExecCredential', status: { token, ...(expires ? { expirationTimestamp: expires } : {}) } })}'`

  it('a credential plugin is asked once for many calls, again when its token ends, and once more when the API refuses it', async (t) => {
    const log = await file('asked', '')
    const token = await file('plugin-token', 'first')
    const expires = new Date(systemClock.now() + 600_000).toISOString()
    const script = `echo "$KUBERNETES_EXEC_INFO" >> ${log}; ${answer(`'$(cat ${token})'`, expires)}`
    const { ask, clock } = await open(t, { text: server.kubeconfig(plugin(script)) })
    const asked = async () => (await readFile(log, 'utf8')).trim().split('\n')
    knowsOnly('first')
    await Promise.all(Array.from({ length: 20 }, () => ask()))
    await clock.advance(minutes(5))
    await ask()
    assert.equal((await asked()).length, 1)
    assert.equal(JSON.parse((await asked())[0] ?? '').kind, 'ExecCredential')
    await clock.advance(minutes(5))
    await ask()
    assert.equal((await asked()).length, 2, 'its token had ended')
    await writeFile(token, 'second')
    knowsOnly('second')
    await clock.advance(seconds(6))
    await ask()
    assert.ok((await asked()).length <= 4)
  })

  it('a credential plugin that fails says why, is not asked for each call, and the calls go on once it works', async (t) => {
    const asked = await file('failing-asked', '')
    const mended = join(directory, 'mended')
    const script = `echo x >> ${asked}; test -f ${mended} || { echo 'no session: log in' >&2; exit 3; }; ${answer('good')}`
    const { ask, clock } = await open(t, { text: server.kubeconfig(plugin(script)) })
    knowsOnly('good')
    const says = (error: { code?: string; fields?: { detail?: string } }) =>
      error.code === 'HUB_KUBERNETES_CREDENTIALS' && /no session: log in/.test(error.fields?.detail ?? '')
    for (let count = 0; count < 10; count++) await assert.rejects(ask(), says)
    assert.equal((await readFile(asked, 'utf8')).length, 2, 'it was asked once')
    await writeFile(mended, '')
    await clock.advance(seconds(6))
    assert.ok(await ask())
  })

  it('a credential plugin that hangs is ended, and holds up no call for longer than its time', async (t) => {
    const { ask, clock } = await open(t, { text: server.kubeconfig(plugin('exec sleep 600')) })
    const failing = assert.rejects(ask())
    while (clock.waiting < 2) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(seconds(31))
    await failing
    await assert.rejects(ask(), { code: 'HUB_KUBERNETES_CREDENTIALS' })
  })
})
