import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { verbsOf } from './verbs.ts'

const BYTES = 8

/** In which version objects of this kind are stored, hashed as upstream: it changes when what is stored has to be migrated. */
export function storageHashOf(definitions: readonly ResourceDefinition[], definition: ResourceDefinition): JsonObject {
  // Reviews are answered, never stored.
  if (!verbsOf(definition).includes('list')) return {}
  const stored = definition.storage ? definition : storedForm(definitions, definition)
  // What is measured when somebody asks is not stored either.
  if (!stored && definition.custom) return {}
  const { group, version, kind } = stored ?? definition
  const hash = createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, BYTES)
  return { storageVersionHash: hash.toString('base64') }
}

/** Objects of a custom kind are stored in one of its versions; built-in kinds of two groups (Event) in the form of one of them. */
function storedForm(
  definitions: readonly ResourceDefinition[],
  { group, plural, kind, custom }: ResourceDefinition,
): ResourceDefinition | undefined {
  return definitions.find(
    (each) =>
      each.storage &&
      each.custom === custom &&
      (custom ? each.group === group && each.plural === plural : each.kind === kind),
  )
}
