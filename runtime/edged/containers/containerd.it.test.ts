import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import type { Pod } from '../pod/pod.ts'
import { sandboxConfig } from '../sandbox/sandbox-config.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../testing/containerd.ts'
import { FACTS, podOf } from '../testing/pods.ts'
import { containerConfig } from './container-config.ts'
import { hugepageSizes } from './hugepage-sizes.ts'

const FOREVER = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done", '$(WHO)', '$$(WHO)']
const DNS = { servers: ['10.233.12.53'], searches: ['shop.example'], options: ['ndots:2'] }

/** Runs the container of a pod; what a script in it says, line by line. */
async function begin({ runtime, folder }: TestContainerd, pod: Pod, environment: ReadonlyMap<string, string>) {
  const [container] = pod.spec.containers
  const image = await runtime.imageStatus(TEST_IMAGE)
  assert.ok(container && image)
  const logDirectory = join(folder, 'logs', pod.uid)
  const of = { pod, attempt: 0, owner: 'test' }
  const sandboxSettings = sandboxConfig({ ...of, logDirectory, dns: DNS, nodeName: 'edge-1' })
  const sandbox = await runtime.runSandbox(sandboxSettings, '')
  const rest = { container, environment, mounts: [], image, facts: FACTS, logPath: 'app/0.log' }
  const sizes = await hugepageSizes()
  const id = await runtime.createContainer(
    sandbox,
    containerConfig({ ...of, ...rest, hugepageSizes: sizes }),
    sandboxSettings,
  )
  await runtime.startContainer(id)
  return {
    status: () => runtime.containerStatus(id),
    says: async (script: string) => {
      const { stdout, stderr } = await runtime.execSync(id, ['sh', '-c', script], seconds(20))
      return `${stdout}${stderr}`.trim().split('\n')
    },
  }
}

test('a real container is what its pod says', { skip: needsContainerd(), timeout: 180_000 }, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.12.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())

  await t.test('one that renounces what it does not need', async () => {
    const pod = podOf({
      ...{ hostname: 'desk', subdomain: 'hall', setHostnameAsFQDN: true },
      securityContext: {
        ...{ runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000] },
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '7' }],
      },
      containers: [
        {
          ...{ name: 'app', image: TEST_IMAGE, command: FOREVER, workingDir: '/tmp' },
          resources: { requests: { cpu: '250m', memory: '800Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
          securityContext: {
            ...{ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, runAsNonRoot: true },
            capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    })
    const { says, status } = await begin(containerd, pod, new Map([['WHO', 'grüß dich']]))
    assert.deepEqual(await says('id -u; id -g; id -G'), ['1000', '2000', '2000 3000 4000'])
    assert.deepEqual(await says('echo $WHO; pwd; hostname'), ['grüß dich', '/tmp', 'desk.hall.shop.svc.cluster.local'])
    assert.deepEqual(await says('cat /proc/1/cmdline | tr "\\0" "\\n" | tail -n 2'), ['grüß dich', '$(WHO)'])
    assert.deepEqual(await says('cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), ['7'])
    assert.deepEqual(await says('cat /proc/1/oom_score_adj'), ['896'])
    assert.match((await says('touch /x')).join(), /Read-only file system/)
    const kernel = (await says('cat /proc/self/status')).join('\n')
    assert.match(kernel, /^NoNewPrivs:\s+1$/m)
    assert.match(kernel, /^CapBnd:\s+0000000000000400$/m)
    assert.match(
      (await says('cat /etc/resolv.conf')).join(),
      /search shop\.example.*nameserver 10\.233\.12\.53.*ndots:2/,
    )
    const running = await status()
    assert.deepEqual(
      [running?.labels['skerry.io/owner'], running?.annotations['io.kubernetes.container.restartCount']],
      ['test', '0'],
    )
  })

  await t.test('one that is nearly the node', async () => {
    const spec = {
      ...{ hostNetwork: true, hostPID: true, hostIPC: true },
      containers: [{ name: 'app', image: TEST_IMAGE, command: FOREVER, securityContext: { privileged: true } }],
    }
    const { says } = await begin(containerd, podOf(spec, { uid: 'u-2', name: 'agent' }), new Map())
    assert.deepEqual(await says('hostname; id -u'), [hostname(), '0'])
    assert.deepEqual(await says('cat /proc/1/oom_score_adj >/dev/null && [ -e /dev/kmsg ] && echo devices'), [
      'devices',
    ])
    assert.match((await says('cat /proc/self/status')).join('\n'), /^Seccomp:\s+0$/m)
  })
})
