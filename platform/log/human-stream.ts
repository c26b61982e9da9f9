import pretty from 'pino-pretty'

/** Where lines go; `process.stderr` is one. Writes are synchronous as far as the stream's are. */
export interface LogStream {
  write(line: string): unknown
}

/** Turns JSON lines into `12:30:05 INFO  A module is ready module=twin`, within the call that writes. */
export function humanStream(stream: LogStream, colour: boolean): LogStream {
  const format = pretty.prettyFactory({
    colorize: colour,
    hideObject: true,
    ignore: 'level,time',
    translateTime: false,
    messageFormat: (line, messageKey, _levelLabel, { colors }) => {
      const level = String(line['level']).toUpperCase()
      const time = colors.dim(timeOf(line['time']))
      const label = levelColour(colors, level)(level.padEnd(5))
      const { text, stack } = fieldsOf(line, messageKey)
      const message = colors.reset(String(line[messageKey]))
      return `${time} ${label} ${message}${text === '' ? '' : ` ${colors.dim(text)}`}${stack}`
    },
  })
  return { write: (line) => stream.write(format(line)) }
}

type Paint = (text: string) => string

function levelColour(colors: { red: Paint; yellow: Paint; green: Paint; dim: Paint }, level: string): Paint {
  if (level === 'ERROR' || level === 'FATAL') return colors.red
  if (level === 'WARN') return colors.yellow
  return level === 'INFO' ? colors.green : colors.dim
}

function timeOf(time: unknown): string {
  return String(time).slice(11, 23)
}

/** `key=value` of every field; stacks of unforeseen errors on lines of their own. */
function fieldsOf(line: Record<string, unknown>, messageKey: string): { text: string; stack: string } {
  const parts: string[] = []
  let stack = ''
  for (const [key, value] of Object.entries(line)) {
    if (key === messageKey || key === 'level' || key === 'time') continue
    if (isError(value)) {
      parts.push(`${key}=${quote(errorText(value))}`)
      if (typeof value['stack'] === 'string') stack += `\n${printable(value['stack'], true)}`
    } else {
      parts.push(
        `${key}=${typeof value === 'object' && value !== null ? printable(JSON.stringify(value)) : quote(String(value))}`,
      )
    }
  }
  return { text: parts.join(' '), stack }
}

function isError(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value
}

/** `message (CODE field=value): cause` */
function errorText(error: Record<string, unknown>): string {
  const fields = error['fields']
  const details = typeof error['code'] === 'string' ? [error['code']] : []
  if (typeof fields === 'object' && fields !== null) {
    for (const [key, value] of Object.entries(fields))
      details.push(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  }
  const own = `${error['message']}${details.length > 0 ? ` (${details.join(' ')})` : ''}`
  const causes = Array.isArray(error['errors']) ? error['errors'] : error['cause'] === undefined ? [] : [error['cause']]
  const rest = causes.map((cause: unknown) => (isError(cause) ? errorText(cause) : String(cause)))
  return [own, rest.join('; ')].filter((text) => text !== '').join(': ')
}

function quote(text: string): string {
  return /^[\w.,:/@+-]+$/.test(text) ? text : printable(JSON.stringify(text))
}

/** What peers sent may carry terminal escapes; only line ends of stacks pass. */
function printable(text: string, lines = false): string {
  return [...text]
    .map((char) => {
      const code = char.charCodeAt(0)
      if (lines && char === '\n') return char
      return code < 0x20 || (code >= 0x7f && code <= 0x9f) ? `\\u${code.toString(16).padStart(4, '0')}` : char
    })
    .join('')
}
