import { Worker } from 'node:worker_threads'
import { packError } from '../lifecycle/pack-error.ts'
import { type Line, Lines } from './lines.ts'

/** The process that started this one with `startChild`. */
export interface Parent {
  /** To the line of the same name at its end. */
  line(name: string): Line
  /** Ends this process. */
  end(): void
}

/**
 * Called once, first of all. From now on nothing ends this process by accident but its own failure, which its parent is told,
 * and it ends when its parent is gone.
 */
export function connectParent(): Parent {
  const lines = new Lines((envelope) => void process.send?.(envelope, undefined, undefined, () => undefined))
  process.on('message', (message) => lines.receive(message))
  process.once('disconnect', () => process.exit())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
  process.on('uncaughtException', (error) => {
    process.send?.({ failure: packError(error) }, undefined, undefined, () => process.exit(1))
  })
  watchParent()
  return { line: (name) => lines.line(name), end: () => process.disconnect() }
}

/** In a thread of its own: a process that is stuck in a loop does not notice that its channel was closed. */
const WATCH = `
const parent = process.ppid
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, 1000)
`

function watchParent(): void {
  const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1, stackSizeMb: 1 }
  new Worker(WATCH, { eval: true, env: {}, name: 'parent-watch', resourceLimits }).unref()
}
