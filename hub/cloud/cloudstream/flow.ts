import { type Duplex, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, seconds, Watchdog } from '../../../platform/time/index.ts'

/** Counts what flows and ends what has been still for too long. */
export interface Flow extends Disposable {
  /** A part of a pipeline, one for each direction. */
  meter(direction: 'up' | 'down'): Transform
}

export interface FlowOptions {
  readonly clock: Clock
  readonly idle: Duration
  readonly onBytes: (direction: 'up' | 'down', count: number) => void
  /** Ends both sides. */
  readonly onIdle: (error: Error) => void
}

/** Both directions listen to both ends. */
const MOST_LISTENERS = 32
/** When one side has ended, the other may still say so much longer what it has to say. */
const LAST_WORDS = seconds(10)

export function watchFlow({ clock, idle, onBytes, onIdle }: FlowOptions): Flow {
  const watch = new Watchdog(clock, idle, () => onIdle(stillStream(idle)))
  return {
    meter: (direction) =>
      new Transform({
        transform(chunk: Buffer, _encoding, done) {
          watch.heard()
          onBytes(direction, chunk.length)
          done(null, chunk)
        },
      }),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}

function stillStream({ milliseconds }: Duration): UnavailableError {
  return new UnavailableError('Nothing came over a stream for too long', {
    code: 'HUB_STREAM_IDLE',
    fields: { idleMs: milliseconds },
  })
}

/** Joins two byte streams until both have ended, or either has broken; then neither is left. */
export async function joinStreams(client: Duplex, node: Duplex, flow: Flow, clock: Clock): Promise<void> {
  const both = () => {
    client.destroy()
    node.destroy()
  }
  for (const end of [client, node]) end.setMaxListeners(MOST_LISTENERS)
  const ways = [pipeline(client, flow.meter('up'), node), pipeline(node, flow.meter('down'), client)]
  try {
    await Promise.race(ways)
    using _timer = clock.after(LAST_WORDS, both)
    await Promise.all(ways)
  } finally {
    both()
    await Promise.allSettled(ways)
  }
}
