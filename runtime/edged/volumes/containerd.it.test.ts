import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { createContainerFiles } from './container-files/container-files.ts'
import { configMap, FACTS, NEVER, podWith, realStage, secret } from './testing/volumes-stage.ts'

const SCRIPT = "trap 'echo done > /dev/termination-log; exit 0' TERM; while :; do sleep 1 & wait $!; done"

test('containers of a real runtime find their volumes, see news in them, and leave nothing mounted', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.17.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())
  const { runtime } = containerd
  const stage = realStage()
  const files = createContainerFiles({ places: stage.places })
  stage.configMaps.set('shop/settings', configMap({ 'app.conf': 'x=1', 'run.sh': 'echo ran' }))
  stage.secrets.set('shop/login', secret({ user: 'till' }))
  const volumeMounts = [
    { name: 'settings', mountPath: '/settings' },
    { name: 'settings', mountPath: '/etc/app.conf', subPath: 'app.conf' },
    { name: 'login', mountPath: '/login' },
    { name: 'data', mountPath: '/data' },
    { name: 'data', mountPath: '/logs', subPathExpr: 'logs/$(POD)' },
    { name: 'fast', mountPath: '/fast' },
  ]
  const pod = podWith(
    [
      { name: 'settings', configMap: { name: 'settings', defaultMode: 0o755 } },
      { name: 'login', secret: { secretName: 'login' } },
      { name: 'data', emptyDir: {} },
      { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '64Ki' } },
    ],
    { securityContext: { fsGroup: 2000 }, hostAliases: [{ ip: '10.1.1.1', hostnames: ['db'] }] },
    { volumeMounts },
  )
  const [app] = pod.spec.containers
  assert.ok(app)
  await stage.volumes.prepare(pod, FACTS, NEVER)
  const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const
  const sandboxConfig = {
    metadata: { name: 'till', uid: 'u-1', namespace: 'shop', attempt: 0 },
    linux: { securityContext: { namespaceOptions } },
  }
  const sandbox = await runtime.runSandbox(sandboxConfig, '')
  const mounts = [
    ...(await stage.volumes.mountsOf(pod, app, new Map([['POD', 'till']]))),
    ...(await files.mountsOf(pod, app, 0, FACTS)),
  ]
  const securityContext = { namespaceOptions, runAsUser: { value: 1000 }, supplementalGroups: [2000] }
  const container = await runtime.createContainer(
    sandbox,
    {
      ...{ metadata: { name: 'app', attempt: 0 }, image: { image: TEST_IMAGE }, command: ['sh', '-c', SCRIPT], mounts },
      linux: { securityContext },
    },
    sandboxConfig,
  )
  await runtime.startContainer(container)
  const sh = async (script: string) => {
    const { stdout, stderr } = await runtime.execSync(container, ['sh', '-c', script], seconds(30))
    return `${stdout}${stderr}`.trim()
  }
  // As a user who is not root, by its group.
  assert.equal(await sh('cat /settings/app.conf /etc/app.conf /login/user; /settings/run.sh'), 'x=1x=1tillran')
  assert.match(await sh('echo x > /settings/new'), /Read-only file system/)
  assert.match(await sh('echo x > /login/user'), /Read-only file system|Permission denied/)
  assert.equal(await sh('echo a > /data/x; echo b > /logs/y; cat /data/x /data/logs/till/y'), 'a\nb')
  assert.equal(await sh('stat -c "%a %g" /data /data/x /data/logs/till | tr "\\n" " "'), '2777 2000 644 2000 2777 2000')
  assert.match(await sh('dd if=/dev/zero of=/fast/x bs=1k count=100'), /No space left/)
  assert.match(await sh('cat /etc/hosts'), /^10\.88\.0\.2\ttill$.*^10\.1\.1\.1\tdb$/ms)

  stage.configMaps.set('shop/settings', configMap({ 'app.conf': 'x=2' }))
  stage.secrets.set('shop/login', secret({ user: 'other' }))
  await stage.volumes.refresh(pod, FACTS, NEVER)
  // A part that is mounted alone stays as it was when its container started, as with a kubelet.
  assert.equal(await sh('cat /settings/app.conf /etc/app.conf /login/user; ls /settings'), 'x=2x=1otherapp.conf')

  await runtime.stopContainer(container, seconds(20))
  assert.equal(await files.lastWords(pod, 'app', 0), 'done\n')
  await runtime.removeContainer(container)
  await runtime.stopSandbox(sandbox)
  await runtime.removeSandbox(sandbox)
  await stage.volumes.remove('u-1')
  assert.deepEqual([await stage.volumes.present(), await stage.mounts.under(stage.folder)], [[], []])
})
