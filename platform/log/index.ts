export * from './logger.ts'
export { createLogger, type LoggerSettings, type LogLevel, type LogStream } from './pino-logger.ts'
