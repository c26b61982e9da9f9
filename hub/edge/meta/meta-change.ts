import { type Frame, type Json, type JsonObject, OPERATIONS, parseResource } from '../../../schemas/index.ts'
import { contentOf } from '../../link/index.ts'
import type { MetaRow } from './meta-store.ts'

/** What a frame asks of the metadata of this node. */
export type MetaChange =
  | { readonly kind: 'put'; readonly row: MetaRow }
  | { readonly kind: 'remove'; readonly key: string; readonly uid: string }
  /** Nothing to store, but it has to be acknowledged. */
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly reason: string }

const PUTS: ReadonlySet<string> = new Set([OPERATIONS.insert, OPERATIONS.update, OPERATIONS.patch])

/** Reads a downstream frame of group `resource`. Pure. */
export function metaChangeOf(frame: Frame): MetaChange {
  const { operation = '', resource } = frame.route
  const path = parseResource(resource)
  if (!path || path.name === '') return { kind: 'bad', reason: `no resource of this form is known: ${resource ?? ''}` }
  const key = `${path.namespace}/${path.type}/${path.name}`
  const content = contentOf(frame)
  if (operation === OPERATIONS.delete) {
    // Which pod is meant, only its uid says; KubeEdge refuses this, too.
    if (path.type === 'pod' && !isObject(content)) return { kind: 'bad', reason: 'a pod is deleted by its object' }
    return { kind: 'remove', key, uid: textIn(metadataOf(content), 'uid') }
  }
  if (!PUTS.has(operation)) return { kind: 'bad', reason: `operation ${operation} is not known for ${path.type}` }
  if (!isObject(content)) return { kind: 'bad', reason: 'the content is not a JSON object' }
  const metadata = metadataOf(content)
  const resourceVersion = frame.header.resourceversion ?? textIn(metadata, 'resourceVersion')
  const value = JSON.stringify(content)
  return { kind: 'put', row: { key, type: path.type, uid: textIn(metadata, 'uid'), resourceVersion, value } }
}

/** Whether what arrived is newer than what is there: another object of the name, or a later version of the same. */
export function supersedes(present: MetaRow | undefined, arrived: MetaRow): boolean {
  if (!present || present.uid !== arrived.uid) return true
  if (present.resourceVersion === arrived.resourceVersion) return present.value !== arrived.value
  if (!NUMBER.test(present.resourceVersion) || !NUMBER.test(arrived.resourceVersion)) return true
  return BigInt(arrived.resourceVersion) > BigInt(present.resourceVersion)
}

const NUMBER = /^\d{1,39}$/

function metadataOf(content: Json | undefined): JsonObject {
  const metadata = isObject(content) ? content['metadata'] : undefined
  return isObject(metadata) ? metadata : {}
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
