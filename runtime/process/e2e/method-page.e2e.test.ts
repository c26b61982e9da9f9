import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

describe('the page about methods', { skip: needs('kubectl', 'mosquitto_pub', 'mosquitto_sub') }, () => {
  let up: RunningUp

  before(async () => {
    up = await startUp(temporaryDirectory())
    await eventually('the pump is online', async () => {
      const path = '{.status.conditions[?(@.type=="Online")].status}'
      const { stdout } = await up.kubectl('get', 'device', 'pump-1', '-o', `jsonpath=${path}`)
      return stdout === 'True' ? true : undefined
    })
  })

  after(() => up.stop())

  /** Calls again until the listener, which may not have subscribed yet, has heard an answer. */
  async function answerTo(listen: string, call: string): Promise<unknown> {
    const listener = spawn('bash', ['-c', `exec ${listen}`])
    try {
      const heard = collect(listener)
      return await eventually('an answer', async () => {
        const ran = await run('bash', ['-c', call], {})
        assert.equal(ran.code, 0, `${call}\n${ran.stderr}`)
        const line = heard.stdout().trim()
        return line === '' ? undefined : firstOf(line)
      })
    } finally {
      listener.kill()
    }
  }

  it('has lines that work on the sample as they stand', async () => {
    const { hostname, port } = new URL(up.endpoints.mqtt ?? '')
    const commands = (await commandsOf('docs/how-to/call-a-device-method.md')).map((command) =>
      command.replace('-h 127.0.0.1 -p 1883', `-h ${hostname} -p ${port}`),
    )
    const [listenPlain = '', callPlain = '', listen = '', call = ''] = commands
    assert.equal(commands.length, 4)
    const plain = await answerTo(listenPlain, callPlain)
    assert.match(JSON.stringify(plain), /"ok":true,"results":\{"targetSpeed":"1200","running":"true","speed":"\d+"\}/)
    const full = await answerTo(listen, call)
    assert.match(JSON.stringify(full), /"event_id":"42".*"method":"run","results":\{"targetSpeed":"1500"/)
  })
})

function firstOf(lines: string): unknown {
  return JSON.parse(lines.split('\n')[0] ?? '')
}
