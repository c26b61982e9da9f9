import type { Clock } from '../../../platform/time/index.ts'

/** What `skerry up` shows while it starts: people get a line per step, programs get one JSON object per line. */
export interface Progress {
  /** Runs a step and shows how long it took, or that it failed. `done` says what is there now. */
  step<T>(name: string, work: () => Promise<T>, done: (result: T) => string): Promise<T>
  /** A line between the steps. */
  line(text: string): void
  /** The last word: everything a program wants to know. */
  result(value: object, text: readonly string[]): void
}

export interface Terminal {
  write(text: string): void
  readonly isTty: boolean
}

export function humanProgress(terminal: Terminal, clock: Clock): Progress {
  const paint = (code: number, text: string) => (terminal.isTty ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    async step(name, work, done) {
      const start = clock.monotonic()
      if (terminal.isTty) terminal.write(`  ${paint(2, '…')} ${name}`)
      const clear = terminal.isTty ? '\r\u001b[K' : ''
      try {
        const result = await work()
        const took = `${((clock.monotonic() - start) / 1000).toFixed(1)} s`
        terminal.write(`${clear}  ${paint(32, '✓')} ${name.padEnd(10)} ${done(result)} ${paint(2, `(${took})`)}\n`)
        return result
      } catch (error) {
        terminal.write(`${clear}  ${paint(31, '✗')} ${name}\n`)
        throw error
      }
    },
    line: (text) => terminal.write(`${text}\n`),
    result: (_value, text) => terminal.write(`${text.join('\n')}\n`),
  }
}

export function jsonProgress(terminal: Terminal, clock: Clock): Progress {
  const line = (value: object) => terminal.write(`${JSON.stringify(value)}\n`)
  return {
    async step(name, work, done) {
      const start = clock.monotonic()
      const result = await work()
      line({ step: name, done: done(result), ms: Math.round(clock.monotonic() - start) })
      return result
    },
    line: (text) => line({ notice: text }),
    result: (value) => line(value),
  }
}
