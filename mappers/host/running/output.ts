import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { LogFields, Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'

/** Of one line; the rest of it is left out. */
const LONGEST_LINE = 2000

/** What a mapper prints goes to the log, line by line. */
export function logOutput(streams: readonly Readable[], log: Logger): void {
  for (const stream of streams) {
    const decoder = new StringDecoder('utf8')
    let line = ''
    const say = () => {
      if (line.trim() !== '') log.info('A mapper printed', { text: line })
      line = ''
    }
    stream.on('data', (chunk: Buffer) => {
      const [first = '', ...more] = decoder.write(chunk).split('\n')
      line = (line + first).slice(0, LONGEST_LINE)
      for (const part of more) {
        say()
        line = part.slice(0, LONGEST_LINE)
      }
    })
    stream.on('end', say)
    // A broken pipe is the end of it.
    stream.on('error', say)
  }
}

export interface LinesBound {
  readonly most: number
  readonly per: Duration
}

/** At most so many lines within a time, whatever they say; how many were left out is told when the next time begins. */
export function boundedLines(
  log: Logger,
  clock: Clock,
  { most, per }: LinesBound = { most: 200, per: seconds(10) },
): Logger {
  let since = clock.monotonic()
  let said = 0
  let unsaid = 0
  const admit = (): boolean => {
    if (clock.monotonic() - since >= per.milliseconds) {
      if (unsaid > 0) log.warn('A mapper said too much; lines were left out', { lines: unsaid })
      since = clock.monotonic()
      said = 0
      unsaid = 0
    }
    const isAdmitted = said < most
    if (isAdmitted) said++
    else unsaid++
    return isAdmitted
  }
  const wrap = (inner: Logger): Logger => {
    const line = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
      if (admit()) inner[level](message, fields)
    }
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => wrap(inner.child(fields)),
    }
  }
  return wrap(log)
}
