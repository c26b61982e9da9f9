import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { editConfig } from '../edit-config.ts'
import { eventually, run } from '../testing/run.ts'
import { launcher, temporaryDirectory } from '../testing/up.ts'

const FREE_PORTS = 'metrics: { port: 0 }\n'
const cloudConfig = (apiserver: string, hub: string, certificates: string) =>
  `kubernetes: { port: ${apiserver} }\ncloudhub: { port: ${hub}, certificatePort: ${certificates} }\nrouter: { port: 0 }\n${FREE_PORTS}`

describe('a gateway with a data directory of its own', { skip: needs('kubectl') }, () => {
  let directory: string
  let cloud: string
  let edge: string
  const running = new Map<string, ChildProcess>()

  const start = (half: 'cloud' | 'edge', data: string) => {
    const child = spawn(process.execPath, [launcher, half, '--data', data], { stdio: 'ignore' })
    running.set(half, child)
    const answers = async () => (await run(process.execPath, [launcher, 'status', '--data', data])).code
    return eventually(
      `the ${half} half answers`,
      async () => ((await answers()) === null ? undefined : isUp(data)),
      60_000,
    )
  }
  const isUp = async (data: string) => (await stat(join(data, 'endpoints.json')).catch(() => undefined)) && true
  const stop = async (half: 'cloud' | 'edge') => {
    const child = running.get(half)
    running.delete(half)
    if (!child || child.exitCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }
  const skerry = (data: string, ...args: readonly string[]) =>
    run(process.execPath, [launcher, ...args, '--data', data], { timeoutMs: 60_000 })
  const ok = async (data: string, ...args: readonly string[]) => {
    const ran = await skerry(data, ...args)
    assert.equal(ran.code, 0, ran.stderr)
    return ran.stdout.trim()
  }
  const standing = async () => {
    const { nodes } = JSON.parse(await ok(cloud, 'node', 'list', '-o', 'json'))
    return nodes.find(({ name }: { readonly name: string }) => name === 'gw-1')
  }
  const untilConnected = (wanted: boolean) =>
    eventually(
      `gw-1 is ${wanted ? '' : 'not '}connected`,
      async () => ((await standing())?.isConnected === wanted ? true : undefined),
      60_000,
    )
  const edgeSays = (pattern: RegExp) =>
    eventually(
      `the edge says ${pattern}`,
      async () => {
        const { stdout } = await skerry(edge, 'status')
        if (pattern.test(stdout)) return true
        throw new Error(stdout)
      },
      60_000,
    )

  before(async () => {
    directory = temporaryDirectory()
    cloud = join(directory, 'cloud')
    edge = join(directory, 'edge')
    await run('mkdir', [cloud])
    await writeFile(join(cloud, 'config.yaml'), cloudConfig('0', '0', '0'))
    await start('cloud', cloud)
    // A restart has to be found where it was.
    const endpoints = JSON.parse(await readFile(join(cloud, 'endpoints.json'), 'utf8'))
    const port = (url: string) => new URL(url).port
    const ports = cloudConfig(port(endpoints.apiserver), port(endpoints.cloudhub), port(endpoints.certificates))
    await writeFile(join(cloud, 'config.yaml'), ports)
  })

  after(async () => {
    for (const half of ['edge', 'cloud'] as const) await stop(half)
  })

  it('joins with nothing but a token, once, and the token is gone', async () => {
    const file = join(directory, 'token')
    await writeFile(file, await ok(cloud, 'token', 'create', '--node', 'gw-1'))
    await copyFile(file, `${file}.kept`)
    assert.match(await ok(edge, 'join', '--token-file', file), /gw-1 has its certificate; start it with: skerry edge/)
    await assert.rejects(stat(file), { code: 'ENOENT' })
    const kept = (await readFile(`${file}.kept`, 'utf8')).trim()
    const again = await skerry(edge, 'join', '--token', kept)
    assert.deepEqual(
      [again.code, /has the identity of gw-1 already.*skerry join --force/.test(again.stderr)],
      [1, true],
    )
    const elsewhere = await skerry(join(directory, 'other'), 'join', '--token', kept)
    assert.match(elsewhere.stderr, /the token was used already: create a new one/)
    assert.match(await ok(cloud, 'token', 'list'), /gw-1 .* used$/)
    await writeFile(
      join(edge, 'config.yaml'),
      `${await readFile(join(edge, 'config.yaml'), 'utf8')}mqtt: { port: 0 }\n${FREE_PORTS}`,
    )
    // Nobody waits for the pauses between its attempts.
    await editConfig(join(edge, 'config.yaml'), { cloud: { retrySeconds: 2 } })
    await start('edge', edge)
    await untilConnected(true)
  })

  it('puts its identity where the configuration says, in the form that an original edgecore reads', async () => {
    const data = join(directory, 'gw-3')
    const at = (name: string) => join(directory, 'etc', 'kubeedge', name)
    const names = { ca: at('ca/rootCA.crt'), certificate: at('certs/server.crt'), key: at('certs/server.key') }
    const config = join(directory, 'gw-3.yaml')
    await writeFile(config, `certificates: ${JSON.stringify(names)}\n`)
    const token = await ok(cloud, 'token', 'create', '--node', 'gw-3')
    await ok(data, 'join', '--config', config, '--token', token)
    assert.match(await readFile(names.key, 'utf8'), /^-----BEGIN EC PRIVATE KEY-----/)
    for (const file of [names.ca, names.certificate])
      assert.match(await readFile(file, 'utf8'), /^-----BEGIN CERTIFICATE-----/)
    assert.match(await readFile(config, 'utf8'), /name: gw-3/)
  })

  it('goes on with a join that was cut short before its configuration, with the used token', async () => {
    const data = join(directory, 'gw-4')
    const token = await ok(cloud, 'token', 'create', '--node', 'gw-4')
    await ok(data, 'join', '--token', token)
    await rm(join(data, 'config.yaml'))
    assert.match(await ok(data, 'join', '--token', token), /gw-4 has its certificate/)
    assert.match(await readFile(join(data, 'config.yaml'), 'utf8'), /server: 127\.0\.0\.1:/)
  })

  it('is cut off when it is revoked, says so, and comes back with a new token while it runs', async () => {
    const early = await ok(cloud, 'token', 'create', '--node', 'gw-1')
    await ok(cloud, 'node', 'revoke', 'gw-1')
    await untilConnected(false)
    await edgeSays(/HTTP 403: the node was revoked/)
    assert.match(await ok(cloud, 'node', 'list'), /gw-1 +no .* revoked since/)
    const refused = await skerry(edge, 'join', '--force', '--token', early)
    assert.match(refused.stderr, /older than the revocation of the node: create a new one/)
    await ok(edge, 'join', '--force', '--token', await ok(cloud, 'token', 'create', '--node', 'gw-1'))
    await untilConnected(true)
  })

  it('is cut off when its Node is deleted, stays so over a restart of the cloud half, and may be let in again', async () => {
    const env = { KUBECONFIG: join(cloud, 'kubeconfig'), HOME: directory }
    const registered = async () => ((await standing())?.isRegistered ? true : undefined)
    await eventually('gw-1 is registered', registered)
    assert.equal((await run('kubectl', ['delete', 'node', 'gw-1'], { env })).code, 0)
    await untilConnected(false)
    await stop('cloud')
    await start('cloud', cloud)
    await edgeSays(/HTTP 403: the node was revoked/)
    const nodes = await run('kubectl', ['get', 'nodes', '-o', 'name'], { env })
    assert.equal(nodes.stdout, '')
    await ok(cloud, 'node', 'allow', 'gw-1')
    await untilConnected(true)
    await eventually('gw-1 registers again', registered)
  })

  it('a token that was taken back, or whose key was changed, lets nobody in', async () => {
    const one = await ok(cloud, 'token', 'create')
    const { tokens } = JSON.parse(await ok(cloud, 'token', 'list', '-o', 'json'))
    const { id } = tokens.find(({ node }: { readonly node?: string }) => node === undefined)
    await ok(cloud, 'token', 'revoke', id.slice(0, 8))
    const joinAs = (token: string) => skerry(join(directory, 'gw-2'), 'join', '--node', 'gw-2', '--token', token)
    assert.match((await joinAs(one)).stderr, /the token was revoked/)
    const two = await ok(cloud, 'token', 'create')
    await ok(cloud, 'token', 'rotate')
    assert.match((await joinAs(two)).stderr, /not one of this cloud/)
    assert.equal((await joinAs(await ok(cloud, 'token', 'create'))).code, 0)
  })
})
