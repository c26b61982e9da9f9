import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { minutes } from '../../platform/time/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { objectAt } from '../kube/object/index.ts'
import { type KubectlOptions, kubectl } from './testing/kubectl.ts'
import { playNodes } from './testing/played-nodes.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

interface Case extends KubectlOptions {
  readonly run: string
  /** Default 0. */
  readonly code?: number
  readonly out?: RegExp
  readonly err?: RegExp
}

const AGENT = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: main, image: "agent:1"}]
`
const INDEXED = `apiVersion: batch/v1
kind: Job
metadata: {name: parts}
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "job:1"}]
`
const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: web}}
`

const wait = (what: string, jsonpath: string) => `wait ${what} --for=jsonpath=${jsonpath} --timeout=20s`

const DEPLOYMENT: readonly Case[] = [
  { run: 'create deployment web --image=nginx:1 --replicas=3', out: /deployment\.apps\/web created/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /deployment "web" successfully rolled out/ },
  { run: 'get deploy', out: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +3\/3 +3 +3 +\d+s\n$/ },
  { run: 'get deploy -o wide', out: /CONTAINERS +IMAGES +SELECTOR\n.*nginx +nginx:1 +app=web\n$/ },
  { run: 'get rs', out: /^NAME +DESIRED +CURRENT +READY +AGE\nweb-[a-z0-9]+ +3 +3 +3 +\d+s\n$/ },
  { run: 'get rs -o wide', out: /app=web,pod-template-hash=[a-z0-9]+\n$/ },
  { run: 'get pods -o wide', out: /(web-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running +0 +\d+s +<none> +edge-[123] .*\n){3}/ },
  { run: 'wait deploy/web --for=condition=Available --timeout=5s', out: /condition met/ },
  {
    run: 'describe deploy web',
    out: /NewReplicaSet: +web-[a-z0-9]+ \(3\/3 replicas created\)\nEvents:[\s\S]*ScalingReplicaSet[\s\S]*Scaled up replica set web-[a-z0-9]+ from 0 to 3/,
  },
  {
    run: 'get pods -l app=web -o jsonpath={.items[*].metadata.ownerReferences[*].kind}',
    out: /^ReplicaSet ReplicaSet ReplicaSet$/,
  },

  { run: 'scale deploy/web --replicas=5', out: /scaled/ },
  { run: wait('deploy/web', '{.status.availableReplicas}=5'), out: /condition met/ },
  { run: 'scale deploy/web --replicas=2 --current-replicas=5', out: /scaled/ },
  { run: wait('deploy/web', '{.status.replicas}=2'), out: /condition met/ },

  { run: 'annotate deploy web kubernetes.io/change-cause=first', out: /annotated/ },
  { run: 'set image deploy/web nginx=nginx:2', out: /image updated/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  { run: 'get deploy web -o jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}', out: /^2$/ },
  { run: 'rollout history deploy/web', out: /REVISION +CHANGE-CAUSE\n1 +first\n2 +first\n/ },
  { run: 'rollout history deploy/web --revision=1', out: /Image:\s+nginx:1/ },
  { run: 'rollout undo deploy/web', out: /rolled back/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  { run: 'get deploy web -o jsonpath={.spec.template.spec.containers[0].image}', out: /^nginx:1$/ },
  { run: 'rollout history deploy/web', out: /\n2 .*\n3 .*\n/ },
  { run: 'rollout undo deploy/web --to-revision=2', out: /rolled back/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  { run: 'get deploy web -o jsonpath={.spec.template.spec.containers[0].image}', out: /^nginx:2$/ },

  { run: 'rollout pause deploy/web', out: /paused/ },
  { run: 'set image deploy/web nginx=nginx:3', out: /image updated/ },
  {
    run: wait('deploy/web', '{.status.conditions[?(@.type=="Progressing")].reason}=DeploymentPaused'),
    out: /condition met/,
  },
  { run: 'get rs -o jsonpath={.items[*].spec.template.spec.containers[0].image}', out: /^(?!.*nginx:3)/ },
  { run: 'rollout resume deploy/web', out: /resumed/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  { run: 'get pods -l app=web -o jsonpath={.items[*].spec.containers[0].image}', out: /^nginx:3 nginx:3$/ },
  { run: 'rollout restart deploy/web', out: /restarted/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  { run: 'get deploy web -o jsonpath={.spec.template.metadata.annotations}', out: /restartedAt/ },

  { run: 'set image deploy/web nginx=never', out: /image updated/ },
  { run: 'rollout status deploy/web --timeout=2s', code: 1, err: /timed out/ },
  { run: 'get deploy web', out: /web +2\/2 +1 +2 / },
  { run: 'rollout undo deploy/web', out: /rolled back/ },
  { run: 'rollout status deploy/web --timeout=20s', out: /successfully rolled out/ },
  {
    run: 'patch deploy web -p {"spec":{"selector":{"matchLabels":{"x":"y"}}}}',
    code: 1,
    err: /spec\.selector: Invalid value: .*field is immutable/,
  },
]

const NODES: readonly Case[] = [
  { run: 'create deployment big --image=nginx:1 --replicas=1 --dry-run=client -o yaml', out: /kind: Deployment/ },
  { run: 'cordon edge-3', out: /cordoned/ },
  { run: 'drain edge-3 --ignore-daemonsets --delete-emptydir-data --timeout=20s', out: /drained/ },
  { run: wait('deploy/web', '{.status.availableReplicas}=2'), out: /condition met/ },
  { run: 'get pods -l app=web -o jsonpath={.items[*].spec.nodeName}', out: /^edge-[12] edge-[12]$/ },
  { run: 'uncordon edge-3', out: /uncordoned/ },
  { run: 'create -f -', input: BUDGET, out: /poddisruptionbudget\.policy\/web created/ },
  { run: wait('pdb/web', '{.status.expectedPods}=2'), out: /condition met/ },
  { run: 'get pdb', out: /NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +2 +N\/A +0 / },
  {
    run: 'drain edge-1 edge-2 --timeout=1s',
    code: 1,
    err: /Cannot evict pod as it would violate the pod's disruption budget/,
  },
  { run: 'uncordon edge-1 edge-2', out: /uncordoned/ },
  { run: 'delete pdb web', out: /deleted/ },
  { run: `run picky --image=nginx:1 --overrides={"spec":{"nodeSelector":{"gpu":"yes"}}}`, out: /created/ },
  { run: wait('pod/picky', '{.status.conditions[0].reason}=Unschedulable'), out: /condition met/ },
  {
    run: 'describe pod picky',
    out: /FailedScheduling.*default-scheduler +0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector\./,
  },
  { run: 'get pod picky', out: /picky +0\/1 +Pending/ },
  { run: 'label node edge-2 gpu=yes', out: /labeled/ },
  { run: 'wait pod/picky --for=condition=Ready --timeout=20s', out: /condition met/ },
  { run: 'get pod picky -o jsonpath={.spec.nodeName}', out: /^edge-2$/ },
  { run: 'delete pod picky', out: /deleted/ },
]

const DELETION: readonly Case[] = [
  { run: 'delete deploy web --cascade=orphan', out: /deleted/ },
  { run: 'get deploy', err: /No resources found/ },
  { run: 'get pods -l app=web -o name', out: /^(pod\/web-\S+\n){2}$/ },
  { run: 'get rs -l app=web -o jsonpath={.items[*].metadata.ownerReferences}', out: /^$/ },
  { run: 'delete rs -l app=web --cascade=foreground', out: /deleted/ },
  { run: 'get rs,pods -l app=web', err: /No resources found/ },
  { run: 'create deployment gone --image=nginx:1 --replicas=2', out: /created/ },
  { run: 'rollout status deploy/gone --timeout=20s', out: /successfully rolled out/ },
  { run: 'delete deploy gone', out: /deleted/ },
  { run: 'wait pods -l app=gone --for=delete --timeout=20s' },
  { run: 'get rs -l app=gone', err: /No resources found/ },
]

const DAEMONS: readonly Case[] = [
  { run: 'apply -f -', input: AGENT, out: /daemonset\.apps\/agent created/ },
  { run: 'rollout status ds/agent --timeout=20s', out: /daemon set "agent" successfully rolled out/ },
  {
    run: 'get ds',
    out: /^NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nagent +3 +3 +3 +3 +3 +<none> +\d+s\n$/,
  },
  { run: 'apply -f -', input: AGENT.replace('agent:1', 'agent:2'), out: /configured/ },
  { run: 'rollout status ds/agent --timeout=20s', out: /successfully rolled out/ },
  { run: 'rollout history ds/agent', out: /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/ },
  { run: 'get controllerrevisions', out: /agent-[a-z0-9]+ +daemonset\.apps\/agent +2 +\d+s/ },
  { run: 'rollout undo ds/agent', out: /rolled back/ },
  { run: 'rollout status ds/agent --timeout=20s', out: /successfully rolled out/ },
  { run: 'get ds agent -o jsonpath={.spec.template.spec.containers[0].image}', out: /^agent:1$/ },
  { run: 'delete node edge-3', out: /deleted/ },
  { run: wait('ds/agent', '{.status.desiredNumberScheduled}=2'), out: /condition met/ },
  { run: 'drain edge-2 --timeout=10s', code: 1, err: /DaemonSet-managed Pods/ },
  { run: 'drain edge-2 --ignore-daemonsets --timeout=20s', out: /drained/ },
  { run: 'get ds agent', out: /agent +2 +2 +2 / },
  { run: 'uncordon edge-2', out: /uncordoned/ },
  { run: 'delete ds agent', out: /deleted/ },
]

const JOBS: readonly Case[] = [
  { run: 'create job sum --image=job:1', out: /job\.batch\/sum created/ },
  { run: 'wait job/sum --for=condition=Complete --timeout=20s', out: /condition met/ },
  { run: 'get jobs', out: /^NAME +STATUS +COMPLETIONS +DURATION +AGE\nsum +Complete +1\/1 +\d+s +\d+s\n$/ },
  {
    run: 'describe job sum',
    out: /Completions: +1[\s\S]*Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed[\s\S]*(Completed|SuccessfulCreate) +\d+s +job-controller/,
  },
  { run: 'get pods -l job-name=sum', out: /sum-[a-z0-9]{5} +0\/1 +Completed/ },
  { run: 'create -f -', input: INDEXED, out: /created/ },
  { run: 'wait job/parts --for=condition=Complete --timeout=20s', out: /condition met/ },
  { run: 'get job parts -o jsonpath={.status.completedIndexes}', out: /^0-2$/ },
  {
    run: 'patch job parts -p {"spec":{"completionMode":"NonIndexed"}}',
    code: 1,
    err: /spec\.completionMode: Invalid value: "NonIndexed": field is immutable/,
  },
  { run: 'create job always --image=job:1 --dry-run=client -o name', out: /job\.batch\/always/ },
  { run: 'create job bad --image=fail', out: /created/ },
  { run: wait('job/bad', '{.status.failed}=1'), out: /condition met/ },
  { run: 'delete job sum parts bad', out: /deleted/ },
  { run: 'wait pods -l job-name --for=delete --timeout=20s' },
  { run: 'get all', out: /service\/kubernetes|^$/ },
]

describe('workloads with kubectl', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  let nodes: Disposable
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    // The nodes that are played renew no lease.
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { nodeGrace: minutes(60) })
    nodes = await playNodes(api, ['edge-1', 'edge-2', 'edge-3'], (pod) => {
      const containers = JSON.stringify(objectAt(pod, 'spec')['containers'])
      if (containers.includes('"never"')) return 'ignore'
      if (containers.includes('"fail"')) return 'fail'
      return containers.includes('"job:1"') ? 'succeed' : 'run'
    })
  })
  after(async () => {
    nodes[Symbol.dispose]()
    for (const release of cleanups) await release()
  })
  for (const [position, each] of [...DEPLOYMENT, ...NODES, ...DELETION, ...DAEMONS, ...JOBS].entries()) {
    const { run, code = 0, out, err } = each
    it(`${position + 1}. ${run}`, async () => {
      const found = await kubectl(api, run.split(' '), each)
      assert.equal(found.code, code, `${found.out}\n${found.err}`)
      if (out) assert.match(found.out, out, found.err)
      if (err) assert.match(found.err, err, found.out)
    })
  }
})
