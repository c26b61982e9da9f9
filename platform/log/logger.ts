/** Values of a log line. Never secrets: tokens, keys and passwords do not reach a logger. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log. The message is a constant sentence; variables go to fields named as in the naming table. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}
