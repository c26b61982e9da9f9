import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ms, systemClock } from '../../platform/time/index.ts'
import mapper from './index.ts'
import { deviceOf } from './testing/configs.ts'
import { type Script, startScriptedPeer } from './testing/scripted-peer.ts'

const clock = {
  now: () => systemClock.now(),
  sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until),
}

async function discovered(t: TestContext, script: Script, config: object = {}, signal = new AbortController().signal) {
  const { port, requests } = await startScriptedPeer(t, script)
  const device = deviceOf({ host: '127.0.0.1', port, timeout: 60, ...config })
  const log = { debug: () => undefined, warn: () => undefined }
  const found: (string | undefined)[] = []
  for await (const each of mapper.discover?.(device, { clock, log, signal, folder: '/nowhere' }) ?? []) {
    found.push(`${each.name}: ${each.description}`)
  }
  return { found, requests }
}

const text = (words: string) => [...Buffer.from(words)]
const object = (id: number, words: string) => [id, words.length, ...text(words)]
const GATEWAY_SILENT = 11

describe('finding Modbus units', () => {
  it('tells what they say of themselves, by function 43, then 17, and that they are there where they know neither', async (t) => {
    const { found, requests } = await discovered(
      t,
      ({ unitId, pdu }) => {
        const [code = 0] = pdu
        if (code === 3 && unitId < 5) return unitId === 2 ? [0x83, 2] : [3, 2, 0, 1]
        if (code === 43 && unitId === 1) {
          return [43, 14, 1, 1, 0, 0, 3, ...object(0, 'Acme'), ...object(1, 'PM-5 \u0000'), ...object(2, 'V1.2')]
        }
        if (code === 17 && unitId === 2) return [17, 3, 9, 0xff, 1]
        if (code === 17 && unitId === 3) return [17, 6, ...text('ABC-9\0')]
        return code === 3 ? [0x83, GATEWAY_SILENT] : [code | 0x80, 1]
      },
      { units: '1-6' },
    )
    assert.deepEqual(found, [
      'pm-5-unit-1: unit 1: Acme PM-5 V1.2',
      'modbus-unit-2: unit 2: id 0x09ff01',
      'modbus-unit-3: unit 3: id ABC-9',
      'modbus-unit-4: unit 4: says nothing of itself',
    ])
    assert.deepEqual(requests.slice(-2), ['5: 0300000001', '6: 0300000001'])
  })

  it('reads an identification that comes in pieces, and none that never ends', async (t) => {
    const { found, requests } = await discovered(
      t,
      ({ pdu }) => {
        if (pdu[0] === 3) return [3, 2, 0, 1]
        const at = pdu[3] ?? 0
        return [43, 14, 1, 1, 0xff, at === 2 ? 0 : at + 1, 1, ...object(at, `part${at}`)]
      },
      { units: '1' },
    )
    assert.deepEqual(found, ['part1-unit-1: unit 1: part0 part1 part2'])
    assert.equal(requests.length, 4)
  })

  it('finds one device where a server does not look at the unit', async (t) => {
    const { found } = await discovered(t, ({ pdu: [code = 0] }) => (code === 3 ? [3, 2, 0, 1] : [code | 0x80, 1]))
    assert.deepEqual(found, ['modbus-unit-1: unit 1: says nothing of itself'])
  })

  it('asks all 247 units of a gateway, also one that hangs up for those that are silent', async (t) => {
    const { found, requests } = await discovered(t, ({ unitId, pdu: [code = 0], socket }) => {
      if (unitId === 9) socket.destroy()
      if (unitId === 247 || unitId === 10) return code === 3 ? [3, 2, 0, 1] : [code | 0x80, 1]
      return unitId === 8 ? undefined : [code | 0x80, GATEWAY_SILENT]
    })
    assert.deepEqual(
      found,
      [10, 247].map((unitId) => `modbus-unit-${unitId}: unit ${unitId}: says nothing of itself`),
    )
    assert.equal(new Set(requests.map((each) => each.split(':')[0])).size, 248)
  })

  it('ends when its signal aborts, and when nobody is there at all', async (t) => {
    const stop = new AbortController()
    const script: Script = ({ unitId }) => {
      if (unitId === 3) stop.abort(new Error('enough'))
      return [0x83, GATEWAY_SILENT]
    }
    await assert.rejects(discovered(t, script, {}, stop.signal), /enough/)
    await assert.rejects(discovered(t, script, { port: 1 }), /ECONNREFUSED/)
  })
})
