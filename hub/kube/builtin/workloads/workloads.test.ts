import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { at, fieldErrorText } from '../../schema/index.ts'
import { BUILTIN_DEFINITIONS } from '../definitions.ts'
import { prepareForCreate, prepareForUpdate, validateBuiltin } from '../rules.ts'

const labels = { app: 'web' }
const selector = { matchLabels: labels }
const container = { name: 'main', image: 'nginx:1' }
const template = { metadata: { labels }, spec: { containers: [container] } }
const once = { metadata: {}, spec: { restartPolicy: 'Never', containers: [container] } }

test('a deployment is filled in as Kubernetes fills it in', () => {
  const made = prepareForCreate(of('Deployment'), object('Deployment', { selector, template }, { replicas: 9 }))
  assert.deepEqual(made['status'], {})
  const { template: pods, ...spec } = specOf(made)
  assert.deepEqual(spec, {
    selector,
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  })
  assert.deepEqual(pods, {
    metadata: { labels },
    spec: {
      containers: [
        {
          ...container,
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
    },
  })
})

test('the template of a pod keeps requests apart from limits, which only the pod itself fills in', () => {
  const resources = { limits: { cpu: 1 } }
  const spec = { selector, template: { ...template, spec: { containers: [{ ...container, resources }] } } }
  const made = prepareForCreate(of('Deployment'), object('Deployment', spec))
  const [first] = list(at(made, 'spec', 'template', 'spec', 'containers'))
  assert.deepEqual(at(first, 'resources'), { limits: { cpu: '1' } })
})

test('a job gets labels and a selector that no other job has', () => {
  const made = prepareForCreate(of('Job'), object('Job', { template: once }))
  const own = {
    'batch.kubernetes.io/controller-uid': 'u1',
    'controller-uid': 'u1',
    'batch.kubernetes.io/job-name': 'a',
    'job-name': 'a',
  }
  assert.deepEqual(at(made, 'spec', 'template', 'metadata', 'labels'), own)
  assert.deepEqual(at(made, 'metadata', 'labels'), own)
  assert.deepEqual(at(made, 'spec', 'selector'), { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } })
  const { template: _template, selector: _selector, ...rest } = specOf(made)
  assert.deepEqual(rest, {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: 'TerminatingOrFailed',
    manualSelector: false,
  })
  assert.deepEqual(errorsOf('Job', made), [])
})

test('a job with its own number of parallel pods has no number of completions', () => {
  const made = prepareForCreate(of('Job'), object('Job', { parallelism: 3, template: once }))
  assert.equal(at(made, 'spec', 'completions'), undefined)
})

test('a daemon set counts the changes of its template', () => {
  const made = prepareForCreate(of('DaemonSet'), object('DaemonSet', { selector, template }))
  const generation = (set: ApiObject) => at(set.metadata, 'annotations', 'deprecated.daemonset.template.generation')
  assert.equal(generation(made), '1')
  const same = prepareForUpdate(of('DaemonSet'), { ...made, spec: { ...specOf(made), minReadySeconds: 3 } }, made)
  assert.equal(generation(same), '1')
  const image = { ...template, spec: { containers: [{ ...container, image: 'nginx:2' }] } }
  assert.equal(
    generation(prepareForUpdate(of('DaemonSet'), { ...made, spec: { ...specOf(made), template: image } }, made)),
    '2',
  )
})

const mismatch = 'Invalid value: {"app":"web"}: `selector` does not match template `labels`'
const wrong: readonly (readonly [kind: string, spec: JsonObject, errors: readonly string[]])[] = [
  ['Deployment', { selector, template }, []],
  ['Deployment', { template }, ['spec.selector: Required value', `spec.template.metadata.labels: ${mismatch}`]],
  [
    'ReplicaSet',
    { selector: { matchLabels: { app: 'db' } }, template },
    [`spec.template.metadata.labels: ${mismatch}`],
  ],
  [
    'DaemonSet',
    { selector: {}, template },
    ['spec.selector: Invalid value: {}: empty selector is invalid for daemonset'],
  ],
  [
    'Deployment',
    { selector, template: { ...template, spec: { containers: [container], restartPolicy: 'Never' } } },
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
  [
    'Deployment',
    { selector, template: { ...template, spec: { containers: [] } } },
    ['spec.template.spec.containers: Required value'],
  ],
  [
    'Deployment',
    { selector, template, replicas: -1, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
  ],
  [
    'Deployment',
    { selector, template, strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    'Deployment',
    { selector, template, minReadySeconds: 30, progressDeadlineSeconds: 30 },
    ['spec.progressDeadlineSeconds: Invalid value: 30: must be greater than minReadySeconds'],
  ],
  [
    'DaemonSet',
    { selector, template, updateStrategy: { rollingUpdate: { maxSurge: '20%' } } },
    [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "20%": may not be set when maxUnavailable is non-zero',
    ],
  ],
  ['Job', { template }, ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']],
  [
    'Job',
    { template: once, completionMode: 'Indexed', parallelism: 2 },
    ['spec.completions: Required value: when completion mode is Indexed'],
  ],
  [
    'Job',
    { template: once, selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'other' } } },
    [
      'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"other"}}: `selector` not auto-generated',
    ],
  ],
  [
    'Job',
    {
      template: once,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [0] } }] },
    },
    ['spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator'],
  ],
  [
    'PodDisruptionBudget',
    { minAvailable: '5', maxUnavailable: 1 },
    [
      'spec: Invalid value: {"minAvailable":"5","maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      'spec.minAvailable: Invalid value: "5": a valid percent string must be a numeric string followed by an ending \'%\' ' +
        "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
]

for (const [kind, spec, errors] of wrong) {
  test(`${kind} ${JSON.stringify(spec).slice(0, 60)}: ${errors[0] ?? 'is well'}`, () => {
    const found = errorsOf(kind, prepareForCreate(of(kind), object(kind, spec)))
    for (const each of errors) assert.ok(found.includes(each), `${each}\n${found.join('\n')}`)
    if (errors.length === 0) assert.deepEqual(found, [])
  })
}

test('selectors, and the template of a job, never change', () => {
  const change = (kind: string, spec: JsonObject, more: JsonObject) => {
    const made = prepareForCreate(of(kind), object(kind, spec))
    const next = prepareForUpdate(of(kind), { ...made, spec: { ...specOf(made), ...more } }, made)
    return validateBuiltin(of(kind), next, made).map((each) => `${each.field} ${each.message.split(': ').at(-1)}`)
  }
  const both = { app: 'web', tier: 'x' }
  const other = { selector: { matchLabels: both }, template: { ...template, metadata: { labels: both } } }
  for (const kind of ['Deployment', 'ReplicaSet', 'DaemonSet']) {
    assert.deepEqual(change(kind, { selector, template }, other), ['spec.selector field is immutable'])
  }
  assert.deepEqual(change('Job', { template: once }, { parallelism: 3, backoffLimit: 1, suspend: true }), [])
  assert.deepEqual(change('Job', { template: once }, { completions: 3 }), ['spec.completions field is immutable'])
  const made = prepareForCreate(of('Job'), object('Job', { template: once }))
  const image = {
    ...once,
    metadata: at(made, 'spec', 'template', 'metadata') ?? {},
    spec: { ...once.spec, hostname: 'x' },
  }
  assert.deepEqual(change('Job', { template: once }, { template: image }), ['spec.template field is immutable'])
})

function of(kind: string) {
  const found = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
  assert.ok(found)
  return found
}

function object(kind: string, spec: JsonObject, status: JsonObject = {}): ApiObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'a', namespace: 'default', uid: 'u1' }, spec, status }
}

function specOf(from: ApiObject): JsonObject {
  return JSON.parse(JSON.stringify(from['spec']))
}

function errorsOf(kind: string, from: ApiObject): readonly string[] {
  return validateBuiltin(of(kind), from).map(fieldErrorText)
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
