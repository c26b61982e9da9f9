import { describe } from 'node:test'
import { describeMapper } from '../testing/index.ts'
import modbus from './index.ts'
import { conformanceCases as cases, conformanceMemory } from './testing/conformance-memory.ts'
import { LinkServer, SerialTransport, TcpTransport } from './testing/link-server.ts'

const entry = new URL('./index.ts', import.meta.url)

describe('over TCP', () => {
  describeMapper({
    mapper: modbus,
    entry,
    server: () => LinkServer.start(new TcpTransport('tcp'), conformanceMemory()),
    device: (server, index) => ({
      ip: '127.0.0.1',
      port: String(server.transport.port || 502),
      slaveID: String(index + 1),
      units: '1-3',
      timeout: 300,
    }),
    cases,
  })
})

describe('as RTU over TCP', () => {
  describeMapper({
    mapper: modbus,
    entry,
    server: () => LinkServer.start(new TcpTransport('rtu'), conformanceMemory()),
    device: (server, index) => ({
      mode: 'RTUoverTCP',
      host: '127.0.0.1',
      port: server.transport.port || 502,
      unitId: index + 1,
      units: '1-3',
      timeout: 300,
    }),
    cases,
  })
})

describe('as RTU on a serial line', { skip: process.platform === 'win32' }, () => {
  describeMapper({
    mapper: modbus,
    entry,
    server: () => LinkServer.start(new SerialTransport(), conformanceMemory()),
    device: (server, index) => ({
      serialPort: server.transport.path || '/dev/null',
      baudRate: '115200',
      parity: 'none',
      deviceID: String(index + 1),
      units: '1-3',
      timeout: 300,
    }),
    isExclusive: true,
    cases,
  })
})
