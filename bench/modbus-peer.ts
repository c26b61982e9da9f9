import { createServer } from 'node:net'
import { tcpFraming } from '../mappers/simulators/modbus/modbus-frames.ts'
import { serveLink } from '../mappers/simulators/modbus/modbus-link.ts'

/** A Modbus TCP server in a process of its own; answers after so many ms (argument, 0: at once). */
const delay = Number(process.argv[2] ?? 0)
const memory = {
  readBits: (_table: string, _unitId: number, _start: number, length: number) => new Array<boolean>(length).fill(true),
  readRegisters: (_table: string, _unitId: number, start: number, length: number) =>
    Array.from({ length }, (_, index) => (start + index) & 0xffff),
  writeCoils: () => undefined,
  writeRegisters: () => undefined,
}
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  const send = (answer: Buffer) => {
    if (delay > 0) setTimeout(() => socket.write(answer), delay)
    else socket.write(answer)
  }
  socket.on(
    'data',
    serveLink({ memory, framing: tcpFraming, onRequest: () => undefined, send, end: () => socket.destroy() }),
  )
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0)
})
process.on('disconnect', () => process.exit(0))
