import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { connectBus } from '../../../platform/bus/index.ts'
import { ms, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { runProtocolHost } from '../protocol-host.ts'
import { createStats } from '../stats.ts'
import { portLogger } from './port-logger.ts'
import { loadMapper } from './source.ts'
import { BEAT_MS, STOP, type WorkerMessage, type WorkerStart } from './worker-messages.ts'

/** The thread of one mapper. Anything thrown here ends the thread, and the main thread starts another. */
async function main(start: WorkerStart, control: MessagePort): Promise<void> {
  const post = (message: WorkerMessage) => control.postMessage(message)
  const log = portLogger(post, { mapper: start.protocol })
  const stats = createStats()
  const stop = new AbortController()
  control.on('message', (message: unknown) => {
    if (message === STOP) stop.abort(new Error('the mapper host stops'))
  })
  const beat = () => {
    post({ type: 'beat', stats })
    timer = systemClock.after(ms(BEAT_MS), beat)
  }
  let timer: Disposable | undefined
  beat()
  const mapper = await loadMapper({ protocol: start.protocol, entry: new URL(start.entry) })
  const bus = connectBus(start.bus, systemClock, log)
  const { protocols, folder, broker } = start
  const ground = { bus, clock: systemClock, random: systemRandom, log }
  await runProtocolHost({ ...ground, mapper, protocols, folder, broker, stats }, stop.signal)
  await bus[Symbol.asyncDispose]()
  timer?.[Symbol.dispose]()
  post({ type: 'beat', stats })
  control.close()
}

function startOf(data: unknown): WorkerStart
function startOf(data: unknown): unknown {
  return data
}

if (!isMainThread && parentPort) await main(startOf(workerData), parentPort)
