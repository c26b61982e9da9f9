import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

const WHERE = /http:\/\/127\.0\.0\.1:9061/g

describe('the local HTTP API', { skip: needs('curl', 'kubectl') }, () => {
  let up: RunningUp
  let url: string

  before(async () => {
    up = await startUp(temporaryDirectory())
    url = up.endpoints.http ?? assert.fail('no local HTTP API')
    await eventually('the pump has reported', async () => {
      const ran = await run('curl', ['-s', `${url}/v1/devices/default/pump-1`])
      return ran.stdout.includes('"state":"online"') && ran.stdout.includes('"speed":{"value"') ? true : undefined
    })
  })

  after(() => up.stop())

  it('gives each of the lines of its page what they promise', async () => {
    const commands = (await commandsOf('docs/how-to/use-twins-over-http.md')).map((each) => each.replaceAll(WHERE, url))
    const patterns = [
      /^\{"device":"default\/pump-1",.*"state":"online"/,
      /^\{"value":\d+,/,
      /^\{"items":\[\{"device":"default\//,
      /^\{"device":"default\/pump-1","desired":\{"targetSpeed":950\}\}$/m,
      /^\{"device":"default\/pump-1","desired":\{"targetSpeed":900\}\}$/m,
      /^\{"items":\[\{"name":"run",/,
      /^\{"results":\{"targetSpeed":"1200",/,
      /^event: twin\ndata: \{"device":"default\/pump-1".*\n\nevent: synced\ndata: \{\}\n/,
    ]
    assert.equal(commands.length, patterns.length)
    for (const [index, command] of commands.entries()) {
      // A stream has no end of its own.
      const isStream = command.includes('/v1/events')
      const ran = await run('bash', ['-c', isStream ? `${command} | head -n 5` : command])
      assert.match(ran.stdout, patterns[index] ?? /never/, command)
    }
  })

  it('brings a wish to the device and to kubectl', async () => {
    const body = ['-H', 'content-type: application/json', '-d', '{"targetSpeed": 1300}']
    assert.equal(
      (await run('curl', ['-s', '-X', 'PATCH', `${url}/v1/devices/default/pump-1/desired`, ...body])).code,
      0,
    )
    await eventually('kubectl shows what the device has', async () => {
      const ran = await up.kubectl('get', 'device', 'pump-1', '-o', 'jsonpath={.status.twins[*].reported.value}')
      return ran.stdout.split(' ').includes('1300') ? true : undefined
    })
  })
})
