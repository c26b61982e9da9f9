import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsTolerated } from '../../apiserver/controllers/nodes/tolerations.ts'
import { at, done, until } from '../../apiserver/testing/objects.ts'
import { isApiObject } from '../../kube/object/index.ts'
import { startWholeCloud } from '../testing/kubeedge/whole-cloud.ts'

const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/skerry-pods'
const PODS = '/api/v1/namespaces/default/pods'
const LABELS = { 'app-offline.kubeedge.io': 'autonomy' }
const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
const NOT_READY = { ...UNREACHABLE, key: 'node.kubernetes.io/not-ready' }

test('pods with the label of autonomy stay with a node that is not reachable, others go after their time', async (t) => {
  const { api, stop } = await startWholeCloud(t)
  await until(api, CONFIGURATION, (object) => at(object, 'webhooks', 0, 'failurePolicy') === 'Ignore')
  const make = (name: string, labels: object = {}) =>
    done(api, {
      method: 'POST',
      path: PODS,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        spec: { containers: [{ name: 'app', image: 'busybox' }] },
      },
    })
  const label = (name: string, value: string | null) =>
    done(api, {
      method: 'PATCH',
      path: `${PODS}/${name}`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: { 'app-offline.kubeedge.io': value } } },
    })
  const stays = (pod: unknown, taint = UNREACHABLE) => {
    assert.ok(isApiObject(pod))
    return secondsTolerated(pod, [taint])
  }

  const labelled = await make('till', LABELS)
  assert.equal(stays(labelled), Number.POSITIVE_INFINITY)
  assert.equal(stays(labelled, NOT_READY), 300)
  assert.equal(stays(await make('plain')), 300)
  assert.equal(stays(await label('plain', 'autonomy')), Number.POSITIVE_INFINITY, 'labelled later')
  assert.equal(stays(await label('till', null)), Number.POSITIVE_INFINITY, 'what was given is not taken back')

  await stop()
  assert.equal(stays(await make('meanwhile', LABELS)), 300, 'without the cloud half nobody is kept from pods')
})
