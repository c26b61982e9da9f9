import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn } from '../pod/json.ts'
import { parseManifest } from './parse-manifest.ts'

const parse = (text: string, path = '/etc/pods/web.yaml', nodeName = 'Edge-1') =>
  parseManifest({ path, text, nodeName })
const podIn = (text: string, path?: string, nodeName?: string) => {
  const parsed = parse(text, path, nodeName)
  assert.ok('pod' in parsed, JSON.stringify(parsed))
  return parsed.pod
}
const refusalOf = (text: string) => {
  const parsed = parse(text)
  return 'refusal' in parsed ? parsed.refusal : ''
}
const WEB = `# a web server
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: { app: web }
  annotations:
    note: x
    kubernetes.io/config.mirror: forged
spec:
  hostNetwork: true
  containers:
    - name: web
      image: web:1
      ports: [{ containerPort: 80 }]
      resources:
        limits: { cpu: 500m, memory: 64Mi }
        requests: { cpu: 100m }
`
const with_ = (spec: JsonObject, metadata: JsonObject = { name: 'web' }): string =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata },
    spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec },
  })

test('a file makes a pod of this node', () => {
  const pod = podIn(WEB)
  assert.deepEqual(
    [pod.name, pod.namespace, pod.isStatic, pod.spec.nodeName, pod.labels],
    ['web-edge-1', 'default', true, 'Edge-1', { app: 'web' }],
  )
  assert.match(pod.uid, /^[0-9a-f]{32}$/)
  assert.deepEqual(pod.annotations, {
    note: 'x',
    'kubernetes.io/config.hash': pod.uid,
    'kubernetes.io/config.source': 'file',
  })
})

test('what the API would fill in is filled in here', () => {
  const { spec, source } = podIn(WEB)
  const [container] = spec.containers
  assert.deepEqual(container?.resources.requests, { cpu: '100m', memory: '64Mi' })
  assert.equal(container?.ports[0]?.hostPort, 80)
  assert.deepEqual(objectIn(source, 'spec')['tolerations'], [{ operator: 'Exists', effect: 'NoExecute' }])
  assert.equal(podIn(with_({})).spec.containers[0]?.resources.requests['cpu'], undefined)
})

test('another place, another node or another content makes another pod; words that say the same do not', () => {
  const { uid } = podIn(WEB)
  assert.equal(podIn(WEB.replace('# a web server\n', '')).uid, uid)
  assert.equal(podIn(with_({ hostname: 'a', subdomain: 'b' })).uid, podIn(with_({ subdomain: 'b', hostname: 'a' })).uid)
  const others = [
    podIn(WEB, '/etc/pods/other.yaml'),
    podIn(WEB, undefined, 'edge-2'),
    podIn(WEB.replace('64Mi', '65Mi')),
  ]
  assert.equal(new Set([uid, ...others.map((pod) => pod.uid)]).size, 4)
})

test('JSON is read as well', () => {
  assert.equal(podIn(with_({})).name, 'web-edge-1')
  assert.equal(podIn(JSON.stringify(JSON.parse(with_({})), null, '\t')).name, 'web-edge-1')
})

test('a file that is no pod, or no pod that can stand alone, is refused with what is wrong', () => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['', 'there is nothing in it'],
    ['# nothing yet\n', 'there is nothing in it'],
    ['just text', 'it is not an object'],
    ['a: [1, 2', /Flow sequence/],
    ['a: *none', /alias/i],
    [`${WEB}---\n${WEB}`, 'there is more than one document in it: each pod needs a file of its own'],
    ['['.repeat(5000), 'it is nested too deeply'],
    [WEB.replace('kind: Pod', 'kind: Deployment'), 'it is not a Pod of apiVersion v1'],
    [WEB.replace('apiVersion: v1', 'apiVersion: v2'), 'it is not a Pod of apiVersion v1'],
    [with_({}, {}), 'invalid pod: name is needed for the pod'],
    [with_({}, { name: 'Web' }), 'metadata.name: "Web-edge-1" is not a DNS subdomain name'],
    [with_({}, { name: 'web', namespace: 'a/b' }), 'metadata.namespace: "a/b" is not a DNS label'],
    [with_({ containers: [] }), /spec\.containers/],
    [with_({ wings: 2 }), 'spec.wings is not supported on this node'],
    [with_({ serviceAccountName: 'admin' }), 'static pods may not reference serviceaccounts'],
    [with_({ serviceAccount: 'admin' }), 'static pods may not reference serviceaccounts'],
    [with_({ imagePullSecrets: [{ name: 'a' }] }), 'static pods may not reference secrets'],
    [container({ envFrom: [{ secretRef: { name: 'a' } }] }), 'static pods may not reference secrets'],
    [container({ envFrom: [{ configMapRef: { name: 'a' } }] }), 'static pods may not reference configmaps'],
    [key('secretKeyRef'), 'static pods may not reference secrets'],
    [key('configMapKeyRef'), 'static pods may not reference configmaps'],
    [volume({ configMap: { name: 'a' } }), 'static pods may not reference configmaps (via configmap volumes)'],
    [volume({ secret: { secretName: 'a' } }), 'static pods may not reference secrets (via secret volumes)'],
    [projected({ configMap: { name: 'a' } }), 'static pods may not reference configmaps (via projected volumes)'],
    [projected({ secret: { name: 'a' } }), 'static pods may not reference secrets (via projected volumes)'],
    [
      projected({ serviceAccountToken: { path: 't' } }),
      'static pods may not reference serviceaccounts (via projected volumes)',
    ],
  ]
  for (const [text, refusal] of cases) {
    if (typeof refusal === 'string') assert.equal(refusalOf(text), refusal)
    else assert.match(refusalOf(text), refusal)
  }
})

test('volumes of the node itself are what a static pod may use', () => {
  const volumes = [
    { name: 'a', emptyDir: {} },
    { name: 'b', hostPath: { path: '/srv' } },
    { name: 'c', projected: { sources: [{ downwardAPI: { items: [] } }] } },
  ]
  assert.equal(podIn(with_({ volumes })).spec.volumes.length, 3)
})

function container(fields: JsonObject): string {
  return with_({ containers: [{ name: 'web', image: 'web:1', ...fields }] })
}

function key(kind: string): string {
  return container({ env: [{ name: 'A', valueFrom: { [kind]: { name: 'a', key: 'k' } } }] })
}

function volume(fields: JsonObject): string {
  return with_({ volumes: [{ name: 'v', ...fields }] })
}

function projected(source: JsonObject): string {
  return volume({ projected: { sources: [source] } })
}
