import type { Json } from '../device/index.ts'

/**
 * Between Skerry peers, what an edge says to rules has its receipt in two steps: taken, when it waits in the cloud for its target, and
 * done, when its target has it or it was given up visibly. Until then the edge keeps it.
 */

/** Resource of the query with which an edge says which messages it keeps (source bus or servicebus, group user). */
export const HELD_RESOURCE = 'messages/held'

/** Resource of the frames with which a cloud says which of them are done (operation done, group user). */
export const DONE_RESOURCE = 'messages/done'

/** Most messages in one such frame. */
export const HELD_BOUND = 500

/** As ids of frames are bounded. */
const LONGEST_ID = 512

/** Content of a receipt of the first step; `OK` is both steps in one. */
export function takenContent(): Json {
  return { skerry: { taken: true } }
}

export function isTaken(content: Json): boolean {
  return skerryIn(content)?.['taken'] === true
}

/** Content of both frames: ids of messages, in their order. */
export function messagesContent(messages: readonly string[]): Json {
  return { skerry: { messages: [...messages] } }
}

/** Undefined for what is none. */
export function parseMessages(content: Json): readonly string[] | undefined {
  return idsIn(skerryIn(content)?.['messages'])
}

/** Content of the answer to the query: those that the cloud has not, and that have to be sent to it. */
export function missingContent(missing: readonly string[]): Json {
  return { skerry: { missing: [...missing] } }
}

/** Undefined for what is none. */
export function parseMissing(content: Json): readonly string[] | undefined {
  return idsIn(skerryIn(content)?.['missing'])
}

function idsIn(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > HELD_BOUND) return undefined
  const ids: string[] = []
  for (const each of value) {
    if (typeof each !== 'string' || each === '' || each.length > LONGEST_ID) return undefined
    ids.push(each)
  }
  return ids
}

function skerryIn(content: Json): Readonly<Record<string, unknown>> | undefined {
  const skerry: unknown = Reflect.get(Object(content), 'skerry')
  return typeof skerry === 'object' && skerry !== null ? Object.fromEntries(Object.entries(skerry)) : undefined
}
