import {
  type Frame,
  type Json,
  type JsonObject,
  NO_NAMESPACE,
  OPERATIONS,
  parseResource,
  type ResourcePath,
} from '../../../schemas/index.ts'
import { contentOf } from '../../link/index.ts'
import { isObject } from '../json.ts'
import type { MetaRow } from './meta-store.ts'

/** What a frame asks of the metadata of this node. */
export type MetaChange =
  /** `isNew`: the cloud says that it had not given it before. */
  | { readonly kind: 'put'; readonly row: MetaRow; readonly isNew: boolean }
  | { readonly kind: 'remove'; readonly key: string; readonly uid: string }
  /** Nothing to store, but it has to be acknowledged. */
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly reason: string }

const PUTS: ReadonlySet<string> = new Set([OPERATIONS.insert, OPERATIONS.update, OPERATIONS.patch])
/** Clouds before KubeEdge 1.23 write them under `default`; edges look for them under `null`. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set(['node', 'persistentvolume', 'volumeattachment'])

/** Reads a downstream frame of group `resource`. Pure. */
export function metaChangeOf(frame: Frame): MetaChange {
  const { operation = '', resource } = frame.route
  const path = parseResource(resource)
  if (!path || path.name === '') return { kind: 'bad', reason: `no resource of this form is known: ${resource ?? ''}` }
  const key = metaKeyOf(path)
  const content = objectIn(frame)
  if (operation === OPERATIONS.delete) {
    const uid = textIn(metadataOf(content), 'uid')
    // Which pod is meant, only its uid says; KubeEdge refuses this, too.
    if (path.type === 'pod' && uid === '') {
      return { kind: 'bad', reason: 'a pod is deleted by its object, with its metadata.uid' }
    }
    return { kind: 'remove', key, uid }
  }
  if (!PUTS.has(operation)) return { kind: 'bad', reason: `operation ${operation} is not known for ${path.type}` }
  if (!isObject(content)) return { kind: 'bad', reason: 'the content is not a JSON object' }
  const metadata = metadataOf(content)
  const resourceVersion = frame.header.resourceversion ?? textIn(metadata, 'resourceVersion')
  const value = JSON.stringify(content)
  const row = { key, type: path.type, uid: textIn(metadata, 'uid'), resourceVersion, value }
  return { kind: 'put', row, isNew: operation === OPERATIONS.insert }
}

/** The key of an object on disk: its resource, with one spelling for cluster-scoped kinds. */
export function metaKeyOf({ namespace, type, name }: ResourcePath): string {
  return `${CLUSTER_SCOPED.has(type) ? NO_NAMESPACE : namespace}/${type}/${name}`
}

/** Whether what arrived is newer than what is there: another object of the name, or a later version of the same. */
export function supersedes(present: MetaRow | undefined, arrived: MetaRow): boolean {
  if (!present || present.uid !== arrived.uid) return true
  if (present.resourceVersion === arrived.resourceVersion) return present.value !== arrived.value
  return isLater(arrived.resourceVersion, present.resourceVersion) ?? true
}

/** Whether one resourceVersion is later than another; undefined where they cannot be compared. */
export function isLater(version: string, than: string): boolean | undefined {
  return NUMBER.test(version) && NUMBER.test(than) ? BigInt(version) > BigInt(than) : undefined
}

const NUMBER = /^\d{1,39}$/

/** Inline, in a text that holds JSON, or in the base64 that Go makes of bytes. */
function objectIn(frame: Frame): Json | undefined {
  const content = contentOf(frame)
  if (content !== undefined || typeof frame.content !== 'string' || !BASE64.test(frame.content)) return content
  return contentOf({ ...frame, content: Buffer.from(frame.content, 'base64').toString('utf8') })
}

const BASE64 = /^[A-Za-z0-9+/]{4,}={0,2}$/

function metadataOf(content: Json | undefined): JsonObject {
  const metadata = isObject(content) ? content['metadata'] : undefined
  return isObject(metadata) ? metadata : {}
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
