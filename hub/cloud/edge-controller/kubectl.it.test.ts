import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { failureOf, metadataOf, objectOf, register } from '../testing/kubeedge/kubelet.ts'
import { startWholeCloud } from '../testing/kubeedge/whole-cloud.ts'

const MANIFEST = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {speed: "10"}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {key: hidden}
---
apiVersion: v1
kind: Secret
metadata: {name: unused}
stringData: {key: hidden}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: Pod
metadata: {name: till}
spec:
  nodeName: edge-1
  serviceAccountName: robot
  containers:
  - name: main
    image: till:1
    envFrom: [{configMapRef: {name: settings}}]
  volumes: [{name: key, secret: {secretName: password}}]
`
const POD = 'default/pod/till'

async function setup(t: TestContext) {
  const whole = await startWholeCloud(t)
  const run = async (parameters: string, input = '') => {
    const { code, out, err } = await kubectl(whole.api, parameters.split(' '), { input })
    assert.equal(code, 0, err)
    return out
  }
  const edge = await whole.edge()
  await register(edge)
  return { connect: whole.edge, run, edge }
}

const options = { skip: needs('kubectl') }

test(
  'a pod that kubectl makes reaches an original edge after what it uses, runs in kubectl’s eyes, and ends when it is deleted',
  options,
  async (t) => {
    const { run, edge } = await setup(t)
    await run('apply -f -', MANIFEST)
    const pod = await edge.hears(({ route }) => route.resource === POD, 'the pod')
    await edge.until(() => (edge.meta.rows.has(POD) ? true : undefined), 'the stored pod')
    const lines = edge.objects.map(({ route }) => `${route.source} ${route.operation} ${route.resource}`)
    assert.deepEqual(
      lines.filter((line) => /configmap|secret|pod/.test(line)),
      [
        'edgecontroller insert default/configmap/kube-root-ca.crt',
        'edgecontroller insert default/configmap/settings',
        'edgecontroller update default/secret/password',
        `edgecontroller insert ${POD}`,
      ],
    )
    assert.ok(lines.includes('edgecontroller update null/node/edge-1'))

    const uid = String(metadataOf(Object(pod.content))['uid'])
    const order = [{ type: 'Ready' }]
    const running = {
      metadata: { uid },
      status: {
        '$setElementOrder/conditions': order,
        phase: 'Running',
        podIP: '10.0.0.9',
        hostIP: '192.0.2.7',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-08-06T12:00:00Z' }],
        containerStatuses: [
          {
            name: 'main',
            ready: true,
            restartCount: 0,
            image: 'till:1',
            imageID: 'x',
            state: { running: { startedAt: '2026-08-06T12:00:00Z' } },
          },
        ],
      },
    }
    const patched = await edge.patch('default/podpatch/till', running)
    assert.equal(failureOf(patched), undefined)
    assert.match(await run('get pod till -o wide'), /till +1\/1 +Running +0 .*10\.0\.0\.9 +edge-1/)
    // What KubeEdge itself makes of a second patch: the list of conditions is merged, not replaced.
    const started = { metadata: { uid }, status: { conditions: [{ type: 'Initialized', status: 'True' }] } }
    const conditions = Object(objectOf(await edge.patch('default/podpatch/till', started))['status'])['conditions']
    assert.deepEqual(conditions.map(({ type }: { type: string }) => type).sort(), ['Initialized', 'Ready'])

    const deletion = run('delete pod till')
    await edge.hears(
      ({ route, content }) => route.resource === POD && JSON.stringify(content).includes('deletionTimestamp'),
      'the request to end',
    )
    const ended = await edge.ask('delete', POD, { gracePeriodSeconds: 0, preconditions: { uid } })
    assert.equal(ended.content, 'OK')
    assert.match(await deletion, /pod "till" deleted/)
    await edge.hears(({ route }) => route.resource === POD && route.operation === 'delete', 'the deletion')
    await edge.until(() => {
      const left = [...edge.meta.rows.keys()].filter((key) => /^default\/(pod|configmap|secret)\//.test(key))
      return left.length === 0 ? true : undefined
    }, 'an empty table')
    assert.deepEqual(edge.strange, [])
  },
)

test('an original edge reads what its pod uses, gets a token for it, and no more', options, async (t) => {
  const { run, edge } = await setup(t)
  await run('apply -f -', MANIFEST)
  const pod = await edge.hears(({ route }) => route.resource === POD, 'the pod')
  const uid = String(metadataOf(Object(pod.content))['uid'])
  const secret = await edge.ask('query', 'default/secret/password')
  assert.deepEqual(Reflect.get(Object(secret.content), 'data'), { key: Buffer.from('hidden').toString('base64') })
  const hidden = await edge.ask('query', 'default/secret/unused')
  assert.deepEqual([hidden.route.operation, typeof hidden.content], ['error', 'string'])

  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'till', uid }
  const request = { spec: { audiences: ['till'], expirationSeconds: 3607, boundObjectRef } }
  const answer = await edge.ask('query', 'default/serviceaccounttoken/robot', request)
  const status: unknown = Reflect.get(Object(answer.content), 'status')
  assert.ok(isRecord(status))
  const [, claims = ''] = String(status['token']).split('.')
  const { sub, aud, exp, iat, 'kubernetes.io': own } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  assert.deepEqual([sub, aud, exp - iat], ['system:serviceaccount:default:robot', ['till'], 3607])
  assert.deepEqual([own.namespace, own.pod], ['default', { name: 'till', uid }])
  const other = await edge.ask('query', 'default/serviceaccounttoken/missing', request)
  assert.equal(other.route.operation, 'error')
})

test('a pod of another node is out of reach, and whoever touches it is cut off', options, async (t) => {
  const { run, edge, connect } = await setup(t)
  await run('apply -f -', MANIFEST)
  const pod = await edge.hears(({ route }) => route.resource === POD, 'the pod')
  const uid = String(metadataOf(Object(pod.content))['uid'])
  const intruder = await connect('edge-2')
  const secret = await intruder.ask('query', 'default/secret/password')
  assert.equal(secret.route.operation, 'error')
  intruder.say(
    { source: 'edged', group: 'meta', operation: 'patch', resource: 'default/podpatch/till' },
    JSON.stringify({ metadata: { uid }, status: { phase: 'Failed' } }),
  )
  assert.match(await intruder.closed, /not on node edge-2/)
  assert.match(await run('get pod till -o jsonpath={.status.phase}'), /^(Pending)?$/)
})
