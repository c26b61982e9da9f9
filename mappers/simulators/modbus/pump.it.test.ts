import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { seconds, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { createPumpSimulator } from './pump.ts'

const run = promisify(execFile)
const MBPOLL = '/usr/bin/mbpoll'

async function startPump(t: TestContext) {
  const clock = new FakeClock()
  const pump = createPumpSimulator({ host: '127.0.0.1', port: 0, clock, random: { ...systemRandom, next: () => 0.5 } })
  await pump.start()
  t.after(() => pump.close())
  const mbpoll = async (...words: string[]) => {
    const ran = await run(MBPOLL, ['-m', 'tcp', '-p', String(pump.port), '-a', '1', '-0', '-1', ...words])
    return [...ran.stdout.matchAll(/\[\d+\]:\s+(\S+)/g)].map((match) => match[1])
  }
  return { clock, pump, mbpoll }
}

describe('the simulated pump, asked by mbpoll', {
  skip: existsSync(MBPOLL) ? false : 'mbpoll is not installed',
}, () => {
  it('answers all four tables and takes writes', async (t) => {
    const { clock, pump, mbpoll } = await startPump(t)
    await run(MBPOLL, [
      '-m',
      'tcp',
      '-p',
      String(pump.port),
      '-a',
      '1',
      '-0',
      '-r',
      '0',
      '-t',
      '4',
      '127.0.0.1',
      '1500',
    ])
    assert.equal(pump.state.targetSpeed, 1500)
    await clock.advance(seconds(120))
    assert.deepEqual(await mbpoll('-r', '0', '-t', '4', '-c', '1', '127.0.0.1'), ['1500'])
    assert.deepEqual(await mbpoll('-r', '0', '-t', '3', '-c', '1', '127.0.0.1'), ['1500'])
    const [temperature] = await mbpoll('-r', '2', '-t', '3:float', '-B', '-c', '1', '127.0.0.1')
    assert.ok(Math.abs(Number(temperature) - 49.5) < 1, `${temperature} degC`)
    assert.deepEqual(await mbpoll('-r', '0', '-t', '0', '-c', '1', '127.0.0.1'), ['1'])
    assert.deepEqual(await mbpoll('-r', '0', '-t', '1', '-c', '1', '127.0.0.1'), ['0'])
    await run(MBPOLL, ['-m', 'tcp', '-p', String(pump.port), '-a', '1', '-0', '-r', '0', '-t', '0', '127.0.0.1', '0'])
    assert.equal(pump.state.running, false)
  })

  it('refuses registers it does not have and speeds it cannot reach', async (t) => {
    const { pump, mbpoll } = await startPump(t)
    await assert.rejects(mbpoll('-r', '9', '-t', '4', '-c', '1', '127.0.0.1'), /Illegal data address/)
    const write = run(MBPOLL, [
      '-m',
      'tcp',
      '-p',
      String(pump.port),
      '-a',
      '1',
      '-0',
      '-r',
      '0',
      '-t',
      '4',
      '127.0.0.1',
      '3001',
    ])
    await assert.rejects(write, /Illegal data value/)
    assert.equal(pump.state.targetSpeed, 0)
  })
})

describe('the Modbus server of the simulators', () => {
  it('ends a connection that does not speak Modbus', async (t) => {
    const { pump } = await startPump(t)
    const socket = connect(pump.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end('GET / HTTP/1.1\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
  })

  it('answers frames that arrive byte by byte and two at once', async (t) => {
    const { pump } = await startPump(t)
    const socket = connect(pump.port, '127.0.0.1')
    t.after(() => socket.destroy())
    const frame = (id: number) => Buffer.from([0, id, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1])
    socket.write(frame(1).subarray(0, 5))
    await once(socket, 'connect')
    socket.write(Buffer.concat([frame(1).subarray(5), frame(2)]))
    let answer = Buffer.alloc(0)
    while (answer.length < 22) {
      const [part]: Buffer[] = await once(socket, 'data')
      answer = Buffer.concat([answer, part ?? Buffer.alloc(0)])
    }
    assert.deepEqual([answer.readUInt16BE(0), answer.readUInt16BE(11)], [1, 2])
  })
})
