import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { needsContainerd, TEST_IMAGE } from '../../edged/testing/containerd.ts'
import { type PodsUp, pod, STAYS, shell, startPodsUp } from '../testing/pods-up.ts'
import { eventually } from '../testing/run.ts'

const NEXT_IMAGE = 'skerry.test/busybox:2'
const PHASE = (phase: string) => `jsonpath={.status.phase}=${phase}`
const STATE = (path: string, value: string) => `jsonpath={.status.containerStatuses[0].${path}}=${value}`
const WAITS = (reason: string) => STATE('state.waiting.reason', reason)

const object = (kind: string, name: string, more: JsonObject): JsonObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : ['Deployment', 'DaemonSet'].includes(kind) ? 'apps/v1' : 'v1',
  ...{ kind, metadata: { name }, ...more },
})
const template = (name: string): JsonObject => ({
  selector: { matchLabels: { app: name } },
  template: {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 1, containers: [shell('app', STAYS)] },
  },
})
const exec = (...command: readonly string[]) => ({ exec: { command }, periodSeconds: 1, timeoutSeconds: 10 })

describe('pods of skerry up on a containerd', { skip: needsContainerd() || needs('kubectl') }, () => {
  let cluster: PodsUp

  before(async () => {
    cluster = await startPodsUp('10.233.51.0/24')
    await cluster.containerd.addImage({ name: NEXT_IMAGE, cmd: ['/bin/sh'] })
  })

  after(() => cluster[Symbol.asyncDispose]())

  it('are told what they ask for, share volumes, and see a changed ConfigMap', async () => {
    const { apply, wait, kubectl } = cluster
    const from = (name: string, valueFrom: JsonObject) => ({ name, valueFrom })
    const mounts = [
      { name: 'shared', mountPath: '/shared' },
      { name: 'settings', mountPath: '/etc/app' },
    ]
    const told = pod('told', {
      restartPolicy: 'Never',
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'settings', configMap: { name: 'settings' } },
      ],
      initContainers: [
        shell('first', 'echo made > /shared/first', { volumeMounts: mounts }),
        shell('beside', `echo beside > /shared/beside; ${STAYS}`, {
          ...{ restartPolicy: 'Always', volumeMounts: mounts },
          startupProbe: { ...exec('stat', '/shared/beside'), failureThreshold: 30 },
        }),
      ],
      containers: [
        shell('app', 'echo $GREETING $PASSWORD $NAME $CPU $(cat /shared/* /etc/app/greeting) >/dev/termination-log', {
          env: [
            from('GREETING', { configMapKeyRef: { name: 'settings', key: 'greeting' } }),
            from('PASSWORD', { secretKeyRef: { name: 'login', key: 'password' } }),
            from('NAME', { fieldRef: { fieldPath: 'metadata.name' } }),
            from('CPU', { resourceFieldRef: { resource: 'limits.cpu' } }),
          ],
          resources: { limits: { cpu: '1500m', memory: '32Mi' } },
          volumeMounts: mounts,
        }),
      ],
    })
    const live = pod('live', {
      volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
      containers: [
        shell('app', STAYS, {
          volumeMounts: [{ name: 'settings', mountPath: '/etc/app' }],
          readinessProbe: exec('sh', '-c', '[ "$(cat /etc/app/greeting)" = goodbye ]'),
        }),
      ],
    })
    const settings = object('ConfigMap', 'settings', { data: { greeting: 'hello' } })
    await apply(settings, object('Secret', 'login', { stringData: { password: 's3cret' } }), told, live)

    await wait('pod/told', PHASE('Succeeded'))
    const described = await kubectl('describe', 'pod', 'told')
    assert.match(described, /Message: +hello s3cret told 2 beside made hello$/m)
    for (const event of ['Scheduled', 'Pulled', 'Created', 'Started'])
      assert.match(described, new RegExp(`Normal +${event} `))
    assert.equal(described.match(/ Killing .*/g)?.length, 1)
    assert.doesNotMatch(described, /Killing .*\(x\d/)
    assert.match(
      await kubectl('get', 'pod', 'told', '-o', 'wide'),
      /told +0\/2 +Completed +0 .* 10\.233\.51\.\d+ +edge-1 /,
    )

    await wait('pod/live', PHASE('Running'))
    assert.match(await kubectl('get', 'pod', 'live'), /live +0\/1 +Running/)
    await kubectl('patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"greeting":"goodbye"}}')
    await wait('pod/live', 'condition=Ready')
  })

  it('say in the words of Kubernetes why they do not run, and run when that is mended', async () => {
    const { apply, wait, kubectl } = cluster
    await apply(
      pod('crash', { containers: [shell('app', 'exit 3')] }),
      pod('hungry', {
        restartPolicy: 'Never',
        containers: [
          {
            ...{
              name: 'app',
              image: TEST_IMAGE,
              command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'],
            },
            resources: { limits: { memory: '32Mi' } },
          },
        ],
      }),
      pod('nowhere', { containers: [{ name: 'app', image: '127.0.0.1:1/nowhere:1' }] }),
      pod('needy', { containers: [shell('app', STAYS, { envFrom: [{ configMapRef: { name: 'later' } }] })] }),
      pod('modest', {
        containers: [shell('app', STAYS, { envFrom: [{ configMapRef: { name: 'never', optional: true } }] })],
      }),
      pod('sick', {
        containers: [shell('app', STAYS, { livenessProbe: { ...exec('false'), failureThreshold: 1 } })],
      }),
      pod('claims', {
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        containers: [shell('app', STAYS)],
      }),
      pod('web', {
        containers: [
          shell('app', `echo hi > /www/index.html; httpd -p 8080 -h /www; ${STAYS}`, {
            ports: [{ containerPort: 8080, hostPort: 18951 }],
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 },
          }),
        ],
      }),
    )
    await wait('pod/web', 'condition=Ready')
    assert.equal(await (await fetch('http://127.0.0.1:18951/')).text(), 'hi\n')

    await wait('pod/crash', WAITS('CrashLoopBackOff'), STATE('lastState.terminated.exitCode', '3'))
    const crash = await kubectl('describe', 'pod', 'crash')
    assert.match(crash, /Warning +BackOff .* Back-off restarting failed container app in pod crash_default\(/)
    assert.match(crash, /Restart Count: +[1-9]/)

    await wait('pod/hungry', STATE('state.terminated.reason', 'OOMKilled'), PHASE('Failed'))
    await wait('pod/nowhere', WAITS('ImagePullBackOff'))
    // Events of one second stand in any order.
    const nowhere = await kubectl('describe', 'pod', 'nowhere')
    assert.match(nowhere, /Failed to pull image "127\.0\.0\.1:1\/nowhere:1": /)
    assert.match(nowhere, /Warning +Failed .* Error: ErrImagePull/)

    await wait('pod/claims', 'jsonpath={.status.reason}=NotSupported')
    const claims = await kubectl('describe', 'pod', 'claims')
    assert.match(claims, /Message: +spec\.volumes\[0\]\.persistentVolumeClaim is not supported on this node/)
    assert.match(claims, /Warning +NotSupported .* spec\.volumes\[0\]\.persistentVolumeClaim is not supported/)

    await wait('pod/needy', WAITS('CreateContainerConfigError'))
    assert.match(await kubectl('describe', 'pod', 'needy'), /Error: configmap "later" not found/)
    await kubectl('create', 'configmap', 'later', '--from-literal=A=1')
    await wait('pod/needy', 'condition=Ready')
    await wait('pod/modest', 'condition=Ready')

    await wait('pod/sick', WAITS('CrashLoopBackOff'))
    const sick = await kubectl('describe', 'pod', 'sick')
    assert.match(sick, /Warning +Unhealthy .* Liveness probe failed:/)
    assert.match(sick, /Killing .* Container app failed liveness probe, will be restarted/)

    await kubectl('delete', 'pod', 'crash', 'nowhere', 'claims', 'sick', '--force')
    assert.doesNotMatch(await kubectl('get', 'pods'), /crash|nowhere|claims|sick/)
  })

  it('come from Jobs, Deployments, DaemonSets and files, and leave a node that is drained', async () => {
    const { apply, wait, kubectl, tried } = cluster
    const job = (command: string) => ({
      backoffLimit: 0,
      template: {
        spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: TEST_IMAGE, command: [command] }] },
      },
    })
    await writeFile(
      join(cluster.files, 'standing.yaml'),
      JSON.stringify(pod('standing', { containers: [shell('app', STAYS)] })),
    )
    await apply(
      object('Job', 'counts', { spec: job('true') }),
      object('Job', 'fails', { spec: job('false') }),
      object('DaemonSet', 'agent', { spec: template('agent') }),
      object('Deployment', 'shop', { spec: { replicas: 1, ...template('shop') } }),
    )
    const rolled = () => kubectl('rollout', 'status', 'deployment/shop', '--timeout=60s')
    await wait('job/counts', 'condition=Complete')
    await wait('job/fails', 'condition=Failed')
    await rolled()
    await kubectl('scale', 'deployment/shop', '--replicas=2')
    await rolled()
    await kubectl('set', 'image', 'deployment/shop', `app=${NEXT_IMAGE}`)
    assert.match(await rolled(), /successfully rolled out/)
    await kubectl('rollout', 'undo', 'deployment/shop')
    await rolled()
    assert.match(await kubectl('get', 'deployment', 'shop', '-o', 'wide'), /shop +2\/2 +2 +2 .*busybox:1/)
    await kubectl('rollout', 'status', 'daemonset/agent', '--timeout=60s')
    await wait('pod/standing-edge-1', 'condition=Ready')

    const node = await kubectl('describe', 'node', 'edge-1')
    for (const words of [
      /Container Runtime Version: +containerd:\/\/\S+/,
      /^ {2}pods: +110$/m,
      /^ {2}memory: +\d+Ki$/m,
    ])
      assert.match(node, words)
    assert.match(await kubectl('get', 'node', 'edge-1', '-o', 'jsonpath={.status.images[*].names}'), /busybox:1/)

    const options = ['--ignore-daemonsets', '--force', '--delete-emptydir-data', '--timeout=60s']
    const drained = await tried('drain', 'edge-1', ...options)
    assert.equal(drained.code, 0, drained.stderr)
    assert.match(drained.stdout, /node\/edge-1 drained/)
    assert.match(await kubectl('get', 'node', 'edge-1'), /Ready,SchedulingDisabled/)
    const left = await kubectl('get', 'pods', '--field-selector=status.phase=Running', '-o', 'name')
    assert.match(left, /^pod\/agent-\w+\npod\/standing-edge-1\n$/)
    assert.match(await kubectl('get', 'pods'), /shop-\S+ +0\/1 +Pending/)

    await kubectl('uncordon', 'edge-1')
    await rolled()
    await kubectl('delete', 'deployment/shop', 'daemonset/agent', '--cascade=foreground', '--timeout=60s')
    await eventually('only the pod from a file is left', async () => {
      const left = (await kubectl('get', 'pods', '-o', 'name')).trim()
      if (left !== 'pod/standing-edge-1') throw new Error(left)
      return true
    })
    const names = (await cluster.containerd.runtime.listSandboxes()).map(({ metadata }) => metadata.name)
    assert.deepEqual(names, ['standing-edge-1'])
  })
})
