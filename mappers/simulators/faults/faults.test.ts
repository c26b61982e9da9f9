import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { ms, seconds, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { formatFault, parseFault } from './fault.ts'
import { parseFaultScript, playFaults } from './fault-script.ts'
import { FaultyAnswers } from './faulty-answers.ts'

const script = (value: unknown) => {
  const parsed = parseFaultScript(value)
  return parsed.ok ? parsed.value : parsed.reason
}

describe('a fault', () => {
  it('is a word and a number', () => {
    for (const text of ['silence', 'garbage 0.5', 'slow 800', 'disconnect', 'ok']) {
      const parsed = parseFault(` ${text} `)
      assert.equal(parsed.ok && formatFault(parsed.value), text)
    }
    assert.deepEqual(parseFault('garbage'), { ok: true, value: { kind: 'garbage', share: 1 } })
    for (const text of ['', 'sleep', 'garbage 2', 'slow x', 'slow -1', 'silence 3', 'ok 1', 'slow 1 2']) {
      const parsed = parseFault(text)
      assert.match(parsed.ok ? '' : parsed.reason, /write silence, garbage SHARE/, text)
    }
  })

  it('changes the answers of a simulator', async () => {
    const clock = new FakeClock()
    const answers = new FaultyAnswers(clock, {
      ...systemRandom,
      next: () => 0.4,
      bytes: (n) => new Uint8Array(n).fill(9),
    })
    const sent: number[][] = []
    const send = () => answers.send(Uint8Array.of(1, 2), (bytes) => sent.push([...bytes]))
    const told = () => sent.splice(0)
    send()
    assert.deepEqual(told(), [[1, 2]])
    answers.current = { kind: 'garbage', share: 0.5 }
    send()
    assert.deepEqual(told(), [[9, 9]])
    answers.current = { kind: 'garbage', share: 0.3 }
    send()
    assert.deepEqual(told(), [[1, 2]])
    answers.current = { kind: 'silence' }
    send()
    answers.current = { kind: 'slow', milliseconds: 800 }
    send()
    await clock.advance(ms(799))
    assert.deepEqual(told(), [])
    await clock.advance(ms(1))
    assert.deepEqual(told(), [[1, 2]])
  })
})

describe('a fault script', () => {
  const SILENT = { after: '10s', fault: 'silence', for: '5s' }

  async function played(value: unknown, time: number) {
    const clock = new FakeClock(0)
    const stop = new AbortController()
    const seen: string[] = []
    const parsed = parseFaultScript(value)
    assert.ok(parsed.ok)
    const play = playFaults(parsed.value, {
      clock,
      signal: stop.signal,
      apply: async (fault) => void seen.push(`${clock.now() / 1000} ${formatFault(fault)}`),
    })
    await clock.advance(seconds(time))
    return { seen, play, stop, clock }
  }

  it('is played once on the clock of the simulator', async () => {
    const { seen, play } = await played([SILENT, { after: 1000, fault: 'slow 50', for: '2s' }], 60)
    await play
    assert.deepEqual(seen, ['10 silence', '15 ok', '16 slow 50', '18 ok'])
  })

  it('is repeated where it says so, and leaves a healthy device when it is stopped', async () => {
    const { seen, play, stop } = await played({ repeat: true, steps: [SILENT] }, 42)
    stop.abort(new Error('over'))
    await play
    assert.deepEqual(seen, ['10 silence', '15 ok', '25 silence', '30 ok', '40 silence', '42 ok'])
  })

  it('of the sample can be played', () => {
    const sample = parse(readFileSync(new URL('../../../samples/pump/faults.yaml', import.meta.url), 'utf8'))
    const parsed = parseFaultScript(sample)
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
    assert.deepEqual(
      parsed.value.steps.map((step) => step.fault.kind),
      ['silence', 'garbage', 'slow', 'disconnect'],
    )
  })

  it('is refused with a pointer', () => {
    assert.match(String(script(undefined)), /^\/steps: must be a list/)
    assert.match(String(script({ steps: [] })), /^\/steps: /)
    assert.match(String(script({ steps: [SILENT], repeat: 'yes' })), /^\/repeat: /)
    assert.match(String(script([{ ...SILENT, after: '10 parsecs' }])), /^\/steps\/0\/after: /)
    assert.match(String(script([SILENT, { fault: 'silence' }])), /^\/steps\/1\/for: /)
    assert.match(String(script([{ ...SILENT, fault: 'sleep' }])), /^\/steps\/0\/fault: "sleep" is no fault/)
    assert.match(String(script([{ ...SILENT, fault: 'ok' }])), /^\/steps\/0\/fault: /)
    assert.match(String(script({ repeat: true, steps: [{ fault: 'silence', for: 0 }] })), /^\/steps: must take/)
  })
})
