import { objectAt } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import {
  type FieldSelector,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type Selectable,
} from '../../kube/selectors/index.ts'
import { badRequest, invalid, type StatusCause, StatusError } from '../../kube/status.ts'
import { flag } from '../requests/options.ts'

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
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
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
    'source',
    'type',
  ],
  'events.k8s.io/events': [
    'reason',
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'regarding.apiVersion',
    'regarding.resourceVersion',
    'regarding.fieldPath',
    'reportingController',
    'type',
  ],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/secrets': ['type'],
}

/** Fields that select by others, by `group/plural`. */
const ALIASES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '/events': { source: ['source.component', 'reportingComponent'] },
}

/** Throws a Status, in the words of Kubernetes. */
export function listOptions(
  query: URLSearchParams,
  definition: ResourceDefinition,
  verb: 'list' | 'watch',
): ListOptions {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '')
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', selectable(definition))
  const limit = Math.max(0, integerAt(query, 'limit') ?? 0)
  const timeoutSeconds = integerAt(query, 'timeoutSeconds')
  const initial = query.get('sendInitialEvents')
  const given: Given = {
    version: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
    continueToken: query.get('continue') ?? '',
    sendInitialEvents: initial === null ? undefined : flag(initial),
  }
  const causes = verb === 'watch' ? wrongInWatch(given) : wrongInList(given)
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes)
  return {
    labels,
    fields,
    limit,
    continueToken: given.continueToken,
    version: given.version === '' ? undefined : parseVersion(given.version, verb),
    versionMatch: given.match === 'Exact' || given.match === 'NotOlderThan' ? given.match : '',
    bookmarks: flag(query.get('allowWatchBookmarks')),
    sendInitialEvents: given.sendInitialEvents,
    timeoutSeconds,
  }
}

export function selects({ labels, fields }: Pick<ListOptions, 'labels' | 'fields'>): (object: ApiObject) => boolean {
  if (labels.length === 0 && fields.length === 0) return () => true
  return (object) => matchesLabels(labels, objectAt(object.metadata, 'labels')) && matchesFields(fields, object)
}

/** resourceVersions are opaque to clients, and decimal numbers here. A list refuses others as upstream does, the rest with 500. */
export function parseVersion(text: string, verb: 'list' | 'watch' | 'get'): number {
  if (/^\d{1,20}$/.test(text)) return Number(text)
  const why = `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
  if (verb === 'list') throw badRequest(`invalid resource version: ${why}`)
  throw new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: why, code: 500 })
}

interface Given {
  readonly version: string
  readonly match: string
  readonly continueToken: string
  readonly sendInitialEvents: boolean | undefined
}

function wrongInList({ version, match, continueToken, sendInitialEvents }: Given): readonly StatusCause[] {
  const causes: StatusCause[] = []
  if (match !== '') {
    if (version === '') causes.push(noMatch('resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (continueToken !== '') causes.push(noMatch('resourceVersionMatch is forbidden when continue is provided'))
    if (match !== 'Exact' && match !== 'NotOlderThan') causes.push(notOneOf(match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && version === '0') {
      causes.push(noMatch('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    }
  }
  if (sendInitialEvents !== undefined) {
    causes.push(forbiddenAt('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return causes
}

function wrongInWatch({ match, continueToken, sendInitialEvents }: Given): readonly StatusCause[] {
  const causes: StatusCause[] = []
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    causes.push(noMatch('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  }
  if (sendInitialEvents === undefined && match !== '') {
    causes.push(noMatch('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  }
  if (match !== '' && match !== 'NotOlderThan') causes.push(notOneOf(match, ['NotOlderThan']))
  if (continueToken !== '') causes.push(noMatch('resourceVersionMatch is forbidden when continue is provided'))
  return causes
}

function noMatch(why: string): StatusCause {
  return forbiddenAt('resourceVersionMatch', why)
}

function forbiddenAt(field: string, why: string): StatusCause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field }
}

function notOneOf(value: string, allowed: readonly string[]): StatusCause {
  const texts = allowed.map((each) => JSON.stringify(each)).join(', ')
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${texts}`
  return { reason: 'FieldValueNotSupported', message, field: 'resourceVersionMatch' }
}

function selectable({ group, plural, custom, selectableFields = [] }: ResourceDefinition): Selectable {
  const own = SELECTABLE[`${group}/${plural}`]
  const fields = new Set(['metadata.name', 'metadata.namespace', ...(own ?? []), ...selectableFields])
  const aliases = ALIASES[`${group}/${plural}`]
  return { fields, isPlain: own === undefined && !custom, ...(aliases ? { aliases } : {}) }
}

function integerAt(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return Number(text)
}
