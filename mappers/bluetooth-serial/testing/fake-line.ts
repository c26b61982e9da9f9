import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { VisitId } from '../../contract/index.ts'
import { SerialConnection } from '../connection.ts'
import { deviceConfig, type SerialDevice } from '../device-config.ts'
import type { SerialOrder, SerialVisit } from '../exchanges.ts'
import { Line } from '../line.ts'
import { visitorConfig } from '../visitor-config.ts'

/** A connection over a stream of the test, on virtual time. `answer` is asked for each request. */
export function fakeLine(configData: JsonObject, answer: (request: string) => string | undefined = () => undefined) {
  const clock = new FakeClock()
  const log = memoryLogger()
  const sent: { readonly at: number; readonly text: string }[] = []
  const stream = new Duplex({
    read: () => undefined,
    write(bytes, _encoding, done) {
      const text = String(bytes)
      sent.push({ at: clock.monotonic(), text })
      done()
      const reply = answer(text)
      if (reply !== undefined) stream.push(reply)
    },
  })
  const lent = {
    log,
    clock: {
      now: () => clock.now(),
      sleep: (milliseconds: number, signal: AbortSignal) => clock.sleep(ms(milliseconds), signal),
    },
  }
  const line = new Line(stream, 'fake', lent)
  const device = deviceOf(configData)
  return { clock, log, sent, stream, line, device, connection: new SerialConnection(line, lent) }
}

export function deviceOf(configData: JsonObject): SerialDevice {
  const parsed = deviceConfig.parse({ path: '/dev/fake', ...configData })
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

export function visitOf(name: string, device: SerialDevice, visitor: JsonObject): SerialVisit {
  const parsed = visitorConfig.parse(visitor)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const property = { name, type: 'STRING', accessMode: 'ReadWrite' } as const
  return { id: idOf(name), device, property, visitor: parsed.value }
}

export function orderOf(visit: SerialVisit, value: SerialOrder['value']): SerialOrder {
  return { ...visit, value }
}

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}
