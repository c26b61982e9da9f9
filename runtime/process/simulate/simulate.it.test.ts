import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { startBroker } from '../../../platform/bus/mqtt/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { collect, run } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'

async function started(t: TestContext, ...args: readonly string[]) {
  const child = spawn(process.execPath, [launcher, 'simulate', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.after(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  const output = collect(child)
  const stop = async () => {
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
    return child.exitCode
  }
  return { child, output, stop }
}

/** Asks unit 1 for one holding register; what it answers, or nothing when the link ends. */
function holding(url: string, register: number): Promise<number | undefined> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(Buffer.from([0, 1, 0, 0, 0, 6, 1, 3, register >> 8, register & 0xff, 0, 1]))
  return new Promise((resolve) => {
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    socket.on('data', (answer: Buffer) => {
      resolve(answer.readUInt16BE(9))
      socket.destroy()
    })
  })
}

const MODEL = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata:
  name: valve
  annotations: {skerry.dev/simulate: 'position=hold(42)'}
spec:
  protocol: modbus
  properties:
    - name: position
      type: INT
      accessMode: ReadOnly
      visitors: {protocolName: modbus, configData: {register: HoldingRegister, offset: 7}}
`

describe('skerry simulate', () => {
  it('simulates the sample of the protocol and says what its Device has to say', async (t) => {
    const { output, stop } = await started(t, 'modbus', '--port', '0')
    const [, url = ''] = await output.waitFor(/^pump-1 \(modbus\) on (tcp:\S+)$/m)
    await output.waitFor(/configData:\n +host: 127\.0\.0\.1\n +port: \d+\n +unitId: 1$/m)
    assert.match(output.stdout(), /targetSpeed \(writable\), speed, temperature/)
    assert.equal(await holding(url, 0), 0)
    assert.equal(await stop(), 0)
  })

  it('simulates what files describe, and does what is typed', async (t) => {
    const folder = temporaryFolder('skerry-simulate-')
    await writeFile(join(folder, 'model.yaml'), MODEL)
    const model = join(folder, 'model.yaml')
    const { child, output, stop } = await started(t, 'modbus', '--port', '0', '--model', model, '-o', 'json')
    const [line = ''] = await output.waitFor(/^\{.*\}$/m)
    const told: { url: string; devices: { name: string; protocol: object }[] } = JSON.parse(line)
    assert.deepEqual(told.devices[0]?.name, 'valve')
    assert.equal(await holding(told.url, 7), 42)
    child.stdin.write('disconnect\n')
    await output.waitFor(/^\{"fault":"disconnect"\}$/m)
    assert.equal(await holding(told.url, 7), undefined)
    child.stdin.write('sleep\nok\n')
    await output.waitFor(/^\{"fault":"ok"\}$/m)
    assert.match(output.stderr(), /^skerry: "sleep" is no fault: write silence/m)
    assert.equal(await holding(told.url, 7), 42)
    assert.equal(await stop(), 0)
  })

  it('calls no broker local but one that is known to be that of the node', async (t) => {
    const { broker } = await startBroker(t, { anonymous: 'full' })
    const { output, stop } = await started(t, 'mqtt', '--port', String(broker.port))
    const [, port] = await output.waitFor(/configData:\n +broker: mqtt:\/\/127\.0\.0\.1:(\d+)$/m)
    assert.equal(port, String(broker.port))
    assert.equal(await stop(), 0)
  })

  it('plays the faults of a file', async (t) => {
    const folder = temporaryFolder('skerry-simulate-')
    const faults = join(folder, 'faults.yaml')
    await writeFile(
      faults,
      'repeat: true\nsteps:\n  - {after: 10ms, fault: silence, for: 10ms}\n  - {fault: slow 5, for: 10ms}\n',
    )
    const { output, stop } = await started(t, 'modbus', '--port', '0', '--faults', faults)
    await output.waitFor(/fault: silence\nfault: ok\nfault: slow 5\nfault: ok\nfault: silence\n/)
    assert.equal(await stop(), 0)
  })

  it('refuses a model that it cannot simulate, with the place and what to write', async () => {
    const folder = temporaryFolder('skerry-simulate-')
    const file = join(folder, 'model.yaml')
    const refusal = async (text: string, protocol = 'modbus') => {
      await writeFile(file, text)
      const ran = await run(process.execPath, [launcher, 'simulate', protocol, '--model', file, '--port', '0'])
      assert.equal(ran.code, 1)
      return ran.stderr
    }
    assert.match(await refusal(MODEL.replace('hold(42)', 'hold')), /"hold" in it: a behaviour is one of hold, follow/)
    assert.match(await refusal(MODEL.replace('offset: 7', 'offset: x')), /valve cannot be simulated: position: /)
    assert.match(await refusal(MODEL.replace('protocol: modbus', 'protocol: opcua')), /valve speaks opcua, not modbus/)
    assert.match(
      await refusal(MODEL.replace('INT', 'NUMBER')),
      /model\.yaml: \/spec\/properties\/0\/type: must be one of/,
    )
    assert.match(
      await refusal(MODEL.replace('v1beta1', 'v1alpha2')),
      /\/apiVersion: must be devices\.kubeedge\.io\/v1beta1/,
    )
    assert.match(await refusal('{'), /model\.yaml: \//)
    assert.match(await refusal(''), /holds no DeviceModel and no Device/)
  })
})
