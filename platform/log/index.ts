export { boundedLogger, type LogBound } from './bounded-logger.ts'
export type { LogStream } from './human-stream.ts'
export * from './logger.ts'
export { createLogger, type LoggerSettings, type LogLevel } from './pino-logger.ts'
