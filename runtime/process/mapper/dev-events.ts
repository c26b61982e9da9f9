import { describeError } from '../../../platform/lifecycle/index.ts'
import type { LogFields, Logger } from '../../../platform/log/index.ts'
import { oneLine, placeOf } from './source-place.ts'

/** What happens while a mapper is developed. */
export type DevEvent =
  | { readonly type: 'loading'; readonly file: string }
  | { readonly type: 'state'; readonly device: string; readonly state: string; readonly reason: string | undefined }
  | {
      readonly type: 'reading'
      readonly device: string
      readonly property: string
      readonly value: string
      readonly quality: string
    }
  | { readonly type: 'failed'; readonly device: string; readonly property: string; readonly reason: string }
  | {
      readonly type: 'written'
      readonly device: string
      readonly property: string
      readonly value: string
      /** Why it was not. */
      readonly reason: string | undefined
    }
  | {
      readonly type: 'refused' | 'warning'
      readonly device: string
      readonly pointer: string
      /** The property that the pointer is in. */
      readonly property: string | undefined
      readonly reason: string
    }
  | { readonly type: 'ended'; readonly reason: string }
  | { readonly type: 'log'; readonly level: string; readonly message: string; readonly fields: LogFields }
  | { readonly type: 'complaint'; readonly reason: string }

/** One line for people; the time is of the day. */
export function eventText(event: DevEvent, time: string): string {
  return `${time}  ${textOf(event)}`
}

function textOf(event: DevEvent): string {
  switch (event.type) {
    case 'loading':
      return `loading ${event.file}`
    case 'state':
      return `${event.device} is ${event.state}${event.reason === undefined ? '' : `: ${event.reason}`}`
    case 'reading':
      return `${event.property.padEnd(20)} ${event.value}${event.quality === 'good' ? '' : ` (${event.quality})`}`
    case 'failed':
      return `${event.property.padEnd(20)} failed: ${event.reason}`
    case 'written':
      return event.reason === undefined
        ? `${event.property.padEnd(20)} written and read back: ${event.value}`
        : `${event.property.padEnd(20)} not written: ${event.reason}`
    case 'refused':
    case 'warning': {
      const property = event.property === undefined ? '' : ` (property ${event.property})`
      return `${event.type}: ${event.pointer} ${event.reason}${property}`
    }
    case 'ended':
      return `the mapper ended: ${event.reason.replace(/\.$/, '')}. Correct it and save; it is loaded again.`
    case 'log':
      return `${event.level}: ${event.message} ${Object.entries(event.fields)
        .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ')}`.trimEnd()
    case 'complaint':
      return event.reason
  }
}

/** What the host and the mapper log, from info on, as events. Errors get their place in the sources of `folder`. */
export function eventLogger(tell: (event: DevEvent) => void, folder: string): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      const told = Object.entries(fields).map(([key, value]) => [key, toldOf(value, folder)])
      tell({ type: 'log', level, message, fields: Object.fromEntries(told) })
    }
  const logger: Logger = {
    debug: () => undefined,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}

function toldOf(value: unknown, folder: string): unknown {
  if (!(value instanceof Error)) return value
  const place = placeOf(value, folder)
  return oneLine(describeError(value)) + (place === undefined ? '' : ` (${place})`)
}
