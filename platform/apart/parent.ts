import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { packError } from '../lifecycle/pack-error.ts'
import { openChannel } from './channel.ts'
import { type Line, Lines } from './lines.ts'

/** The process that started this one with `startChild`. */
export interface Parent {
  /** To the line of the same name at its end. */
  line(name: string): Line
  /** Ends this process, after what was sent. */
  end(): void
}

/** The pipe that `startChild` has made. */
const CHANNEL = 3

/**
 * Called once, first of all. From now on nothing ends this process by accident but its own failure, which its parent is told,
 * and it ends when its parent is gone.
 */
export function connectParent(): Parent {
  watchParent(Number(process.argv[2]))
  const channel = openChannel(new Socket({ fd: CHANNEL, readable: true, writable: true }), {
    onMessage: (message) => lines.receive(message),
    onBroken: () => process.exit(1),
    onClose: () => process.exit(),
  })
  const lines = new Lines((envelope) => channel.send(envelope))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
  process.on('uncaughtException', (error) => channel.send({ failure: packError(error) }, () => process.exit(1)))
  return { line: (name) => lines.line(name), end: () => channel.end() }
}

/**
 * In a thread of its own: a process that is stuck in a loop does not notice that its channel was closed. It ends its group,
 * which is what it has started itself.
 */
const WATCH = `
const { workerData: parent } = require('node:worker_threads')
const look = () => { if (process.ppid !== parent) process.kill(0, 'SIGKILL') }
look()
setInterval(look, 1000)
`

function watchParent(parent: number): void {
  const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1, stackSizeMb: 1 }
  new Worker(WATCH, { eval: true, env: {}, name: 'parent-watch', workerData: parent, resourceLimits }).unref()
}
