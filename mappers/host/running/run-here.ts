import { ms } from '../../../platform/time/index.ts'
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
    // With what it needs it is large, and an edge whose mappers run apart does without it.
    const { runProtocolHost } = await import('../protocol-host.ts')
    const mapper = await loadMapper(source)
    await runProtocolHost({ ...options, mapper, stats }, signal)
  } finally {
    timer[Symbol.dispose]()
    options.onBeat({ stats })
  }
}
