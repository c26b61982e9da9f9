import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { PacedPeerOptions, PacedPeerStats } from './paced-peer.ts'

/** A serial line at its real speed, with units on it that hold `unit * 1000 + address` in every register. */
export interface PacedLine extends AsyncDisposable {
  readonly path: string
  stats(): Promise<PacedPeerStats>
}

export async function startPacedLine(options: PacedPeerOptions): Promise<PacedLine> {
  const child = fork(new URL('./paced-peer.ts', import.meta.url), [JSON.stringify(options)])
  const [first]: unknown[] = await once(child, 'message')
  if (!isRecord(first) || typeof first['path'] !== 'string') throw new Error('the paced line did not start')
  return {
    path: first['path'],
    stats: async () => {
      child.send('stats')
      const [stats]: unknown[] = await once(child, 'message')
      if (!isStats(stats)) throw new Error('the paced line has no statistics')
      return stats
    },
    [Symbol.asyncDispose]: () => ended(child),
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}

function isStats(value: unknown): value is PacedPeerStats {
  return isRecord(value) && isRecord(value['requests']) && typeof value['tooEarly'] === 'number'
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
