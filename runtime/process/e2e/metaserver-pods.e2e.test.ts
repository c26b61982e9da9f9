import assert from 'node:assert/strict'
import { realpath } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { needsContainerd } from '../../edged/testing/containerd.ts'
import { type PodsUp, pod, STAYS, shell, startPodsUp } from '../testing/pods-up.ts'
import { eventually, run } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'

/** kubectl as it is: in a pod it finds its API, its token and its namespace as client-go does. */
const IMAGE = 'skerry.test/kubectl:1'
const SPEED = ['get', 'configmap', 'settings', '-o', 'jsonpath={.data.speed}']
const RBAC = 'rbac.authorization.k8s.io'

const size = { type: 'integer', description: 'How large it is.' }
const objects: readonly JsonObject[] = [
  {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: { name: 'widgets.example.com' },
    spec: {
      ...{
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true },
          schema: {
            openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size } } } },
          },
        },
      ],
    },
  },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { speed: '42' } },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'till' }, spec: { ports: [{ port: 80 }] } },
  {
    ...{ apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name: 'robots' } },
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] },
      { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get', 'list', 'create', 'patch'] },
      { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
    ],
  },
  {
    ...{ apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata: { name: 'robots' } },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'robots' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
  },
]

function client(name: string, more: JsonObject = {}): JsonObject {
  const speed = { name: 'SPEED', valueFrom: { configMapKeyRef: { name: 'settings', key: 'speed' } } }
  const container = shell('app', STAYS, { image: IMAGE, imagePullPolicy: 'Never', env: [speed] })
  return pod(name, { serviceAccountName: 'robot', containers: [container], ...more })
}

describe('clients of Kubernetes in pods of a gateway', { skip: needsContainerd() || needs('kubectl') }, () => {
  let cluster: PodsUp

  before(async () => {
    cluster = await startPodsUp('10.233.72.0/24')
    const { stdout } = await run('sh', ['-c', 'command -v kubectl'])
    await cluster.containerd.addImage({ name: IMAGE, files: { '/bin/kubectl': await realpath(stdout.trim()) } })
    await cluster.apply(...objects)
    await cluster.apply(client('robot'), client('near', { hostNetwork: true }))
    for (const name of ['pod/robot', 'pod/near']) await cluster.wait(name, 'condition=Ready')
  })
  after(() => cluster[Symbol.asyncDispose]())

  const inPod = (name: string, ...command: readonly string[]) =>
    run(process.execPath, [launcher, 'exec', '--data', cluster.up.directory, name, '-c', 'app', '--', ...command])
  /** Standard output of kubectl in a pod, as soon as it succeeds: rights come to the node a moment after the pod. */
  const answer = (name: string, ...args: readonly string[]) =>
    eventually(`kubectl ${args.join(' ')} in ${name}`, async () => {
      const ran = await inPod(name, 'kubectl', ...args)
      return ran.code === 0 ? ran.stdout : undefined
    })
  const part = async (verb: 'stop' | 'start', name: 'cloud' | 'edge') => {
    const ran = await cluster.up.skerry(verb, name)
    assert.equal(ran.code, 0, ran.stderr)
  }
  const refusedWrite = async () => {
    const { code, stderr } = await inPod('robot', 'kubectl', 'create', 'configmap', 'late', '-v', '6')
    assert.equal(code, 1)
    return stderr
  }

  it('find the API of their node by their environment, on their own network and on that of the node', async () => {
    const own = (await inPod('robot', 'env')).stdout
    assert.match(own, /^KUBERNETES_SERVICE_HOST=169\.254\.30\.10$/m)
    const [, port] = /^KUBERNETES_SERVICE_PORT=(\d+)$/m.exec(own) ?? []
    assert.match(own, new RegExp(`^KUBERNETES_PORT_443_TCP=tcp://169\\.254\\.30\\.10:${port}$`, 'm'))
    assert.match((await inPod('near', 'env')).stdout, /^KUBERNETES_SERVICE_HOST=127\.0\.0\.1$/m)
    for (const name of ['robot', 'near']) assert.equal(await answer(name, ...SPEED), '42')
  })

  it('may do what the role of their service account gives, and nothing else', async () => {
    await answer('robot', 'create', 'configmap', 'made', '--from-literal', 'by=robot')
    assert.equal(await cluster.kubectl('get', 'configmap', 'made', '-o', 'jsonpath={.data.by}'), 'robot')
    const denied = await inPod('robot', 'kubectl', 'get', 'secrets')
    assert.equal(denied.code, 1)
    assert.match(denied.stderr, /Forbidden.*"system:serviceaccount:default:robot" cannot list resource "secrets"/)
  })

  it('find custom kinds by their short names, and apply objects of them', async () => {
    const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' }, spec: { size: 7 } }
    const manifest = JSON.stringify(widget)
    await eventually('the widget is applied', async () => {
      const { code } = await inPod('robot', 'sh', '-c', `echo '${manifest}' | kubectl apply -f -`)
      return code === 0 ? true : undefined
    })
    assert.match(await answer('robot', 'get', 'wd'), /^one +/m)
    assert.match(await answer('robot', 'explain', 'widget.spec.size'), /How large it is\./)
    assert.equal(await cluster.kubectl('get', 'widget', 'one', '-o', 'jsonpath={.spec.size}'), '7')
  })

  it('go on while the cloud is down, but for changes', async () => {
    await part('stop', 'cloud')
    await eventually('the edge knows', async () => (/not connected/.test(await refusedWrite()) ? true : undefined))
    for (const name of ['robot', 'near']) assert.equal(await answer(name, ...SPEED), '42')
    assert.match(await refusedWrite(), /\b503 Service Unavailable\b/)
    const services = await answer('robot', 'get', 'services', '-o', 'name')
    assert.deepEqual(services.trim().split('\n'), ['service/kubernetes', 'service/till'], 'nobody asked before')
    assert.match((await inPod('robot', 'kubectl', 'get', 'endpointslices')).stderr, /Forbidden/)
    assert.match((await inPod('robot', 'kubectl', 'get', 'secrets')).stderr, /Forbidden/)
    assert.match(await answer('robot', 'get', 'wd', '--cache-dir', '/tmp/other'), /^one +/m)
    assert.match(await answer('robot', 'api-resources', '--api-group', 'example.com'), /^widgets +wd /m)
  })

  it('start anew without the cloud, with stored tokens, also after a restart of the edge', async () => {
    const before = (await inPod('robot', 'env')).stdout
    await part('stop', 'edge')
    const { runtime } = cluster.containerd
    for (const { id, metadata } of await runtime.listSandboxes()) {
      if (metadata.name !== 'robot') continue
      await runtime.stopSandbox(id)
      await runtime.removeSandbox(id)
    }
    await part('start', 'edge')
    const made = await eventually('the pod runs again', async () => {
      const { code, stdout } = await inPod('robot', 'env')
      return code === 0 ? stdout : undefined
    })
    const port = /^KUBERNETES_SERVICE_PORT=\d+$/m
    assert.deepEqual(port.exec(made)?.[0], port.exec(before)?.[0])
    assert.equal(await answer('robot', ...SPEED), '42')
    assert.equal(await answer('near', ...SPEED), '42', 'its container ran on, and comes back to the same port')
  })

  it('change the cluster again when the cloud is back', async () => {
    await part('start', 'cloud')
    await answer('robot', 'create', 'configmap', 'late')
    assert.match(await cluster.kubectl('get', 'configmaps'), /^late /m)
  })
})
