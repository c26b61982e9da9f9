import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podOn } from '../../testing/nodes.ts'
import { secondsTolerated } from './tolerations.ts'

const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
const OWN = { key: 'acme.io/own', value: 'x', effect: 'NoExecute' }

const cases: readonly (readonly [what: string, tolerations: readonly object[], seconds: number])[] = [
  ['nothing', [], 0],
  ['everything', [{ operator: 'Exists' }], Number.POSITIVE_INFINITY],
  ['one of two', [{ ...UNREACHABLE, operator: 'Exists' }], 0],
  ['another effect', [{ operator: 'Exists', effect: 'NoSchedule' }], 0],
  [
    'another value',
    [
      { ...UNREACHABLE, operator: 'Exists' },
      { ...OWN, value: 'y' },
    ],
    0,
  ],
  ['both for good', [{ ...UNREACHABLE, operator: 'Exists' }, OWN], Number.POSITIVE_INFINITY],
  [
    'both for a time',
    [
      { ...UNREACHABLE, operator: 'Exists', tolerationSeconds: 300 },
      { ...OWN, tolerationSeconds: 20 },
    ],
    20,
  ],
  [
    'one twice',
    [
      { key: UNREACHABLE.key, operator: 'Exists', tolerationSeconds: 60 },
      { operator: 'Exists', tolerationSeconds: 300 },
    ],
    60,
  ],
  ['a negative time', [{ operator: 'Exists', tolerationSeconds: -5 }], 0],
]

for (const [what, tolerations, expected] of cases) {
  test(`two taints and a pod that tolerates ${what}: ${expected} s`, () => {
    assert.equal(secondsTolerated(podOn('edge-1', 'web', tolerations), [UNREACHABLE, OWN]), expected)
  })
}
