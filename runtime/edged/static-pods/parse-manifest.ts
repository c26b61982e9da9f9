import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject, objectIn, textIn } from '../pod/json.ts'
import { parsePod } from '../pod/parse-pod.ts'
import type { Pod } from '../pod/pod.ts'
import { withStaticDefaults } from './defaults.ts'
import { readYaml, YamlError } from './read-yaml.ts'
import { referenceOf } from './references.ts'

export interface Manifest {
  /** Where the file is: another place makes another pod. */
  readonly path: string
  readonly text: string
  readonly nodeName: string
}

export type ParsedManifest = { readonly pod: Pod } | { readonly refusal: string }

/** As a kubelet marks what it runs from files. */
export const CONFIG = {
  source: 'kubernetes.io/config.source',
  hash: 'kubernetes.io/config.hash',
  /** On what the cloud shows of it. */
  mirror: 'kubernetes.io/config.mirror',
} as const

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const LONGEST_NAME = 253

/**
 * The pod that a file of this node describes. Its name ends in the node's, and its uid is made from all that it says: a file that
 * changed is another pod.
 */
export function parseManifest({ path, text, nodeName }: Manifest): ParsedManifest {
  const object = read(text)
  if ('refusal' in object) return object
  const { manifest } = object
  if (manifest['kind'] !== 'Pod' || manifest['apiVersion'] !== 'v1') {
    return { refusal: 'it is not a Pod of apiVersion v1' }
  }
  const metadata = objectIn(manifest, 'metadata')
  const name = `${textIn(metadata, 'name') ?? ''}-${nodeName.toLowerCase()}`
  const namespace = textIn(metadata, 'namespace') || 'default'
  const misnamed = misnomer(textIn(metadata, 'name') ?? '', name, namespace)
  if (misnamed !== undefined) return { refusal: misnamed }
  const uid = hashOf({ path, nodeName, manifest })
  const { [CONFIG.mirror]: _never, ...annotations } = objectIn(metadata, 'annotations')
  const source: JsonObject = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name, namespace, uid },
      ...(isObject(metadata['labels']) ? { labels: metadata['labels'] } : {}),
      annotations: { ...annotations, [CONFIG.hash]: uid, [CONFIG.source]: 'file' },
    },
    spec: withStaticDefaults(objectIn(manifest, 'spec'), nodeName),
  }
  const parsed = parsePod(source, { isStatic: true })
  if ('refusal' in parsed) return { refusal: parsed.refusal }
  const reference = referenceOf(parsed.pod)
  return reference === undefined ? parsed : { refusal: `static pods may not reference ${reference}` }
}

function read(text: string): { readonly manifest: JsonObject } | { readonly refusal: string } {
  try {
    const manifest = readYaml(text)
    return isObject(manifest) ? { manifest } : { refusal: 'it is not an object' }
  } catch (error) {
    if (error instanceof YamlError) return { refusal: error.message }
    throw error
  }
}

function misnomer(given: string, name: string, namespace: string): string | undefined {
  if (given === '') return 'invalid pod: name is needed for the pod'
  if (!SUBDOMAIN.test(name) || name.length > LONGEST_NAME) return `metadata.name: "${name}" is not a DNS subdomain name`
  if (!LABEL.test(namespace)) return `metadata.namespace: "${namespace}" is not a DNS label`
  return undefined
}

/** The same for a file that says the same in another order. */
function hashOf(value: Json): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 32)
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
}
