import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { type FieldError, invalid, notSupported, required } from '../../schema/field-error.ts'
import { at, isJsonObject, isSame } from '../../schema/json.ts'
import { dnsLabel } from '../../schema/names.ts'
import { selects } from '../../selectors/index.ts'
import { immutableErrors, negativeErrors, selectorErrors, specOf } from './fields.ts'
import { failurePolicyErrors, successPolicyErrors } from './job-policy-rules.ts'
import { matchErrors, templateErrors, templateLabels } from './template.ts'

/** The one that the selector asks for comes first; the others are those of long ago. */
export const JOB_UID_LABELS = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const
export const JOB_NAME_LABELS = ['batch.kubernetes.io/job-name', 'job-name'] as const

const MOST_PARALLEL = 100_000
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]
const FIXED = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy']
const RESTART = 'spec.template.spec.restartPolicy'

export function jobErrors(job: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = specOf(job)
  const { selector } = spec
  return [
    ...(old ? [] : generatedSelectorErrors(job, spec)),
    ...negativeErrors(spec, COUNTS),
    ...indexErrors(spec),
    ...failurePolicyErrors(spec),
    ...successPolicyErrors(spec),
    ...replacementErrors(spec),
    ...templateErrors(spec),
    ...restartErrors(spec),
    ...(isJsonObject(selector) ? selectorErrors(selector, 'spec.selector') : [required('spec.selector')]),
    ...(isJsonObject(selector) ? matchErrors(spec) : []),
    ...hostnameErrors(job, spec),
    ...(old ? changeErrors(spec, old) : []),
  ]
}

function generatedSelectorErrors(job: ApiObject, spec: JsonObject): readonly FieldError[] {
  if (spec['manualSelector'] === true || !isJsonObject(spec['selector'])) return []
  const labels = templateLabels(spec)
  const expected = new Map<string, string>()
  for (const key of JOB_UID_LABELS) expected.set(key, String(job.metadata['uid'] ?? ''))
  for (const key of JOB_NAME_LABELS) expected.set(key, String(job.metadata['name'] ?? ''))
  const wrong = [...expected].flatMap(([key, value]) =>
    labels[key] === value ? [] : [invalid(`spec.template.metadata.labels[${key}]`, labels, `must be '${value}'`)],
  )
  const isGenerated = selects(spec['selector'], Object.fromEntries(expected))
  return isGenerated ? wrong : [...wrong, invalid('spec.selector', spec['selector'], '`selector` not auto-generated')]
}

function indexErrors(spec: JsonObject): readonly FieldError[] {
  const { completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex: perIndex } = spec
  const missing =
    failed !== undefined && perIndex === undefined
      ? [required('spec.backoffLimitPerIndex', 'when maxFailedIndexes is specified')]
      : []
  if (spec['completionMode'] !== 'Indexed') {
    return [
      ...missing,
      ...['backoffLimitPerIndex', 'maxFailedIndexes'].flatMap((field) => {
        const value = spec[field]
        return value === undefined ? [] : [invalid(`spec.${field}`, value, 'requires indexed completion mode')]
      }),
    ]
  }
  return [
    ...missing,
    ...(completions === undefined ? [required('spec.completions', 'when completion mode is Indexed')] : []),
    ...(typeof parallelism === 'number' && parallelism > MOST_PARALLEL
      ? [
          invalid(
            'spec.parallelism',
            parallelism,
            `must be less than or equal to ${MOST_PARALLEL} when completion mode is Indexed`,
          ),
        ]
      : []),
    ...(typeof completions === 'number' && typeof failed === 'number' && failed > completions
      ? [invalid('spec.maxFailedIndexes', failed, 'must be less than or equal to completions')]
      : []),
  ]
}

function replacementErrors(spec: JsonObject): readonly FieldError[] {
  const policy = spec['podReplacementPolicy']
  if (spec['podFailurePolicy'] === undefined || policy === undefined || policy === 'Failed') return []
  return [notSupported('spec.podReplacementPolicy', policy, ['Failed'])]
}

function restartErrors(spec: JsonObject): readonly FieldError[] {
  const policy = at(spec, 'template', 'spec', 'restartPolicy') ?? 'Always'
  if (policy === 'Always') return [required(RESTART, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(RESTART, policy, ['OnFailure', 'Never'])]
  if (spec['podFailurePolicy'] === undefined || policy === 'Never') return []
  return [invalid(RESTART, policy, 'only "Never" is supported when podFailurePolicy is specified')]
}

/** The pod of an index has a host name with the index. */
function hostnameErrors(job: ApiObject, spec: JsonObject): readonly FieldError[] {
  const { completions, completionMode } = spec
  if (completionMode !== 'Indexed' || typeof completions !== 'number' || completions <= 0) return []
  const name = String(job.metadata['name'] ?? '')
  const longest = `${name}-${completions - 1}`
  if (dnsLabel(longest).length === 0) return []
  return [invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`)]
}

function changeErrors(spec: JsonObject, old: ApiObject): readonly FieldError[] {
  const before = specOf(old)
  const isOpen = before['suspend'] === true && at(old, 'status', 'startTime') === undefined
  return [
    ...completionsErrors(spec, before),
    ...immutableErrors(spec, before, FIXED),
    ...(isSame(fixedTemplate(spec, isOpen), fixedTemplate(before, isOpen))
      ? []
      : [invalid('spec.template', spec['template'] ?? null, 'field is immutable')]),
  ]
}

/** An indexed job may grow and shrink as long as each index can run. */
function completionsErrors(spec: JsonObject, before: JsonObject): readonly FieldError[] {
  const { completions, parallelism } = spec
  if (isSame(completions, before['completions'])) return []
  if (spec['completionMode'] === 'Indexed' && completions !== undefined && isSame(completions, parallelism)) return []
  const text =
    spec['completionMode'] === 'Indexed' ? `can only be modified in tandem with spec.parallelism` : 'field is immutable'
  return [invalid('spec.completions', completions ?? null, text)]
}

/** A job that never ran may still choose where and how its pods run: it is open. */
function fixedTemplate(spec: JsonObject, isOpen: boolean): Json {
  const template = isJsonObject(spec['template']) ? spec['template'] : {}
  if (!isOpen) return template
  const podSpec = isJsonObject(template['spec']) ? template['spec'] : {}
  const { affinity: _affinity, nodeSelector: _selector, tolerations: _tolerations, ...rest } = podSpec
  const { schedulingGates: _gates, ...fixed } = rest
  return { spec: fixed }
}
