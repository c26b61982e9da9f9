import type { Readable } from 'node:stream'
import { type ChildEnd, startChild } from '../../../platform/apart/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { MapperStart } from './messages.ts'
import { outOfHeap } from './run-in-worker.ts'
import type { Runner, RunOptions } from './runner.ts'
import { type Apart, supervise } from './supervise.ts'

/** Runs a mapper in its own process. */
export const runInProcess: Runner = (options, signal) =>
  supervise(options, 'process', () => startProcess(options), signal)

function startProcess(options: RunOptions): Apart {
  const { source, protocols, folder, broker, heapMegabytes, clock } = options
  const file = import.meta.url.endsWith('.ts') ? './child.ts' : './child.js'
  const child = startChild({ entry: new URL(file, import.meta.url), heapMegabytes, clock })
  const { protocol, entry } = source
  const start: MapperStart = { entry: entry.href, protocol, protocols, folder, broker }
  const lastWords = lastWordsOf(child.output.at(-1))
  child.line('start').postMessage(start)
  return {
    control: child.line('control'),
    bus: child.line('bus'),
    output: child.output,
    ended: child.ended.then((end) => failureOf(end, options, lastWords)),
    kill: () => child.kill(),
  }
}

async function failureOf(
  { code, signal, failure }: ChildEnd,
  { clock, heapMegabytes }: RunOptions,
  lastWords: LastWords,
): Promise<Error | undefined> {
  if (failure) return failure
  if (signal === null) return new Error(`it ended itself with code ${code}`)
  // A runtime without memory aborts, as broken native code does; what it printed tells them apart, and may come later.
  if (signal === 'SIGABRT') await Promise.race([lastWords.complete, clock.sleep(LAST_WORDS)])
  return lastWords.text().includes('heap out of memory')
    ? outOfHeap(heapMegabytes)
    : new Error(`it was ended by ${signal}`)
}

interface LastWords {
  readonly complete: Promise<void>
  text(): string
}

const LAST_WORDS = seconds(1)
const MOST_CHARACTERS = 8000

function lastWordsOf(stream: Readable | undefined): LastWords {
  const { promise, resolve } = Promise.withResolvers<void>()
  let text = ''
  stream?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('latin1')).slice(-MOST_CHARACTERS)
  })
  stream?.once('close', resolve)
  return { complete: promise, text: () => text }
}
