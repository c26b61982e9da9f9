import { formatValue, type PropertyType, type PropertyValue, parseValue, sameValue } from '../../schemas/index.ts'
import { followPointer, jsonText } from '../payload/index.ts'
import { readBinary } from './binary.ts'
import { excerpt, type Message } from './message.ts'
import type { VisitorConfig } from './visitor.ts'

/** The value of a property in a message. Throws with what is wrong with the message. */
export function extract(message: Message, type: PropertyType, visitor: VisitorConfig): PropertyValue {
  const { binary, match } = visitor
  if (binary) return matched(readBinary(message.bytes, binary), match, type)
  const isWhole = visitor.pointer === undefined && !visitor.between && visitor.separator === undefined
  if (type === 'BYTES' && isWhole && !match) return message.bytes
  const found = visitor.pointer === undefined ? plainText(message) : scalar(message, visitor.pointer, type)
  const cut = typeof found === 'string' || visitor.between || visitor.separator !== undefined
  const value = cut ? cutOut(formatValue(found), visitor, message) : found
  return matched(value, match, type)
}

/** The payload word for a value: `match` the other way round, or its text. Throws where no word stands for it. */
export function wordOf(value: PropertyValue, type: PropertyType, match: VisitorConfig['match']): string {
  const text = formatValue(value)
  if (!match) return text
  const found = Object.entries(match).find(([, meant]) => sameValue(type, meant, text))
  if (!found) throw new Error(`${text} has no word in match: ${Object.values(match).join(', ')}`)
  return found[0]
}

/** Bytes of another kind may be UTF-8 by chance. */
function plainText({ topic, text, bytes }: Message): string {
  if (NO_TEXT.test(text)) throw new Error(`the message on ${topic} is no text: ${excerpt(bytes)}`)
  return text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

function scalar(message: Message, pointer: string, type: PropertyType): PropertyValue {
  const found = followPointer(message.json, pointer)
  if (found === undefined)
    throw new Error(`the message on ${message.topic} has nothing at ${pointer}: ${excerpt(message.bytes)}`)
  if (found === null) throw new Error(`the message on ${message.topic} has null at ${pointer}`)
  if (typeof found === 'object') {
    if (type === 'STRING') return jsonText(found)
    throw new Error(
      `the message on ${message.topic} has ${Array.isArray(found) ? 'a list' : 'an object'} at ${pointer}`,
    )
  }
  if (
    typeof found === 'string' ||
    typeof found === 'number' ||
    typeof found === 'boolean' ||
    typeof found === 'bigint'
  ) {
    return found
  }
  throw new Error(`the message on ${message.topic} has no value at ${pointer}`)
}

function cutOut(text: string, { between, separator, index }: VisitorConfig, message: Message): string {
  let rest = text
  if (between) {
    const start = rest.indexOf(between.start)
    const from = start + between.start.length
    const end = between.end === '' ? rest.length : rest.indexOf(between.end, from)
    if (start < 0 || end < 0) {
      throw new Error(
        `the message on ${message.topic} has nothing between "${between.start}" and "${between.end}": ${excerpt(message.bytes)}`,
      )
    }
    rest = rest.slice(from, end)
  }
  if (separator === undefined) return rest
  // No more than needed are cut: a long text with a short separator stays cheap.
  const field = rest.split(separator, index + 1)[index]
  if (field === undefined)
    throw new Error(`the message on ${message.topic} has no field ${index}: ${excerpt(message.bytes)}`)
  return field.trim()
}

function matched(value: PropertyValue, match: VisitorConfig['match'], type: PropertyType): PropertyValue {
  if (!match) return value
  const word = formatValue(value).trim()
  const meant = Object.hasOwn(match, word) ? match[word] : undefined
  if (meant === undefined) {
    throw new Error(`"${word.slice(0, 60)}" is none of the words in match: ${Object.keys(match).join(', ')}`)
  }
  const parsed = parseValue(type, meant)
  if (!parsed.ok) throw new Error(`${meant} in match ${parsed.reason} (type ${type})`)
  return parsed.value
}
