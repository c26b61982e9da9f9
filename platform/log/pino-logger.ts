import { type LoggerOptions, type Logger as Pino, pino } from 'pino'
import type { LogStream } from './human-stream.ts'
import type { LogFields, Logger } from './logger.ts'
import { serializeFields } from './serialize.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LoggerSettings {
  /** Least severe level that is written. */
  readonly level: LogLevel
  /** human: short lines for a terminal. json: one object a line, with `level`, `time` (ISO 8601) and `msg`. */
  readonly format: 'human' | 'json'
  /** Default: standard error. */
  readonly stream?: LogStream
  /** Human format only; default: what the stream says of itself. */
  readonly colour?: boolean
}

/**
 * The process's log. Errors are written with code, fields and causes; values of secret keys never are. What makes lines for
 * people is loaded only for the human format.
 */
export async function createLogger({
  level,
  format,
  stream = process.stderr,
  colour,
}: LoggerSettings): Promise<Logger> {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }
  const target = format === 'human' ? await human(stream, colour ?? isTerminal(stream)) : stream
  return wrap(pino(options, { write: (line: string) => void target.write(line) }))
}

async function human(stream: LogStream, colour: boolean): Promise<LogStream> {
  const { humanStream } = await import('./human-stream.ts')
  return humanStream(stream, colour)
}

function wrap(logger: Pino): Logger {
  const line = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!logger.isLevelEnabled(level)) return
    if (fields) logger[level](serializeFields(fields), message)
    else logger[level](message)
  }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => wrap(logger.child(serializeFields(fields))),
  }
}

function isTerminal(stream: LogStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}
