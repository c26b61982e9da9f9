import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import { toTable } from './table.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['z', 'b'] }] }
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    nodeSelector: { zone: 'b', disk: 'ssd' },
    containers: [
      { name: 'main', image: 'nginx:1' },
      { name: 'side', image: 'busybox' },
    ],
  },
}
const WIDE = ['main,side', 'nginx:1,busybox', 'a in (b,z),app=web']

const cases: readonly (readonly [kind: string, content: JsonObject, cells: readonly Json[]])[] = [
  [
    'Deployment',
    {
      spec: { replicas: 3, selector, template },
      status: { replicas: 4, readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    ['x', '2/3', 1, 2, '2m', ...WIDE],
  ],
  ['ReplicaSet', { spec: { replicas: 3, selector, template }, status: { replicas: 2 } }, ['x', 3, 2, 0, '2m', ...WIDE]],
  [
    'DaemonSet',
    {
      spec: { selector, template },
      status: { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, updatedNumberScheduled: 2 },
    },
    ['x', 3, 2, 1, 2, 0, 'disk=ssd,zone=b', '2m', ...WIDE],
  ],
  [
    'Job',
    {
      spec: { completions: 5, selector: { matchLabels: { a: 'b' } }, template },
      status: { succeeded: 2, startTime: '2026-01-01T23:59:00Z' },
    },
    ['x', 'Running', '2/5', '60s', '2m', 'main,side', 'nginx:1,busybox', 'a=b'],
  ],
  [
    'Job',
    {
      spec: { parallelism: 3, template },
      status: {
        succeeded: 1,
        startTime: '2026-01-01T23:59:00Z',
        completionTime: '2026-01-01T23:59:07Z',
        conditions: [
          { type: 'SuccessCriteriaMet', status: 'True' },
          { type: 'Complete', status: 'True' },
        ],
      },
    },
    ['x', 'Complete', '1/1 of 3', '7s', '2m', 'main,side', 'nginx:1,busybox', '<none>'],
  ],
  [
    'PodDisruptionBudget',
    { spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 1 } },
    ['x', '50%', 'N/A', 1, '2m'],
  ],
  ['ControllerRevision', { revision: 4 }, ['x', 'daemonset.apps/agent', 4, '2m']],
]

for (const [kind, content, cells] of cases) {
  test(`kubectl get prints a ${kind} as ${cells.slice(1, 4).join(' ')} ...`, () => {
    const definition = BUILTIN_DEFINITIONS.find((each) => each.kind === kind)
    assert.ok(definition)
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: '1', controller: true }
    const metadata = { name: 'x', creationTimestamp: '2026-01-01T23:58:00Z', ownerReferences: [owner] }
    const object = { apiVersion: 'v1', kind, metadata, ...content }
    const table: { rows: readonly { cells: readonly Json[] }[] } = JSON.parse(
      JSON.stringify(toTable(definition, [object], { now: NOW, include: 'None' })),
    )
    assert.deepEqual(table.rows[0]?.cells, cells)
  })
}
