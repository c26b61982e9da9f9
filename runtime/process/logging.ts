import { createLogger, type Logger } from '../../platform/log/index.ts'
import type { Console } from './terminal.ts'

export interface LoggingConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'auto' | 'human' | 'json'
}

/** Logs go to standard error, so that standard output stays for results. */
export function openLogger(config: LoggingConfig, terminal: Console): Promise<Logger> {
  const format = config.format === 'auto' ? (terminal.isTty ? 'human' : 'json') : config.format
  return createLogger({ level: config.level, format, stream: process.stderr })
}
