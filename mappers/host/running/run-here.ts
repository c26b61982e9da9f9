import { ms } from '../../../platform/time/index.ts'
import { runProtocolHost } from '../protocol-host.ts'
import { createStats } from '../stats.ts'
import { BEAT_MS } from './messages.ts'
import type { Runner } from './runner.ts'
import { loadMapper } from './source.ts'

/** Runs a mapper in this thread: for debugging, since nothing keeps it from stopping everything. */
export const runHere: Runner = async (options, signal) => {
  const { source, clock } = options
  const stats = createStats()
  const beat = () => {
    options.onBeat({ stats })
    timer = clock.after(ms(BEAT_MS), beat)
  }
  let timer = clock.after(ms(BEAT_MS), beat)
  try {
    const mapper = await loadMapper(source)
    await runProtocolHost({ ...options, mapper, stats }, signal)
  } finally {
    timer[Symbol.dispose]()
    options.onBeat({ stats })
  }
}
