import type { ModbusFraming } from './modbus-frames.ts'
import { rtuFraming } from './modbus-frames.ts'
import { GATEWAY_TARGET_SILENT, type ModbusMemory } from './modbus-memory.ts'
import { answerPdu } from './modbus-pdu.ts'

export interface ModbusLink {
  readonly memory: ModbusMemory
  readonly framing: ModbusFraming
  readonly onRequest: () => void
  readonly send: (answer: Buffer) => void
  /** What came in is no Modbus, and nothing can be found in it any more. */
  readonly end: () => void
}

/** Takes the bytes of a link as they come in, and answers the requests in them. */
export function serveLink({ memory, framing, onRequest, send, end }: ModbusLink): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  const isLine = framing === rtuFraming
  return (bytes) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const taken = framing.take(all)
    if (!taken) {
      rest = Buffer.alloc(0)
      return end()
    }
    rest = all.subarray(taken.used)
    for (const frame of taken.frames) {
      onRequest()
      const answer = answerPdu(frame.pdu, frame.unitId, memory)
      // On a line nobody answers a broadcast, or for a unit that is not there.
      const isMute = isLine && (frame.unitId === 0 || (answer.length === 2 && answer[1] === GATEWAY_TARGET_SILENT))
      if (!isMute) send(frame.pack(answer))
    }
  }
}
