import { type Clock, type Duration, minutes } from '../time/index.ts'
import type { LogFields, Logger } from './logger.ts'

export interface LogBound {
  readonly clock: Clock
  /** Lines of one sentence within `per`. */
  readonly most?: number
  readonly per?: Duration
}

interface Window {
  since: number
  said: number
  unsaid: number
}

/**
 * For lines that peers can cause: warnings and errors of one sentence come at most `most` times within `per`, default 20 a
 * minute. The first line after a gap says in `unsaid` how many were left out. Sentences are constants, so what is
 * remembered is bounded too. Other levels pass.
 */
export function boundedLogger(log: Logger, { clock, most = 20, per = minutes(1) }: LogBound): Logger {
  const windows = new Map<string, Window>()

  const wrap = (inner: Logger): Logger => {
    const line = (level: 'warn' | 'error') => (message: string, fields?: LogFields) => {
      const now = clock.monotonic()
      const window = windows.get(message) ?? { since: now, said: 0, unsaid: 0 }
      windows.set(message, window)
      if (now - window.since >= per.milliseconds) Object.assign(window, { since: now, said: 0 })
      if (window.said >= most) {
        window.unsaid++
        return
      }
      window.said++
      const { unsaid } = window
      window.unsaid = 0
      inner[level](message, unsaid === 0 ? fields : { ...fields, unsaid })
    }
    return {
      debug: (message, fields) => inner.debug(message, fields),
      info: (message, fields) => inner.info(message, fields),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => wrap(inner.child(fields)),
    }
  }
  return wrap(log)
}
