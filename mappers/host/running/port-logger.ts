import type { LogFields, Logger } from '../../../platform/log/index.ts'
import type { MapperMessage } from './messages.ts'

/** The logger of a mapper apart: lines are written by the main thread, so that there is one log with one format. */
export function portLogger(post: (message: MapperMessage) => void, base: LogFields = {}): Logger {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) => {
      // Whoever writes the line adds the mapper itself; a line of JSON has no key twice.
      const { mapper: _known, ...all } = { ...base, ...fields }
      try {
        post({ type: 'log', level, message, fields: all })
      } catch {
        // A driver may log what cannot be cloned, such as a socket.
        post({ type: 'log', level, message, fields: asText(all) })
      }
    }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => portLogger(post, { ...base, ...fields }),
  }
}

function asText(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]))
}
