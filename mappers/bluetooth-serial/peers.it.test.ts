import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ms, systemClock } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { propertiesOf, served } from './testing/served.ts'

const SOCAT = '/usr/bin/socat'
const PYTHON = '/usr/bin/python3'

function missing(): string | false {
  if (process.platform !== 'linux') return 'Linux only'
  if (!existsSync(SOCAT)) return 'socat is missing'
  try {
    execFileSync(PYTHON, ['-c', 'import serial'], { stdio: 'ignore' })
    return false
  } catch {
    return 'python3-serial is missing'
  }
}

/** Two ports that are joined by socat; a device of pyserial is on one of them. */
async function device(t: TestContext, kind: 'binary' | 'text'): Promise<string> {
  const folder = temporaryFolder('skerry-peers-')
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')]
  const cable = spawn(SOCAT, [`PTY,link=${ours},rawer`, `PTY,link=${theirs},rawer`], { stdio: 'ignore' })
  t.after(() => void cable.kill('SIGKILL'))
  const end = systemClock.monotonic() + 10_000
  while (!existsSync(ours) || !existsSync(theirs)) {
    assert.ok(systemClock.monotonic() < end, 'socat made no ports')
    await systemClock.sleep(ms(5))
  }
  const script = fileURLToPath(new URL('./testing/peer.py', import.meta.url))
  const peer = spawn(PYTHON, [script, kind, theirs], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void peer.kill('SIGKILL'))
  await once(peer.stdout, 'data')
  return ours
}

const skip = missing()
if (skip && process.env['CI']) throw new Error(skip)

describe('with a device of pyserial behind socat', { skip }, () => {
  it('speaks a binary protocol with lengths and checksums through noise', async (t) => {
    const line = await served(
      t,
      {
        path: await device(t, 'binary'),
        baudRate: 115_200,
        framing: {
          ...{ kind: 'length', start: '\\x02', maxLength: 64 },
          checksum: { kind: 'crc16-modbus', coversStart: true },
        },
      },
      propertiesOf({
        temperature: [
          'FLOAT',
          { request: 'hex: 00 10', match: '\\x10', matchAt: 1, dataType: 'float32', offset: 2, order: 'little' },
        ],
        level: ['INT', { request: 'hex: 00 10', match: '\\x10', matchAt: 1, dataType: 'int16', offset: 6 }],
        serial: ['INT', { request: 'hex: 00 10', match: '\\x10', matchAt: 1, dataType: 'bcd', offset: 8, length: 2 }],
        alarm: [
          'BOOLEAN',
          { request: 'hex: 00 10', match: '\\x10', matchAt: 1, dataType: 'uint8', offset: 10, bit: 7 },
        ],
        limit: ['INT', { write: 'hex: 00 20 {value:u16be}', ack: 'hex: 06 20 00 {value:u16be}' }],
      }),
    )
    assert.deepEqual(await line.read(), { temperature: 21.5, level: -42, serial: 1234, alarm: true })
    assert.equal(await line.write('limit', 700), 'ok')
    assert.match(await line.write('limit', 70_000), /70000 does not fit into uint16/)
  })

  it('reads sentences as of NMEA 0183', async (t) => {
    const line = await served(
      t,
      {
        path: await device(t, 'text'),
        baudRate: 115_200,
        framing: {
          ...{ kind: 'markers', start: '$', end: '\\r\\n' },
          checksum: { kind: 'xor8', format: 'hex', before: '*' },
        },
        requestFraming: { end: '\\n' },
      },
      propertiesOf({
        air: ['DOUBLE', { request: 'XDR?', match: 'WIXDR', field: 2 }],
        pressure: ['DOUBLE', { request: 'XDR?', match: 'WIXDR', field: 6 }],
      }),
    )
    assert.deepEqual(await line.read(), { air: 21.7, pressure: 1.013 })
  })
})
