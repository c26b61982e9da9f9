import type { Json } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { ACCESS_COLUMNS } from './access-columns.ts'
import { ageOf } from './age.ts'
import { AGE, type Column, column, declaredColumns, NAME } from './columns.ts'
import {
  ENDPOINT_SLICE_COLUMNS,
  ENDPOINTS_COLUMNS,
  NETWORK_POLICY_COLUMNS,
  SERVICE_COLUMNS,
} from './network-columns.ts'
import { NODE_COLUMNS } from './node-columns.ts'
import { POD_COLUMNS } from './pod-columns.ts'
import { WORKLOAD_COLUMNS } from './workload-columns.ts'

/** Columns of a kind: those of Kubernetes for its own kinds, the declared ones for others. */
export function columnsOf(definition: ResourceDefinition): readonly Column[] {
  if (definition.custom) return declaredColumns(definition)
  return BUILTIN[`${definition.group}/${definition.kind}`] ?? [NAME, AGE]
}

const eventColumns: readonly Column[] = [
  column('Last Seen', (event, now) => lastSeen(event, now)),
  column('Type', (event) => at(event, 'type') ?? ''),
  column('Reason', (event) => at(event, 'reason') ?? ''),
  column('Object', involved),
  column('Subobject', (event) => at(regarding(event), 'fieldPath') ?? '', { priority: 1 }),
  column('Source', source, { priority: 1 }),
  column('Message', (event) => textOf(at(event, 'message') ?? at(event, 'note')).trim()),
  column('First Seen', (event, now) => firstSeen(event, now), { priority: 1 }),
  column('Count', (event) => numberOf(countOf(event)), { priority: 1 }),
  { ...NAME, priority: 1 },
]

const webhookColumns: readonly Column[] = [
  NAME,
  column('Webhooks', (object) => sizeOf(at(object, 'webhooks')), { type: 'integer' }),
  AGE,
]

const BUILTIN: Readonly<Record<string, readonly Column[]>> = {
  '/Namespace': [NAME, column('Status', (object) => at(object, 'status', 'phase') ?? ''), AGE],
  '/Node': NODE_COLUMNS,
  '/Pod': POD_COLUMNS,
  '/ConfigMap': [NAME, column('Data', dataCount), AGE],
  '/Secret': [NAME, column('Type', (object) => at(object, 'type') ?? ''), column('Data', dataCount), AGE],
  '/ServiceAccount': [NAME, AGE],
  '/Event': eventColumns,
  'events.k8s.io/Event': eventColumns,
  'coordination.k8s.io/Lease': [NAME, column('Holder', (object) => at(object, 'spec', 'holderIdentity') ?? ''), AGE],
  '/Service': SERVICE_COLUMNS,
  '/Endpoints': ENDPOINTS_COLUMNS,
  'discovery.k8s.io/EndpointSlice': ENDPOINT_SLICE_COLUMNS,
  'networking.k8s.io/NetworkPolicy': NETWORK_POLICY_COLUMNS,
  ...WORKLOAD_COLUMNS,
  ...ACCESS_COLUMNS,
  'apiextensions.k8s.io/CustomResourceDefinition': [
    NAME,
    column('Created At', (object) => at(object.metadata, 'creationTimestamp') ?? null, { type: 'date' }),
  ],
  'autoscaling/Scale': [
    { ...NAME, format: '' },
    column('Desired', (scale) => at(scale, 'spec', 'replicas') ?? 0, { type: 'integer' }),
    column('Available', (scale) => at(scale, 'status', 'replicas') ?? 0, { type: 'integer' }),
    AGE,
  ],
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookColumns,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookColumns,
}

function dataCount(object: ApiObject): string {
  return String(sizeOf(at(object, 'data')) + sizeOf(at(object, 'binaryData')))
}

/** Both forms of an Event: core/v1 says involvedObject and message, events.k8s.io says regarding and note. */
function regarding(event: ApiObject): Json | undefined {
  return at(event, 'involvedObject') ?? at(event, 'regarding')
}

function involved(event: ApiObject): string {
  const object = regarding(event)
  const kind = textOf(at(object, 'kind')).toLowerCase()
  const name = textOf(at(object, 'name'))
  return name === '' ? kind : `${kind}/${name}`
}

function source(event: ApiObject): string {
  const known = at(event, 'source') ?? at(event, 'deprecatedSource')
  const reporter = textOf(at(event, 'reportingComponent') ?? at(event, 'reportingController'))
  const component = textOf(at(known, 'component')) || reporter
  const place = textOf(at(known, 'host')) || textOf(at(event, 'reportingInstance'))
  return place === '' ? component : `${component}, ${place}`
}

function lastSeen(event: ApiObject, now: number): string {
  const series = at(event, 'series', 'lastObservedTime')
  const last = at(event, 'lastTimestamp') ?? at(event, 'deprecatedLastTimestamp')
  return ageOf(series || last || firstTime(event), now)
}

function firstSeen(event: ApiObject, now: number): string {
  return ageOf(firstTime(event), now)
}

function firstTime(event: ApiObject): Json | undefined {
  return at(event, 'firstTimestamp') || at(event, 'deprecatedFirstTimestamp') || at(event, 'eventTime')
}

function countOf(event: ApiObject): Json | undefined {
  return at(event, 'series', 'count') ?? at(event, 'count') ?? at(event, 'deprecatedCount')
}

/** An event without a count happened once. */
function numberOf(value: Json | undefined): number {
  return typeof value === 'number' && value > 0 ? value : 1
}

function sizeOf(value: Json | undefined): number {
  if (isJsonArray(value)) return value.length
  return isJsonObject(value) ? Object.keys(value).length : 0
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
