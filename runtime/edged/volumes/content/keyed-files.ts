import type { JsonObject } from '../../../../schemas/index.ts'
import { objectIn } from '../../pod/json.ts'
import type { PodObjects } from '../../pod/pod-objects.ts'
import type { KeyToPath } from '../../pod/schema/parts.ts'
import { whyNot } from '../obstacles.ts'
import type { SourceFiles } from './sources.ts'

export interface KeysOf {
  readonly namespace: string
  readonly name: string
  /** None: all keys, each at its own name. */
  readonly items: readonly KeyToPath[]
  /** Neither the object nor its keys have to be there. */
  readonly optional: boolean
  readonly mode: number
}

/** Files of the keys of a configmap or secret. */
export async function keyedFiles(
  kind: 'configmap' | 'secret',
  { namespace, name, items, optional, mode }: KeysOf,
  objects: PodObjects,
  signal: AbortSignal,
): Promise<SourceFiles> {
  const told = `${kind} "${name}" of namespace ${namespace}`
  const object = await found(kind === 'configmap' ? objects.configMap : objects.secret)
  if (!object) {
    if (optional) return []
    throw new Error(`${told} is not there`)
  }
  const data = kind === 'configmap' ? configMapData(object) : bytesIn(object, 'data', 'base64')
  if (items.length === 0) return [...data].map(([key, bytes]) => [key, { data: bytes, mode }])
  return items.flatMap((item) => {
    const bytes = data.get(item.key)
    if (bytes) return [[item.path, { data: bytes, mode: item.mode ?? mode }]]
    if (optional) return []
    throw new Error(`${told} has no key "${item.key}"`)
  })

  async function found(read: PodObjects['configMap']): Promise<JsonObject | undefined> {
    try {
      return await read.call(objects, namespace, name, signal)
    } catch (error) {
      throw new Error(`${told}: ${whyNot(error)}`, { cause: error })
    }
  }
}

function configMapData(object: JsonObject): ReadonlyMap<string, Buffer> {
  return new Map([...bytesIn(object, 'data', 'utf8'), ...bytesIn(object, 'binaryData', 'base64')])
}

function bytesIn(object: JsonObject, field: string, encoding: BufferEncoding): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(objectIn(object, field))
  return new Map(
    entries.flatMap(([key, value]) => (typeof value === 'string' ? [[key, Buffer.from(value, encoding)]] : [])),
  )
}
