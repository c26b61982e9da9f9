import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrayAt, isApiObject, objectAt } from '../../kube/object/index.ts'
import { applyJsonPatch } from '../../kube/patch/index.ts'
import { answerAutonomy, autonomyPatch } from './autonomy.ts'

const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
const FOR_GOOD = { ...UNREACHABLE, operator: 'Exists' }
const NOT_READY = { ...FOR_GOOD, key: 'node.kubernetes.io/not-ready', tolerationSeconds: 300 }
const LABELS = { 'app-offline.kubeedge.io': 'autonomy' }

function pod(tolerations?: readonly object[], labels: object = LABELS): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'till-', labels },
    spec: { containers: [], ...(tolerations ? { tolerations } : {}) },
  }
}

/** The tolerations after the patch, which has nothing to say about them a second time. */
function tolerationsAfter(given: readonly object[] | undefined): readonly unknown[] {
  const result = applyJsonPatch(
    JSON.parse(JSON.stringify(pod(given))),
    JSON.parse(JSON.stringify(autonomyPatch(pod(given)))),
  )
  assert.deepEqual(autonomyPatch(result), [])
  assert.ok(isApiObject(result))
  return arrayAt(objectAt(result, 'spec'), 'tolerations')
}

const OTHER_VALUE = { ...UNREACHABLE, operator: 'Equal', value: 'x', tolerationSeconds: 9 }
const OTHER_EFFECT = { ...FOR_GOOD, effect: 'NoSchedule' }
const BRIEF = { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 20 }
const cases: readonly (readonly [what: string, given: readonly object[] | undefined, after: readonly object[]])[] = [
  ['nothing', undefined, [FOR_GOOD]],
  ['an empty list of taints', [], [FOR_GOOD]],
  ['what API servers give by default', [NOT_READY, { ...FOR_GOOD, tolerationSeconds: 300 }], [NOT_READY, FOR_GOOD]],
  [
    'it for two times',
    [{ ...FOR_GOOD, tolerationSeconds: 0 }, NOT_READY, { ...UNREACHABLE, tolerationSeconds: -1 }],
    [FOR_GOOD, NOT_READY, UNREACHABLE],
  ],
  [
    'it for good, with any effect',
    [{ key: UNREACHABLE.key, operator: 'Exists' }],
    [{ key: UNREACHABLE.key, operator: 'Exists' }],
  ],
  ['everything for good', [{ operator: 'Exists' }], [{ operator: 'Exists' }]],
  ['everything for a time', [BRIEF], [BRIEF, FOR_GOOD]],
  ['another value and another effect of it', [OTHER_VALUE, OTHER_EFFECT], [OTHER_VALUE, OTHER_EFFECT, FOR_GOOD]],
]

for (const [what, given, after] of cases) {
  test(`a labelled pod that tolerates ${what} tolerates an unreachable node without end as well, and keeps the rest`, () => {
    assert.deepEqual(tolerationsAfter(given), after)
  })
}

test('without the label, with another value of it, or in what is no pod nothing is changed', () => {
  const timed = [{ ...FOR_GOOD, tolerationSeconds: 300 }]
  for (const labels of [{}, { 'app-offline.kubeedge.io': 'no' }, { 'app-offline.kubeedge.io': 5 }])
    assert.deepEqual(autonomyPatch(pod(timed, labels)), [])
  for (const object of [undefined, null, 'x', [], {}, { spec: {} }, { metadata: { labels: LABELS } }])
    assert.deepEqual(autonomyPatch(object), [])
})

test('a review is answered with its uid and a JSON Patch where there is something to change', () => {
  const review = (object: unknown) => JSON.parse(JSON.stringify(answerAutonomy({ request: { uid: '7', object } })))
  const { response, kind, apiVersion } = review(pod())
  assert.deepEqual([kind, apiVersion], ['AdmissionReview', 'admission.k8s.io/v1'])
  const { patch, ...rest } = response
  assert.deepEqual(rest, { uid: '7', allowed: true, patchType: 'JSONPatch' })
  assert.deepEqual(JSON.parse(Buffer.from(patch, 'base64').toString()), autonomyPatch(pod()))
  assert.deepEqual(review(pod([FOR_GOOD])).response, { uid: '7', allowed: true })
  for (const body of [undefined, null, 'x', [], {}, { request: {} }, { request: { uid: 1 } }])
    assert.equal(answerAutonomy(body), undefined)
})
