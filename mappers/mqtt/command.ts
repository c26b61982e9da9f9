import type { PropertyType, PropertyValue } from '../../schemas/index.ts'
import { wordOf } from './extract.ts'
import { fillTemplate, type Placeholder, placeholders } from './template.ts'
import type { VisitorConfig } from './visitor.ts'

/** What the placeholders of a payload stand for. */
export interface CommandScope {
  readonly value?: PropertyValue
  readonly type: PropertyType
  readonly id: string
  /** Unix ms. */
  readonly now: number
  /** Those of topics. Throws for an unknown one. */
  topicPart(name: string): string
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  value: ['text', 'json', 'number'],
  time: ['iso', 's', 'ms'],
  id: [],
}

/** The payload of a command or a question. Throws where the value cannot be said so. */
export function fillPayload(text: string, match: VisitorConfig['match'], scope: CommandScope): string | Uint8Array {
  if (text === '{value}' && scope.value instanceof Uint8Array && !match) return scope.value
  return fillTemplate(text, (placeholder) => partOf(placeholder, match, scope))
}

/** Why a payload template can never be meant, or nothing. `known` are names of topics and variables; undefined: any. */
export function refusePayload(
  text: string,
  hasValue: boolean,
  known: ReadonlySet<string> | undefined,
): string | undefined {
  for (const { name, format } of placeholders(text)) {
    const formats = FORMATS[name]
    if (name === 'value' && !hasValue) return 'a question has no {value}'
    if (formats && format !== undefined && !formats.includes(format)) {
      return `{${name}:${format}} is no format: ${formats.map((each) => `{${name}:${each}}`).join(', ')}`
    }
    if (!formats && known && !known.has(name)) return `{${name}} is no placeholder: name it in variables of the device`
  }
  return undefined
}

function partOf({ name, format }: Placeholder, match: VisitorConfig['match'], scope: CommandScope): string {
  if (name === 'id') return scope.id
  if (name === 'time') {
    if (format === 's') return String(Math.floor(scope.now / 1000))
    return format === 'ms' ? String(scope.now) : isoTime(scope.now)
  }
  if (name !== 'value') return scope.topicPart(name)
  if (scope.value === undefined) throw new Error('there is no value')
  const word = wordOf(scope.value, scope.type, match)
  if (format === 'number') return numberText(scope.value, word, match !== undefined)
  if (format !== 'json') return word
  const isBare = !match && ['number', 'bigint', 'boolean'].includes(typeof scope.value)
  return isBare ? word : JSON.stringify(word)
}

function numberText(value: PropertyValue, word: string, isMatched: boolean): string {
  if (typeof value === 'boolean' && !isMatched) return value ? '1' : '0'
  if (word.trim() === '' || !Number.isFinite(Number(word))) throw new Error(`"${word}" is no number`)
  return word.trim()
}

function isoTime(now: number): string {
  return new Date(now).toISOString()
}
