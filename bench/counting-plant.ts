import { createServer } from 'node:net'
import { tcpFraming } from '../mappers/simulators/modbus/modbus-frames.ts'
import { serveLink } from '../mappers/simulators/modbus/modbus-link.ts'

/**
 * Modbus TCP gateways (first argument) with so many units each (second), in a process of their own. Each reading of a unit
 * finds every register one higher than the last. Asked with any message, says how many requests there were since it was
 * asked last, and the times between two of the same unit, in ms and sorted.
 */
const [gateways = 1, units = 1] = process.argv.slice(2).map(Number)
let requests = 0
let gaps: number[] = []

const ports = await Promise.all(Array.from({ length: gateways }, openGateway))
process.on('message', () => {
  process.send?.({ requests, gaps: Float64Array.from(gaps).sort() })
  requests = 0
  gaps = []
})
process.on('disconnect', () => process.exit(0))
process.send?.(ports)

function openGateway(): Promise<number> {
  const counts = new Uint16Array(units + 1)
  const times = new Float64Array(units + 1)
  const readRegisters = (_table: string, unitId: number, start: number, length: number) => {
    const now = performance.now()
    const last = times[unitId] ?? 0
    if (last > 0) gaps.push(now - last)
    times[unitId] = now
    const count = (counts[unitId] ?? 0) + 1
    counts[unitId] = count
    return Array.from({ length }, (_, index) => (count + start + index) & 0xffff)
  }
  const memory = { readBits: () => [], readRegisters, writeCoils: () => undefined, writeRegisters: () => undefined }
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    const onRequest = () => void requests++
    const send = (answer: Buffer) => void socket.write(answer)
    socket.on('data', serveLink({ memory, framing: tcpFraming, onRequest, send, end: () => socket.destroy() }))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
