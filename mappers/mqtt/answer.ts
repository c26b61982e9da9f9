import { followPointer, jsonText } from '../payload/index.ts'
import { excerpt, type Message } from './message.ts'
import type { AckConfig } from './visitor.ts'

/** What an answer means for the command with this id; undefined where it is about another one. */
export function judgeAnswer(
  message: Message,
  id: string,
  ack: AckConfig,
): { readonly failure: string | undefined } | undefined {
  if (ack.correlation !== undefined) {
    const found = followQuietly(message, ack.correlation)
    if (found === undefined || textOf(found) !== id) return undefined
  }
  if (ack.errorPointer !== undefined) {
    const reason = followQuietly(message, ack.errorPointer)
    const isNone = reason === undefined || reason === null || reason === false || reason === '' || reason === 0
    if (!isNone) return { failure: `the device answers: ${textOf(reason)}` }
  }
  const word = wordIn(message, ack.pointer)
  if (word !== undefined && ack.error?.some((pattern) => matches(word, pattern)))
    return { failure: `the device answers: ${word}` }
  if (ack.ok && (word === undefined || !ack.ok.some((pattern) => matches(word, pattern)))) {
    return { failure: `the device answers ${word ?? excerpt(message.bytes)}, not ${ack.ok.join(' or ')}` }
  }
  return { failure: undefined }
}

/** A pattern of plain text with * for any characters; linear in the text for each *. */
export function matches(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === pattern
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

function wordIn(message: Message, pointer: string | undefined): string | undefined {
  if (pointer !== undefined) {
    const found = followQuietly(message, pointer)
    return found === undefined ? undefined : textOf(found)
  }
  try {
    return message.text
  } catch {
    return undefined
  }
}

/** An answer that is no JSON has nothing at a pointer. */
function followQuietly(message: Message, pointer: string): unknown {
  try {
    return followPointer(message.json, pointer)
  } catch {
    return undefined
  }
}

/** Never throws, whatever a device has put there. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 200)
  try {
    return jsonText(value).slice(0, 200)
  } catch {
    return 'something that is nested too deeply to be shown'
  }
}
