import type { LogFields, Logger } from '../logger.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** A logger that remembers its lines; children write into their parent's memory. */
export interface MemoryLogger extends Logger {
  readonly lines: readonly LogLine[]
  /** Messages of one level, oldest first. */
  messages(level: LogLine['level']): readonly string[]
}

export function memoryLogger(): MemoryLogger {
  const lines: LogLine[] = []
  return {
    ...remembering(lines, {}),
    lines,
    messages: (level) => lines.filter((line) => line.level === level).map(({ message }) => message),
  }
}

function remembering(lines: LogLine[], base: LogFields): Logger {
  const line =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields: { ...base, ...fields } })
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => remembering(lines, { ...base, ...fields }),
  }
}
