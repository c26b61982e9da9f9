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
import { median, row } from './print.ts'

const ROUNDS = 12
const ROUND_MS = 250
/** On a serial line, whose exchanges take so long that few make a second. */
const LINE_MS = 2000
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
    const rounds: { readonly bare: number; readonly whole: number; readonly each: number }[] = []
    // In turns, so that what else the machine does meets all three alike.
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        bare: await rate(bare),
        whole: await rate(() => mapper.read?.(connection, whole, context.signal)),
        each: await rate(() => mapper.read?.(connection, each, context.signal)),
      })
    }
    const name = delay > 0 ? `peer takes ${delay} ms` : 'peer takes no time'
    const wanted = delay > 0 ? ' (at least 0.9)' : ''
    const blocks = (of: 'bare' | 'whole' | 'each') => median(rounds.map((round) => round[of]))
    const ratio = (of: 'whole' | 'each') =>
      `${median(rounds.map((round) => round[of] / round.bare)).toFixed(2)} x bare client${wanted}`
    row(`TCP, ${name}: bare client`, `${blocks('bare').toFixed(0)} blocks/s`)
    row(`TCP, ${name}: mapper, one property`, `${blocks('whole').toFixed(0)} blocks/s`, ratio('whole'))
    row(
      `TCP, ${name}: mapper, ${BLOCK} properties`,
      `${blocks('each').toFixed(0)} blocks/s, ${(blocks('each') * BLOCK).toFixed(0)} properties/s`,
      ratio('each'),
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
    const measured = median(await times(LINE_MS, () => mapper.read?.(connection, visits, context.signal)))
    const cycles = 1000 / measured
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

/** Times a second. */
async function rate(work: () => PromiseLike<unknown> | undefined): Promise<number> {
  const all = await times(ROUND_MS, work)
  return (all.length * 1000) / all.reduce((sum, each) => sum + each, 0)
}

/** How long each took, in ms, for so many ms in all. */
async function times(forMs: number, work: () => PromiseLike<unknown> | undefined): Promise<readonly number[]> {
  const all: number[] = []
  const start = performance.now()
  for (let last = start; last - start < forMs; ) {
    await work()
    const now = performance.now()
    all.push(now - last)
    last = now
  }
  return all
}
