import { getHeapStatistics } from 'node:v8'
import { type BusPort, connectBus } from '../../../platform/bus/index.ts'
import { ms, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { runProtocolHost } from '../protocol-host.ts'
import { createStats } from '../stats.ts'
import { BEAT_MS, type MapperMessage, type MapperStart, STOP } from './messages.ts'
import { boundedLines } from './output.ts'
import { portLogger } from './port-logger.ts'
import { loadMapper, withinLoading } from './source.ts'

/** A slow card may take long to load a protocol. */
const LOADING = seconds(60)

/** The life of a mapper in its own thread or process. What is thrown here ends it, and the main thread starts another. */
export async function runMapperApart(start: MapperStart, control: BusPort, busPort: BusPort): Promise<void> {
  const post = (message: MapperMessage) => control.postMessage(message)
  // Bounded here as well: what waits in the port of a thread is memory of the edge.
  const log = boundedLines(portLogger(post), systemClock)
  const stats = createStats()
  const stop = new AbortController()
  control.on('message', (message: unknown) => {
    if (message === STOP) stop.abort(new Error('the mapper host stops'))
  })
  const beat = () => {
    const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics()
    post({ type: 'beat', stats, memory: { heap, buffers } })
    timer = systemClock.after(ms(BEAT_MS), beat)
  }
  let timer: Disposable | undefined
  beat()
  const { protocol, entry } = start
  const mapper = await withinLoading(systemClock, LOADING, stop.signal, () =>
    loadMapper({ protocol, entry: new URL(entry) }),
  )
  const bus = connectBus(busPort, systemClock, log)
  const { protocols, folder, broker } = start
  const ground = { bus, clock: systemClock, random: systemRandom, log }
  await runProtocolHost({ ...ground, mapper, protocols, folder, broker, stats }, stop.signal)
  await bus[Symbol.asyncDispose]()
  timer?.[Symbol.dispose]()
  post({ type: 'beat', stats })
  control.close()
}
