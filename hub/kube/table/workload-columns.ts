import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { selectorText } from '../selectors/index.ts'
import { humanDuration } from './age.ts'
import { AGE, type Column, column, NAME } from './columns.ts'

/** States of a job, the first that is true counts. */
const JOB_STATES = ['Complete', 'Failed', 'Terminating', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'] as const

/** Shown with -o wide by everything that has a template of pods. */
const TEMPLATE_COLUMNS: readonly Column[] = [
  column('Containers', (object) => ofContainers(object, 'name'), { priority: 1 }),
  column('Images', (object) => ofContainers(object, 'image'), { priority: 1 }),
  column('Selector', (object) => selectorText(at(object, 'spec', 'selector')) || '<none>', { priority: 1 }),
]

/** By `group/Kind`. */
export const WORKLOAD_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'apps/Deployment': [
    NAME,
    column('Ready', (object) => `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`),
    column('Up-to-date', (object) => count(object, 'status', 'updatedReplicas')),
    column('Available', (object) => count(object, 'status', 'availableReplicas')),
    AGE,
    ...TEMPLATE_COLUMNS,
  ],
  'apps/ReplicaSet': [
    NAME,
    number('Desired', 'spec', 'replicas'),
    number('Current', 'status', 'replicas'),
    number('Ready', 'status', 'readyReplicas'),
    AGE,
    ...TEMPLATE_COLUMNS,
  ],
  'apps/DaemonSet': [
    NAME,
    number('Desired', 'status', 'desiredNumberScheduled'),
    number('Current', 'status', 'currentNumberScheduled'),
    number('Ready', 'status', 'numberReady'),
    number('Up-to-date', 'status', 'updatedNumberScheduled'),
    number('Available', 'status', 'numberAvailable'),
    column('Node Selector', nodeSelector),
    AGE,
    ...TEMPLATE_COLUMNS,
  ],
  'apps/ControllerRevision': [
    NAME,
    column('Controller', controller),
    column('Revision', (revision) => count(revision, 'revision')),
    AGE,
  ],
  'batch/Job': [
    NAME,
    column('Status', jobStatus),
    column('Completions', jobCompletions),
    column('Duration', jobDuration),
    AGE,
    ...TEMPLATE_COLUMNS,
  ],
  'policy/PodDisruptionBudget': [
    NAME,
    column('Min Available', (budget) => share(at(budget, 'spec', 'minAvailable'))),
    column('Max Unavailable', (budget) => share(at(budget, 'spec', 'maxUnavailable'))),
    number('Allowed Disruptions', 'status', 'disruptionsAllowed'),
    AGE,
  ],
}

function number(name: string, ...path: readonly string[]): Column {
  return column(name, (object) => count(object, ...path), { type: 'integer' })
}

function count(object: ApiObject, ...path: readonly string[]): number {
  const value = at(object, ...path)
  return typeof value === 'number' ? value : 0
}

function ofContainers(object: ApiObject, field: string): string {
  const containers = at(object, 'spec', 'template', 'spec', 'containers')
  return isJsonArray(containers) ? containers.map((each) => String(at(each, field) ?? '')).join(',') : ''
}

function nodeSelector(set: ApiObject): string {
  const labels = at(set, 'spec', 'template', 'spec', 'nodeSelector')
  if (!isJsonObject(labels) || Object.keys(labels).length === 0) return '<none>'
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`)
    .join(',')
}

function controller(revision: ApiObject): string {
  const { ownerReferences: owners } = revision.metadata
  const owner = isJsonArray(owners) ? owners.find((each) => at(each, 'controller') === true) : undefined
  if (owner === undefined) return '<none>'
  const [group = '', version] = String(at(owner, 'apiVersion')).split('/')
  const kind = String(at(owner, 'kind'))
  return `${(version === undefined ? kind : `${kind}.${group}`).toLowerCase()}/${String(at(owner, 'name'))}`
}

function jobStatus(job: ApiObject): string {
  const conditions = at(job, 'status', 'conditions')
  const isTrue = (type: string) =>
    isJsonArray(conditions) && conditions.some((each) => at(each, 'type') === type && at(each, 'status') === 'True')
  const isDeleting = at(job.metadata, 'deletionTimestamp') !== undefined
  return JOB_STATES.find((state) => (state === 'Terminating' ? isDeleting : isTrue(state))) ?? 'Running'
}

function jobCompletions(job: ApiObject): string {
  const succeeded = count(job, 'status', 'succeeded')
  const completions = at(job, 'spec', 'completions')
  if (typeof completions === 'number') return `${succeeded}/${completions}`
  const parallelism = count(job, 'spec', 'parallelism')
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function jobDuration(job: ApiObject, now: number): string {
  const start = at(job, 'status', 'startTime')
  const end = at(job, 'status', 'completionTime')
  if (typeof start !== 'string') return ''
  return humanDuration((typeof end === 'string' ? Date.parse(end) : now) - Date.parse(start))
}

function share(value: Json | undefined): string {
  return value === undefined || value === null ? 'N/A' : String(value)
}
