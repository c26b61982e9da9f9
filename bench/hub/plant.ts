import { createServer } from 'node:net'
import { tcpFraming } from '../../mappers/simulators/modbus/modbus-frames.ts'
import { serveLink } from '../../mappers/simulators/modbus/modbus-link.ts'

/**
 * Modbus TCP gateways (first argument) with so many units each (second), in a process of their own. At rest their registers keep
 * their values; told `run`, each reading of a unit finds them one higher than the last, until it is told `rest`. Answers with how
 * many readings there were since.
 */
const [gateways = 1, units = 1] = process.argv.slice(2).map(Number)
let step = 0
let readings = 0

const ports = await Promise.all(Array.from({ length: gateways }, openGateway))
process.on('message', (message) => {
  step = message === 'run' ? 1 : 0
  process.send?.({ readings })
  readings = 0
})
process.on('disconnect', () => process.exit(0))
process.send?.(ports)

function openGateway(): Promise<number> {
  const counts = new Uint16Array(units + 1)
  const readRegisters = (_table: string, unitId: number, start: number, length: number) => {
    readings++
    const count = (counts[unitId] ?? 0) + step
    counts[unitId] = count
    return Array.from({ length }, (_, index) => (count + start + index) & 0x7fff)
  }
  const memory = { readBits: () => [], readRegisters, writeCoils: () => undefined, writeRegisters: () => undefined }
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    const send = (answer: Buffer) => void socket.write(answer)
    const onRequest = () => undefined
    socket.on('data', serveLink({ memory, framing: tcpFraming, onRequest, send, end: () => socket.destroy() }))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
