import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

const PUMP = 'twins/default/pump-1'

describe('the plain view', { skip: needs('kubectl', 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr') }, () => {
  let up: RunningUp
  let at: readonly string[]

  before(async () => {
    up = await startUp(temporaryDirectory())
    const { hostname, port } = new URL(up.endpoints.mqtt ?? '')
    at = ['-h', hostname, '-p', port]
    await eventually('the pump has reported', async () =>
      (await values()).length === 5 && (await whole()).state === 'online' ? true : undefined,
    )
  })

  after(() => up.stop())

  /** What is retained of the pump, as `topic value`. */
  async function values(): Promise<readonly string[]> {
    const ran = await run('mosquitto_sub', [...at, '-v', '-t', `${PUMP}/+`, '--retained-only', '-W', '1'])
    return ran.stdout.split('\n').filter((line) => line !== '')
  }

  async function whole() {
    const ran = await run('mosquitto_sub', [...at, '-C', '1', '-W', '10', '-t', PUMP])
    return JSON.parse(ran.stdout)
  }

  it('gives each of the lines of its page what they promise', async () => {
    const commands = (await commandsOf('docs/how-to/watch-twins-in-a-dashboard.md')).map((command) =>
      command.replace('-h 127.0.0.1 -p 1883', at.join(' ')),
    )
    const patterns = [
      /^twins\/default\/pump-1\/targetSpeed \d+$/m,
      /^\d+\n$/,
      /^twins\/default\/[a-z]+-1\/temperature \d+(\.\d+)?$/m,
      /^twins\/default\/([a-z]+-1) \{"device":"default\/\1",.*"unit":"/m,
      /^$/,
      /^\{"ok":true,"value":950,/,
    ]
    assert.equal(commands.length, patterns.length)
    for (const [index, command] of commands.entries()) {
      const ends = command.startsWith('mosquitto_sub') && !command.includes('-C') ? ' -C 1' : ''
      const ran = await run('bash', ['-c', `${command}${ends}${command.includes('_pub') ? '' : ' -W 10'}`])
      assert.equal(ran.code, 0, `${command}\n${ran.stderr}`)
      assert.match(ran.stdout, patterns[index] ?? /never/, command)
    }
    await eventually('the pump has what was set', async () =>
      (await values()).includes(`${PUMP}/targetSpeed 950`) ? true : undefined,
    )
    const { desired, origin, quality, type } = (await whole()).properties.targetSpeed
    assert.deepEqual([desired, origin, quality, type], [950, 'edge', 'good', 'int'])
  })

  it('says why a value is not taken, and keeps no set that was retained', async () => {
    const ask = async (property: string, value: string) => {
      const topic = `${PUMP}/${property}/set`
      const ran = await run('mosquitto_rr', [
        ...['-V', 'mqttv311', ...at, '-W', '10', '-q', '1'],
        ...['-t', topic, '-e', `${topic}/result`, '-m', value],
      ])
      assert.equal(ran.code, 0, ran.stderr)
      return JSON.parse(ran.stdout)
    }
    assert.deepEqual([(await ask('targetSpeed', '9000')).code, (await ask('speed', '1')).code], [400, 400])
    assert.equal((await ask('none', '1')).code, 404)
    const topic = `${PUMP}/targetSpeed/set`
    assert.equal((await run('mosquitto_pub', [...at, '-q', '1', '-r', '-t', topic, '-m', '800'])).code, 0)
    assert.equal((await whole()).properties.targetSpeed.desired, 800)
    const kept = await run('mosquitto_sub', [...at, '-v', '-t', `${PUMP}/+/set/#`, '--retained-only', '-W', '1'])
    assert.equal(kept.stdout, '')
  })

  it('is gone with the device', async () => {
    const child = spawn('mosquitto_sub', [...at, '-v', '-q', '1', '-t', `${PUMP}/#`, '-W', '30'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = collect(child)
    await output.waitFor(/\/targetSpeed \d+/)
    assert.equal((await up.kubectl('delete', 'device', 'pump-1', '--timeout=15s')).code, 0)
    for (const topic of [`${PUMP}/speed`, `${PUMP}/alarm`, PUMP]) {
      await output.waitFor(new RegExp(`^${topic} \\(null\\)$`, 'm'))
    }
    const closed = once(child, 'close')
    child.kill()
    await closed
    assert.deepEqual(await values(), [])
  })
})
