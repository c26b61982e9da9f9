import { labelsOf } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import {
  type FieldSelector,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../kube/selectors/index.ts'
import { badRequest, failure } from '../../kube/status.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** metav1.CreateOptions, UpdateOptions and PatchOptions. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

/** metav1.ListOptions. */
export interface ListOptions {
  readonly labels: LabelSelector
  readonly fields: FieldSelector
  readonly limit: number
  readonly continueToken: string
  /** Undefined: not given. 0: any. */
  readonly version: number | undefined
  readonly versionMatch: '' | 'Exact' | 'NotOlderThan'
  readonly bookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
}

/** Besides metadata.name and metadata.namespace, by `group/plural`. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase'],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'type',
  ],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/secrets': ['type'],
}

export function writeOptions(query: URLSearchParams): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const wrong = dryRun.find((value) => value !== 'All')
  if (wrong !== undefined) throw badRequest(`dryRun: Unsupported value: "${wrong}": supported values: "All"`)
  const validation = query.get('fieldValidation') ?? ''
  if (validation !== '' && validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: "${validation}": supported values: "Ignore", "Strict", "Warn"`,
    )
  }
  return { dryRun: dryRun.length > 0, fieldValidation: validation === '' ? 'Warn' : validation }
}

export function listOptions(query: URLSearchParams, definition: ResourceDefinition): ListOptions {
  const versionMatch = query.get('resourceVersionMatch') ?? ''
  if (versionMatch !== '' && versionMatch !== 'Exact' && versionMatch !== 'NotOlderThan') {
    throw badRequest(
      `resourceVersionMatch: Unsupported value: "${versionMatch}": supported values: "Exact", "NotOlderThan"`,
    )
  }
  const version = query.get('resourceVersion') ?? ''
  if (versionMatch !== '' && version === '' && !query.has('sendInitialEvents')) {
    throw badRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    )
  }
  const initial = query.get('sendInitialEvents')
  return {
    labels: parseLabelSelector(query.get('labelSelector') ?? ''),
    fields: parseFieldSelector(query.get('fieldSelector') ?? '', selectable(definition)),
    limit: countAt(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    version: version === '' ? undefined : parseVersion(version),
    versionMatch,
    bookmarks: flag(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : flag(initial),
    timeoutSeconds: countAt(query, 'timeoutSeconds'),
  }
}

export function selects({ labels, fields }: Pick<ListOptions, 'labels' | 'fields'>): (object: ApiObject) => boolean {
  if (labels.length === 0 && fields.length === 0) return () => true
  return (object) => matchesLabels(labels, labelsOf(object)) && matchesFields(fields, object)
}

/** resourceVersions are opaque to clients, and decimal numbers here. */
export function parseVersion(text: string): number {
  const version = Number(text)
  if (!/^\d{1,15}$/.test(text)) {
    throw failure(400, 'BadRequest', `resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a number`)
  }
  return version
}

export function flag(value: string | null): boolean {
  return value === 'true' || value === '1'
}

function selectable({ group, plural }: ResourceDefinition): ReadonlySet<string> {
  return new Set(['metadata.name', 'metadata.namespace', ...(SELECTABLE[`${group}/${plural}`] ?? [])])
}

function countAt(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a count`)
  return Number(text)
}
