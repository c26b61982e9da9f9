import { createHash } from 'node:crypto'
import { MODULES, type ServiceKind } from '../../../../schemas/index.ts'
import type { Delivery } from '../../cloudhub/delivery.ts'
import type { AnyObject } from '../../kubernetes/index.ts'

/** An object as nodes are told of it. */
export interface ServiceEntry {
  readonly kind: ServiceKind
  readonly delivery: Delivery
  /** As JSON on the wire. */
  readonly bytes: number
  /** Differs where nodes have to be told. */
  readonly meaning: string
}

const API_VERSION = { Service: 'v1', EndpointSlice: 'discovery.k8s.io/v1', Endpoints: 'v1' } as const

/** Written again and again without anything for a node to know: elections by Endpoints, and when pods last caused a change. */
const SILENT_ANNOTATIONS: ReadonlySet<string> = new Set([
  'control-plane.alpha.kubernetes.io/leader',
  'endpoints.kubernetes.io/last-change-trigger-time',
])
const SILENT_METADATA: ReadonlySet<string> = new Set(['resourceVersion', 'generation', 'managedFields'])

/** Pure. */
export function serviceEntry(kind: ServiceKind, given: AnyObject): ServiceEntry {
  const object = { ...given, apiVersion: API_VERSION[kind], kind }
  const { namespace = 'default', name, resourceVersion = '' } = given.metadata
  const resource = `${namespace}/${kind.toLowerCase()}/${name}`
  return {
    kind,
    delivery: { object, resource, source: MODULES.edgeController, version: `r${resourceVersion}` },
    bytes: Buffer.byteLength(JSON.stringify(object, withoutFields)),
    meaning: meaningOf(given),
  }
}

/** They do not travel. */
function withoutFields(key: string, value: unknown): unknown {
  return key === 'managedFields' ? undefined : value
}

function meaningOf({ metadata, ...content }: AnyObject): string {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !SILENT_ANNOTATIONS.has(key))
  const kept = Object.entries(metadata).filter(([key]) => key !== 'annotations' && !SILENT_METADATA.has(key))
  const text = JSON.stringify([Object.fromEntries(kept), Object.fromEntries(annotations), content])
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
