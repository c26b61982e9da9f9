import { parseTemplate } from '../../mqtt/template.ts'

export interface TakenCommand {
  /** The text for the value, or its JSON form decoded to text. */
  readonly value: string
  readonly id: string | undefined
}

/** Longer payloads are no commands: a pattern with several gaps takes the square of their length. */
const MOST_LETTERS = 4096

/** Reads what a payload template of commands has written: the value and the id; undefined for anything else. */
export function takeCommand(template: string, payload: string): TakenCommand | undefined {
  if (payload.length > MOST_LETTERS) return undefined
  const { parts } = parseTemplate(template)
  let pattern = ''
  let isJson = false
  const taken = new Set<string>()
  for (const part of parts) {
    if (typeof part === 'string') pattern += part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    else if (part.name === 'value' && !taken.has('value')) {
      isJson = part.format === 'json'
      pattern += '(?<value>[^]*?)'
      taken.add('value')
    } else if (part.name === 'id' && !taken.has('id')) {
      pattern += '(?<id>[\\w-]+)'
      taken.add('id')
    } else pattern += '[^]*?'
  }
  const groups = new RegExp(`^${pattern}$`).exec(payload)?.groups
  if (!groups) return undefined
  const value = isJson ? fromJson(groups['value'] ?? '') : (groups['value'] ?? '')
  return value === undefined ? undefined : { value, id: groups['id'] }
}

function fromJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : JSON.stringify(value)
  } catch {
    return undefined
  }
}
