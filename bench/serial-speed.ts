import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ReadlineParser, SerialPort } from 'serialport'
import serial from '../mappers/bluetooth-serial/index.ts'
import type { VisitId } from '../mappers/contract/index.ts'
import { silentLogger as log } from '../platform/log/index.ts'
import { ms, systemClock } from '../platform/time/index.ts'
import { median, row } from './print.ts'

const ROUNDS = 7
const ROUND_MS = 500
const BAUD_RATE = 115_200

/** Questions and answers of text, one after the other, on a pseudo-terminal, which is faster than any line. */
export async function measureSerial(): Promise<void> {
  const peer = fork(join(import.meta.dirname, 'serial-peer.ts'))
  try {
    const [path] = await once(peer, 'message')
    const rounds: { readonly bare: number; readonly mapped: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ bare: await bareRate(String(path)), mapped: await mappedRate(String(path)) })
    }
    const what = 'serial frames on a pseudo-terminal'
    row(`${what}: bare serialport`, `${median(rounds.map(({ bare }) => bare)).toFixed(0)}/s`)
    const ratio = median(rounds.map(({ bare, mapped }) => mapped / bare))
    row(
      `${what}: mapper`,
      `${median(rounds.map(({ mapped }) => mapped)).toFixed(0)}/s`,
      `${ratio.toFixed(2)} x bare serialport`,
    )
  } finally {
    peer.disconnect()
  }
}

async function bareRate(path: string): Promise<number> {
  const port = new SerialPort({ path, baudRate: BAUD_RATE })
  await once(port, 'open')
  const lines = port.pipe(new ReadlineParser({ delimiter: '\n' }))
  const rate = await rateOf(async () => {
    const answer = once(lines, 'data')
    port.write('01 R speed\n')
    const [line] = await answer
    return String(line).split(' ')[2]
  })
  port.close()
  await once(port, 'close')
  return rate
}

async function mappedRate(path: string): Promise<number> {
  const signal = new AbortController().signal
  const context = {
    clock: {
      now: () => systemClock.now(),
      sleep: (wait: number, until: AbortSignal) => systemClock.sleep(ms(wait), until),
    },
    ...{ log, signal, folder: '/nonexistent' },
  }
  const device = serial.deviceConfig.parse({ path, baudRate: BAUD_RATE, address: '01' })
  const visitor = serial.visitorConfig.parse({
    ...{ request: '{address} R speed', match: '{address} speed ', field: 2, separator: 'space' },
  })
  if (!device.ok || !visitor.ok) throw new Error(JSON.stringify([device, visitor]))
  const property = { name: 'speed', type: 'INT', accessMode: 'ReadOnly' } as const
  const visit = { id: idOf('speed'), deviceId: 'scales', device: device.value, property, visitor: visitor.value }
  const connection = await serial.connect(device.value, context)
  const rate = await rateOf(async () => {
    const outcome = (await serial.read?.(connection, [visit], signal))?.get(visit.id)
    if (!outcome?.ok) throw outcome?.error
    return String(outcome.value.value)
  })
  await connection[Symbol.asyncDispose]()
  return rate
}

async function rateOf(ask: () => Promise<string | undefined>): Promise<number> {
  const start = performance.now()
  let count = 0
  for (; performance.now() - start < ROUND_MS; count++) {
    const answer = await ask()
    if (answer !== '1500') throw new Error(`answered ${answer}`)
  }
  return (count * 1000) / (performance.now() - start)
}

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}
