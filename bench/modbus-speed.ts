import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import modbusSerial from 'modbus-serial'
import mapper from '../mappers/modbus/index.ts'
import { charactersMs, readExchange, silenceMs } from '../mappers/modbus/line-time.ts'
import { deviceOf, visitOf } from '../mappers/modbus/testing/configs.ts'
import { startPacedLine } from '../mappers/modbus/testing/paced-line.ts'
import { silentLogger } from '../platform/log/index.ts'
import { ms, systemClock } from '../platform/time/index.ts'
import { row } from './print.ts'

const SECONDS = 3
const BLOCK = 125
const context = {
  clock: {
    now: () => systemClock.now(),
    sleep: (milliseconds: number, until: AbortSignal) => systemClock.sleep(ms(milliseconds), until),
  },
  log: silentLogger,
  signal: new AbortController().signal,
  folder: '/nonexistent',
}

/** Block reads through the mapper: against a bare loop on the client library over TCP, and against the wire on serial lines. */
export async function measureModbus(): Promise<void> {
  for (const delay of [1, 0]) await overTcp(delay)
  for (const baudRate of [9600, 115_200]) await onSerialLine(baudRate)
}

async function overTcp(delay: number): Promise<void> {
  const peer = fork(join(import.meta.dirname, 'modbus-peer.ts'), [String(delay)])
  try {
    const [port] = await once(peer, 'message')
    const client = new modbusSerial.default()
    await client.connectTCP('127.0.0.1', { port: Number(port) })
    client.setID(1)
    const device = deviceOf({ host: '127.0.0.1', port: Number(port) })
    const connection = await mapper.connect(device, context)
    // One visit for the whole block, and one for each of its registers.
    const whole = [visitOf(device, { offset: 0, limit: BLOCK, dataType: 'string' }, 'BYTES')]
    const each = Array.from({ length: BLOCK }, (_, offset) => visitOf(device, { offset, dataType: 'uint16' }))
    const bare = () => client.readHoldingRegisters(0, BLOCK)
    const rates = { bare: 0, whole: 0, each: 0 }
    // In turns, so that what else the machine does meets all three alike.
    for (let round = 0; round < SECONDS; round++) {
      rates.bare += await rate(bare)
      rates.whole += await rate(() => mapper.read?.(connection, whole, context.signal))
      rates.each += await rate(() => mapper.read?.(connection, each, context.signal))
    }
    const name = delay > 0 ? `peer takes ${delay} ms` : 'peer takes no time'
    const wanted = delay > 0 ? ' (at least 0.9)' : ''
    row(`TCP, ${name}: bare client`, `${(rates.bare / SECONDS).toFixed(0)} blocks/s`)
    row(
      `TCP, ${name}: mapper, one property`,
      `${(rates.whole / SECONDS).toFixed(0)} blocks/s`,
      `${(rates.whole / rates.bare).toFixed(2)} x bare client${wanted}`,
    )
    row(
      `TCP, ${name}: mapper, ${BLOCK} properties`,
      `${(rates.each / SECONDS).toFixed(0)} blocks/s, ${((rates.each * BLOCK) / SECONDS).toFixed(0)} properties/s`,
      `${(rates.each / rates.bare).toFixed(2)} x bare client${wanted}`,
    )
    await connection[Symbol.asyncDispose]()
    client.close(() => undefined)
  } finally {
    peer.disconnect()
  }
}

async function onSerialLine(baudRate: number): Promise<void> {
  const line = { baudRate, dataBits: 8, parity: 'even', stopBits: 1 } as const
  await using peer = await startPacedLine({ line, turnaround: 0, silent: [] })
  const device = deviceOf({ serialPort: peer.path, baudRate })
  const connection = await mapper.connect(device, context)
  for (const length of [BLOCK, 1]) {
    const visits = Array.from({ length }, (_, offset) => visitOf(device, { offset, dataType: 'uint16' }))
    await mapper.read?.(connection, visits, context.signal)
    const cycles = await rate(() => mapper.read?.(connection, visits, context.signal))
    const measured = 1000 / cycles
    const predicted = mapper.busTime?.(visits) ?? Number.NaN
    const wire = 1000 / (charactersMs(line, readExchange(length, false)) + 2 * silenceMs(line))
    const wanted = length > 1 ? [' (at least 0.9)', ' (within 5 %)'] : ['', '']
    row(
      `RTU, ${baudRate} baud, ${length} register${length > 1 ? 's' : ''} a request`,
      `${(cycles * length).toFixed(1)} registers/s`,
      `${(cycles / wire).toFixed(3)} x wire${wanted[0]}, predicted ${predicted.toFixed(2)} ms, measured ${measured.toFixed(2)} ms: ${(((measured - predicted) / predicted) * 100).toFixed(1)} %${wanted[1]}`,
    )
  }
  await connection[Symbol.asyncDispose]()
  const { tooEarly } = await peer.stats()
  row(`RTU, ${baudRate} baud`, `${tooEarly} requests before t3.5 was over`)
}

/** Times a second, over one second at least. */
async function rate(work: () => PromiseLike<unknown> | undefined): Promise<number> {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < 1000) {
    await work()
    count++
  }
  return (count * 1000) / (performance.now() - start)
}
