import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { startBroker } from '../testing/start-broker.ts'
import { hashPassword } from './password-hash.ts'
import { passwordLine } from './password-lines.ts'

const skip = ['mosquitto', 'mosquitto_passwd', 'mosquitto_pub'].some(
  (name) => spawnSync(name, ['-h']).error !== undefined,
)
const PASSWORD = 'päss word:$7$ with everything'

test('what mosquitto_passwd wrote lets its users in', { timeout: 30_000, skip }, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const file = join(folder, 'passwords')
  await writeFile(file, '', { mode: 0o600 })
  for (const [kind, name] of [
    ['sha512-pbkdf2', 'new'],
    ['sha512', 'old'],
  ] as const) {
    await run('mosquitto_passwd', ['-H', kind, '-b', file, name, PASSWORD])
  }
  await chmod(file, 0o600)
  const name = { twins: [], access: 'read' as const, publish: ['#'], subscribe: [] }
  const clients = ['new', 'old'].map((each) => ({ name: each, ...name }))
  const { broker } = await startBroker(t, { folder, clients })
  const users: unknown[] = []
  broker.eventBus.handle('#', async ({ user }) => void users.push(user))
  const publish = (user: string, password: string) =>
    run('mosquitto_pub', ['-p', String(broker.port), '-q', '1', '-t', 'a', '-m', 'x', '-u', user, '-P', password])
  await publish('new', PASSWORD)
  await publish('old', PASSWORD)
  await assert.rejects(publish('new', 'guess'), /not authorised|Connection Refused/i)
  await assert.rejects(publish('old', 'guess'), /not authorised|Connection Refused/i)
  assert.deepEqual(users, ['new', 'old'])
})

test('mosquitto lets in whom our file names', { timeout: 30_000, skip }, async (t) => {
  const folder = temporaryFolder('skerry-mqtt-')
  const line = passwordLine('ann', await hashPassword(Buffer.from(PASSWORD)))
  await writeFile(join(folder, 'passwords'), `${line}\n`, { mode: 0o600 })
  const port = await freePort()
  const config = `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${join(folder, 'passwords')}\nuser root\n`
  await writeFile(join(folder, 'mosquitto.conf'), config)
  const server = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(async () => {
    const ended = server.exitCode === null ? once(server, 'exit') : undefined
    server.kill()
    await ended
  })
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => chunk.toString().includes('running') && resolve())
    server.once('exit', () => reject(new Error('mosquitto ended')))
  })
  const publish = (password: string) =>
    run('mosquitto_pub', ['-p', String(port), '-q', '1', '-t', 'a', '-m', 'x', '-u', 'ann', '-P', password])
  await publish(PASSWORD)
  await assert.rejects(publish('guess'), /not authorised|Connection Refused/i)
  assert.match(await readFile(join(folder, 'passwords'), 'utf8'), /^ann:\$7\$100000\$/)
})

test('mosquitto clients come over TLS, with a password or with a certificate', { timeout: 30_000, skip }, async (t) => {
  const { broker, folder, users, publish, certificate } = await startTls(t)
  const at = ['-h', 'localhost', '-p', String(broker.ports.tls), '--cafile', join(folder, 'ca.crt')]
  await publish([...at, '-u', 'ann', '-P', PASSWORD])
  await publish([...at, '--cert', certificate.cert, '--key', certificate.key])
  await assert.rejects(publish(at), /not authorised|Connection Refused/i)
  await assert.rejects(publish(['-h', 'localhost', '-p', String(broker.ports.tls)]))
  assert.deepEqual(users, ['ann', 'press'])
})

async function startTls(t: TestContext) {
  const folder = temporaryFolder('skerry-mqtt-')
  const file = (name: string) => join(folder, name)
  await writeFile(file('passwords'), `${passwordLine('ann', await hashPassword(Buffer.from(PASSWORD), 100))}\n`, {
    mode: 0o600,
  })
  // As the how-to page does it.
  const openssl = (...args: string[]) => run('openssl', args)
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3650',
    ...['-subj', '/CN=clients', '-keyout', file('clients.key'), '-out', file('clients.crt')],
  )
  await openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    ...['-subj', '/CN=press', '-keyout', file('press.key'), '-out', file('press.csr')],
  )
  await openssl(
    'x509',
    '-req',
    '-in',
    file('press.csr'),
    '-CA',
    file('clients.crt'),
    '-CAkey',
    file('clients.key'),
    ...['-CAcreateserial', '-days', '365', '-out', file('press.crt')],
  )
  const grant = { twins: [], access: 'read' as const, publish: ['#'], subscribe: [] }
  const { broker } = await startBroker(t, {
    folder,
    clients: ['ann', 'press'].map((name) => ({ name, ...grant })),
    tls: { host: '127.0.0.1', port: 0, names: [], clientCa: file('clients.crt'), requireCertificate: false },
  })
  const users: unknown[] = []
  broker.eventBus.handle('#', async ({ user }) => void users.push(user))
  const publish = (args: readonly string[]) => run('mosquitto_pub', [...args, '-q', '1', '-t', 'a', '-m', 'x'])
  return { broker, folder, users, publish, certificate: { cert: file('press.crt'), key: file('press.key') } }
}

/** Rejects with what the program said where it fails. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return typeof address === 'object' && address ? address.port : 0
}
