import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseDocument } from 'yaml'
import { type Ran, run } from '../testing/run.ts'
import { launcher, type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'
import { freePort } from '../up/ports.ts'
import { packageRoot } from '../version.ts'

const PAGE = join(packageRoot, 'docs', 'how-to', 'give-an-app-its-own-mqtt-access.md')
const PASSWORD = 'a secret, with $signs'

describe('the page about MQTT access of an app', { concurrency: 1 }, () => {
  let directory: string
  let up: RunningUp
  let page: string
  let tlsPort: number

  before(async () => {
    directory = temporaryDirectory()
    page = await readFile(PAGE, 'utf8')
    tlsPort = await freePort()
    up = await startUp(directory)
  })
  after(() => up.stop())

  /** The blocks of a language below a heading, without their indentation. */
  const blocks = (heading: string, language: 'sh' | 'yaml'): readonly string[] => {
    const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? ''
    // A block in a list is indented by three.
    const fence = '`'.repeat(3)
    const found = section.matchAll(new RegExp(`^( {3}|\\d\\. )?${fence}${language}\n([^]*?)${fence}`, 'gm'))
    return [...found].map(([, indent, text = '']) => (indent ? text.replace(/^ {3}/gm, '') : text))
  }
  /** A line of the page as somebody types it who has other ports and another directory. */
  const type = (line: string, input = ''): Promise<Ran> => {
    const mqtt = new URL(up.endpoints.mqtt ?? '').port
    const here = line
      .replaceAll('npx skerry', `'${process.execPath}' '${launcher}'`)
      .replaceAll('.skerry', directory)
      .replaceAll('-p 1883', `-p ${mqtt}`)
      .replaceAll('-p 8883', `-p ${tlsPort}`)
    const timeLimit = here.startsWith('mosquitto') ? 'timeout 10 ' : ''
    const env = { SKERRY_DATA: directory, PASSWORD }
    return run('bash', ['-c', `cd '${directory}' && ${timeLimit}${here}`], { env, input })
  }
  const lines = (block: string | undefined) => (block ?? '').trim().split('\n')
  const works = async (line: string, input?: string): Promise<string> => {
    const ran = await type(line, input)
    assert.equal(ran.code, 0, `${line}\n${ran.stdout}${ran.stderr}`)
    return ran.stdout
  }
  /** Puts what a block says into the configuration of the edge half. */
  const configure = async (block: string | undefined, ...more: readonly (readonly [readonly string[], unknown])[]) => {
    const file = join(directory, 'edge', 'config.yaml')
    const document = parseDocument(await readFile(file, 'utf8'))
    const given: unknown = parseDocument(block ?? '').toJS()
    assert.ok(typeof given === 'object' && given !== null && 'mqtt' in given && typeof given.mqtt === 'object')
    for (const [key, value] of Object.entries(given.mqtt ?? {}))
      document.setIn(['mqtt', key], document.createNode(value))
    for (const [path, value] of more) document.setIn(path, value)
    await writeFile(file, document.toString())
  }
  const restart = async () => {
    for (const line of lines(blocks('Make a user', 'sh')[1])) await works(line)
  }

  it('makes a user who reaches its own twin only', { timeout: 120_000 }, async () => {
    const [password, , trial] = blocks('Make a user', 'sh')
    assert.match(await works(lines(password)[0] ?? '', `${PASSWORD}\n`), /^panel can log in/)
    await configure(blocks('Make a user', 'yaml')[0])
    await restart()
    const [set = '', hear = '', other = '', wide = ''] = lines(trial)
    await works(set)
    assert.match(await works(hear), /^\d+\n$/)
    const refused = await type(other)
    assert.match(`${refused.stdout}${refused.stderr}`, /denied/)
    for (const line of (await works(wide)).trim().split('\n')) assert.match(line, /^twins\/default\/pump-1/)
    const guess = await type(set.replace('"$PASSWORD"', 'guess'))
    assert.match(guess.stderr, /not authorised|Connection Refused/i)
  })

  it('lets it come over TLS, with its password or with a certificate', { timeout: 120_000 }, async () => {
    await configure(
      blocks('Let it come from another machine', 'yaml')[0],
      ...([
        [['mqtt', 'tls', 'host'], '127.0.0.1'],
        [['mqtt', 'tls', 'port'], tlsPort],
      ] as const),
    )
    const [make, withCertificate] = blocks('Use a certificate', 'sh')
    for (const line of lines(make)) await works(line)
    await configure('mqtt: {}', [['mqtt', 'tls', 'clientCa'], join(directory, 'clients.crt')])
    await restart()
    const [overTls = ''] = lines(blocks('Let it come from another machine', 'sh')[0])
    assert.match(await works(overTls), /"targetSpeed"/)
    assert.match(await works(lines(withCertificate)[0] ?? ''), /"targetSpeed"/)
    const nobody = await type(overTls.replace(/-u panel -P "\$PASSWORD"/, ''))
    // On this machine anonymous clients of skerry up may do all, over TLS too.
    assert.equal(nobody.code, 0, nobody.stderr)
    const log = await readFile(join(directory, 'logs', 'edge.log'), 'utf8')
    assert.ok(!log.includes(PASSWORD), 'no password in the log')
    assert.match(log, /The MQTT broker listens with TLS/)
  })

  it('serves browsers where endpoints.json says', async () => {
    const url = new URL(up.endpoints.mqttWebsocket ?? '')
    assert.deepEqual([url.protocol, url.pathname], ['ws:', '/mqtt'])
    const answer = await fetch(`http://${url.host}/`)
    assert.equal(answer.status, 426)
  })
})
