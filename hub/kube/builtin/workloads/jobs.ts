import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { at, isJsonObject } from '../../schema/json.ts'
import type { KindRules } from '../kind-rules.ts'
import { defaultPodTemplate } from '../pod-defaults.ts'
import { specOf, withDefaults } from './fields.ts'
import { JOB_NAME_LABELS, JOB_UID_LABELS, jobErrors } from './job-rules.ts'

const MOST_INT32 = 2 ** 31 - 1

export const JOB_RULES: KindRules = {
  defaults: defaultJob,
  onCreate: (job) => labelled({ ...withSelector(job), status: {} }),
  validate: (job, old) => jobErrors(job, old && defaultJob(old)),
}

function defaultJob(job: ApiObject): ApiObject {
  const given = specOf(job)
  const isPlain = given['completions'] === undefined && given['parallelism'] === undefined
  const policy = given['podFailurePolicy']
  const spec = withDefaults(given, {
    ...(isPlain ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: given['backoffLimitPerIndex'] === undefined ? 6 : MOST_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: policy === undefined ? 'TerminatingOrFailed' : 'Failed',
    manualSelector: false,
  })
  const failures = isJsonObject(policy) ? { podFailurePolicy: defaultFailurePolicy(policy) } : {}
  return labelled({ ...job, spec: { ...spec, ...failures, template: defaultPodTemplate(given['template']) } })
}

function defaultFailurePolicy(policy: JsonObject): JsonObject {
  return { ...policy, rules: each(policy['rules'], (rule) => withConditionStatus(rule)) }
}

function withConditionStatus(rule: JsonObject): JsonObject {
  if (rule['onPodConditions'] === undefined) return rule
  const patterns = each(rule['onPodConditions'], (pattern) => withDefaults(pattern, { status: 'True' }))
  return { ...rule, onPodConditions: patterns }
}

function each(list: Json | undefined, change: (item: JsonObject) => JsonObject): Json {
  return Array.isArray(list) ? list.map((item) => (isJsonObject(item) ? change(item) : item)) : []
}

/** Labels that no other job has go onto the pods, and the selector asks for one of them. */
function withSelector(job: ApiObject): ApiObject {
  const spec = specOf(job)
  if (spec['manualSelector'] === true) return job
  const uid = job.metadata['uid'] ?? ''
  const name = job.metadata['name'] ?? ''
  const own = Object.fromEntries([
    ...JOB_UID_LABELS.map((label) => [label, uid] as const),
    ...JOB_NAME_LABELS.map((label) => [label, name] as const),
  ])
  const template = isJsonObject(spec['template']) ? spec['template'] : {}
  const metadata = isJsonObject(template['metadata']) ? template['metadata'] : {}
  const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {}
  const selector = isJsonObject(spec['selector']) ? spec['selector'] : {}
  const matched = isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {}
  const [label] = JOB_UID_LABELS
  return {
    ...job,
    spec: {
      ...spec,
      selector: { ...selector, matchLabels: { [label]: uid, ...matched } },
      template: { ...template, metadata: { ...metadata, labels: { ...own, ...labels } } },
    },
  }
}

/** A job without labels has those of its pods. */
function labelled(job: ApiObject): ApiObject {
  const { labels } = job.metadata
  const those = at(job, 'spec', 'template', 'metadata', 'labels')
  if (!isJsonObject(those) || (isJsonObject(labels) && Object.keys(labels).length > 0)) return job
  return { ...job, metadata: { ...job.metadata, labels: those } }
}
