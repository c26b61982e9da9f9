import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

describe('the page about stale values', { skip: needs('kubectl', 'mosquitto_pub', 'mosquitto_sub') }, () => {
  let up: RunningUp

  before(async () => {
    up = await startUp(temporaryDirectory())
    await eventually('the pump is fresh', async () => ((await fresh()).includes('"reason":"Fresh"') ? true : undefined))
  })

  after(() => up.stop())

  async function fresh(): Promise<string> {
    const path = '{.status.conditions[?(@.type=="Fresh")]}'
    return (await up.kubectl('get', 'device', 'pump-1', '-o', `jsonpath=${path}`)).stdout
  }

  it('has lines that work on the sample as they stand', async () => {
    const { hostname, port } = new URL(up.endpoints.mqtt ?? '')
    const commands = (await commandsOf('docs/how-to/know-when-a-value-is-stale.md')).map((command) =>
      command.replace('-h 127.0.0.1 -p 1883', `-h ${hostname} -p ${port}`),
    )
    const [ofModel = '', ofDevice = '', table = '', wait = '', condition = '', listen = '', report = ''] = commands
    assert.equal(commands.length, 7)
    const env = { KUBECONFIG: up.endpoints.kubeconfig ?? '', HOME: up.directory }
    const works = async (command: string) => {
      const ran = await run('bash', ['-c', command], { env })
      assert.equal(ran.code, 0, `${command}\n${ran.stderr}`)
      return ran.stdout
    }
    for (const annotate of [ofModel, ofDevice]) assert.match(await works(annotate), /annotated/)
    assert.match(await works(table), /^NAME .* FRESH .*\n(?:.*\n)*pump-1 .*(True|Unknown)/)
    assert.match(await works(wait), /condition met/)
    assert.match(await works(condition), /"reason":"Fresh","status":"True"/)

    const listener = spawn('bash', ['-c', `exec ${listen}`])
    try {
      const heard = collect(listener)
      await eventually('a document', async () => {
        await works(report)
        return /^\S+\/twin\/update\/document \{.*"temperature".*41\.5/m.test(heard.stdout()) ? true : undefined
      })
    } finally {
      listener.kill()
    }
  })
})
