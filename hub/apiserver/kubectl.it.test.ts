import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { type KubectlOptions, kubectl, type Run } from './testing/kubectl.ts'
import { WIDGET_CRD } from './testing/objects.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

/** What one kubectl command has to do. */
interface Case extends KubectlOptions {
  readonly run: string
  /** Default 0. */
  readonly code?: number
  readonly out?: RegExp
  readonly err?: RegExp
}

const MAP = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: pump}
data: {speed: "10", keep: "yes"}
`
const MAP_CHANGED = MAP.replace('speed: "10", keep: "yes"', 'speed: "20"')
const LIST = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: first}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: second}}
`
const WIDGET = `apiVersion: acme.io/v1
kind: Widget
metadata: {name: w1}
spec: {size: 3}
`
const POD = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: edge-1
  containers: [{name: main, image: nginx}]
`

const NODE = `apiVersion: v1
kind: Node
metadata: {name: edge-9}
`

/** One session of a person: each line builds on those before it. */
const SESSION: readonly Case[] = [
  { run: 'version', out: /Server Version: v1\.36/ },
  { run: 'get namespaces', out: /^NAME +STATUS +AGE\ndefault +Active/ },
  { run: 'api-resources', out: /widgets +wg +acme\.io\/v1 +true +Widget/ },
  { run: 'api-versions', out: /^acme\.io\/v1$/m },
  { run: 'get crd', out: /widgets\.acme\.io/ },
  { run: 'wait --for=condition=Established crd/widgets.acme.io --timeout=5s', out: /condition met/ },

  { run: 'create namespace shop', out: /namespace\/shop created/ },
  { run: 'create configmap made --from-literal=a=b', out: /configmap\/made created/ },
  { run: 'create secret generic hidden --from-literal=password=x', out: /secret\/hidden created/ },
  { run: 'get secret hidden -o jsonpath={.data.password}{.type}', out: /^eA==Opaque$/ },
  { run: 'create configmap made --from-literal=a=b', code: 1, err: /configmaps "made" already exists/ },

  { run: 'apply -f -', input: MAP, out: /configmap\/settings created/ },
  { run: 'apply -f -', input: MAP, out: /configmap\/settings unchanged/ },
  { run: 'apply -f - --dry-run=server', input: MAP_CHANGED, out: /configured \(server dry run\)/ },
  { run: 'get cm settings -o jsonpath={.data}', out: /"speed":"10"/ },
  { run: 'apply -f -', input: MAP_CHANGED, out: /configmap\/settings configured/ },
  { run: 'get cm settings -o jsonpath={.data}', out: /^\{"speed":"20"\}$/ },
  { run: 'apply --server-side -f -', input: MAP, code: 0, out: /configmap\/settings serverside-applied/ },
  { run: 'apply -f -', input: MAP_CHANGED, out: /configmap\/settings configured/ },
  { run: 'patch cm settings -p {"data":{"more":"1"}}', out: /patched/ },
  { run: 'label cm settings tier=edge', out: /labeled/ },
  { run: 'annotate cm settings note=hello', out: /annotated/ },
  { run: 'get cm -l app=pump,tier=edge -o name', out: /^configmap\/settings\n$/ },
  { run: 'get cm --field-selector metadata.name=made -o name', out: /^configmap\/made\n$/ },
  { run: 'get cm settings -o yaml', out: /\n {2}labels:\n {4}app: pump\n {4}tier: edge\n/ },
  { run: 'get cm settings -o json', out: /"kind": "ConfigMap"/ },
  { run: 'get cm -A', out: /NAMESPACE +NAME +DATA +AGE/ },
  // As kubectl get -o yaml prints several objects.
  { run: 'apply -f -', input: LIST, out: /configmap\/first created\nconfigmap\/second created/ },
  { run: 'delete -f -', input: LIST, out: /"first" deleted[\s\S]*"second" deleted/ },
  { run: 'describe cm settings', out: /speed:\n----\n20/ },
  {
    run: 'edit cm settings',
    environment: { KUBE_EDITOR: `sed -i 's/speed: .*/speed: "30"/'` },
    out: /edited/,
  },
  { run: 'get cm settings -o jsonpath={.data.speed}', out: /^30$/ },
  { run: 'replace -f -', input: MAP, out: /configmap\/settings replaced/ },

  { run: 'apply -f -', input: WIDGET, out: /widget\.acme\.io\/w1 created/ },
  { run: 'get widgets', out: /^NAME +SIZE +READY +AGE\nw1 +3 +/ },
  { run: 'get wg -o wide', out: /COLOR.*\n.*red/ },
  { run: 'apply -f -', input: WIDGET.replace('size: 3', 'size: 4'), out: /configured/ },
  { run: 'apply -f -', input: WIDGET.replace('size: 3', 'size: 40'), code: 1, err: /spec\.size: Invalid value/ },
  {
    run: 'apply -f -',
    input: WIDGET.replace('size: 3', 'sise: 3'),
    code: 1,
    err: /unknown field "spec\.sise"|strict decoding/,
  },
  { run: 'patch wg w1 --type=json -p [{"op":"replace","path":"/spec/size","value":5}]', out: /patched/ },
  {
    run: 'patch wg w1 --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
    out: /patched/,
  },
  { run: 'wait --for=condition=Ready wg/w1 --timeout=5s', out: /condition met/ },
  { run: 'wait --for=jsonpath={.spec.size}=5 wg/w1 --timeout=5s', out: /condition met/ },
  { run: 'wait --for=condition=Never wg/w1 --timeout=1s', code: 1, err: /timed out/ },
  { run: 'describe wg w1', out: /Size: +5/ },
  { run: 'edit wg w1', environment: { KUBE_EDITOR: `sed -i 's/size: .*/size: 6/'` }, out: /edited/ },
  { run: 'get wg w1 -o custom-columns=S:.spec.size,G:.metadata.generation', out: /^S +G\n6 +4\n$/ },
  { run: 'explain wg.spec.size', out: /FIELD: size <integer>/ },

  { run: 'apply -f -', input: POD, out: /pod\/web created/ },
  { run: 'get pods --field-selector spec.nodeName=edge-1 -o wide', out: /web +0\/1 +Pending +0 +\S+ +<none> +edge-1/ },
  { run: 'describe pod web', out: /Image: +nginx/ },
  { run: 'delete pod web --wait=false', out: /"web" deleted/ },
  { run: 'get pod web', out: /web +0\/1 +Terminating/ },
  { run: 'delete pod web --grace-period=0 --force', out: /deleted/ },

  { run: 'apply -f -', input: NODE, out: /node\/edge-9 created/ },
  { run: 'apply -f -', input: POD.replace('edge-1', 'edge-9'), out: /pod\/web created/ },
  { run: 'cordon edge-9', out: /node\/edge-9 cordoned/ },
  { run: 'get node edge-9', out: /edge-9 +Unknown,SchedulingDisabled/ },
  {
    run: 'wait --for=jsonpath={.spec.taints[0].key}=node.kubernetes.io/unschedulable node/edge-9',
    out: /condition met/,
  },
  { run: 'describe node edge-9', out: /Unschedulable: +true[\s\S]*default +web/ },
  { run: 'drain edge-9 --force --timeout=1s', code: 1, err: /waiting for pod "web"/ },
  { run: 'get pod web -o jsonpath={.status.conditions[0].reason}', out: /^EvictionByEvictionAPI$/ },
  { run: 'delete pod web --grace-period=0 --force', out: /deleted/ },
  { run: 'drain edge-9', out: /node\/edge-9 drained/ },
  { run: 'uncordon edge-9', out: /node\/edge-9 uncordoned/ },
  { run: 'delete node edge-9', out: /deleted/ },

  { run: 'get cm none', code: 1, err: /Error from server \(NotFound\): configmaps "none" not found/ },
  { run: 'get nothing', code: 1, err: /the server doesn't have a resource type "nothing"/ },
  { run: 'get events', err: /No resources found in default namespace/ },
  { run: 'delete wg w1 --wait', out: /deleted/ },
  { run: 'delete cm settings made', out: /"settings" deleted\nconfigmap "made" deleted/ },
  { run: 'create cm inside -n shop', out: /created/ },
  { run: 'delete namespace shop', out: /deleted/ },
  { run: 'get cm -n shop', err: /No resources found/ },
  { run: 'delete crd widgets.acme.io', out: /deleted/ },
]

describe('kubectl', { skip: needs('kubectl', 'sed') }, () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  for (const [position, each] of SESSION.entries()) {
    it(`${position + 1}. ${each.run}`, async () => check(each, await kubectl(api, each.run.split(' '), each)))
  }

  it('get --watch shows changes as they come', async () => {
    await kubectl(api, ['apply', '-f', '-'], { input: MAP })
    const ending = new AbortController()
    const acts = [
      () => kubectl(api, ['apply', '-f', '-'], { input: MAP_CHANGED }),
      () => kubectl(api, 'delete cm settings'.split(' ')),
      async () => ending.abort(),
    ]
    const seen: string[] = []
    await kubectl(api, 'get cm settings --watch --output-watch-events'.split(' '), {
      signal: ending.signal,
      onOut: (out) => {
        const lines = out.split('\n').slice(1, -1)
        for (const line of lines.slice(seen.length)) {
          seen.push(line.split(/ +/).slice(0, 2).join(' '))
          void acts.shift()?.()
        }
      },
    })
    assert.deepEqual(seen, ['ADDED settings', 'MODIFIED settings', 'DELETED settings'])
  })
})

function check({ code = 0, out, err }: Case, run: Run): void {
  assert.equal(run.code, code, `${run.out}\n${run.err}`)
  if (out) assert.match(run.out, out, run.err)
  if (err) assert.match(run.err, err, run.out)
}
