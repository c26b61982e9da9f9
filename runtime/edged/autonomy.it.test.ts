import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type JsonObject, podReports } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { listIn, numberIn, textIn } from './pod/json.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from './testing/containerd.ts'
import { EdgedBench } from './testing/edged-bench.ts'
import { processesOf } from './testing/power-off.ts'
import { tracesOf } from './testing/traces.ts'

const NEWER_IMAGE = 'skerry.test/busybox:2'
const STAYS = 'while :; do sleep 3600 & wait $!; done'
const LABELLED = { labels: { 'app-offline.kubeedge.io': 'autonomy' } }
const CONTENT = [{ name: 'settings' }, { name: 'till' }, { name: 'token' }, { name: 'desk' }]

describe('pods without the cloud', { skip: needsContainerd(), timeout: 120_000 }, () => {
  const folder = temporaryFolder()
  const directory = join(folder, 'edged')
  const diary = join(folder, 'diary')
  let containerd: TestContainerd
  let bench: EdgedBench

  before(async () => {
    mkdirSync(diary)
    containerd = await startContainerd({ subnet: '10.233.52.0/24' })
    await containerd.addImage({ name: NEWER_IMAGE, env: ['VERSION=2'] })
    bench = new EdgedBench({ runtime: containerd.socket, directory })
    bench.objects.set('shop/configmap/settings', { data: { greeting: 'hello' } })
    bench.objects.set('shop/secret/till', { data: { pin: Buffer.from('1234').toString('base64') } })
    await bench.start()
  })
  after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })

  /** A container, called like its pod, that writes each of its starts into the diary. */
  const pod = (name: string, script: string, spec: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, ...LABELLED },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [
        {
          ...{ name, image: TEST_IMAGE },
          command: ['sh', '-c', `trap 'exit 0' TERM; echo ${name} >> /diary/${name}; ${script}`],
          volumeMounts: [
            { name: 'diary', mountPath: '/diary' },
            ...CONTENT.map((each) => ({ ...each, mountPath: `/${each.name}` })),
          ],
          ...more,
        },
      ],
      volumes: [
        { name: 'diary', hostPath: { path: diary, type: 'Directory' } },
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'till', secret: { secretName: 'till' } },
        { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        { name: 'desk', emptyDir: { medium: 'Memory' } },
      ],
      ...spec,
    },
  })
  const ready = { readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 } }
  const pods = {
    web: pod(
      'web',
      `cat /settings/greeting /till/pin /token/token >> /diary/content; touch /desk/web; ${STAYS}`,
      {},
      ready,
    ),
    crash: pod('crash', `test -e /diary/crashed && ${STAYS}; touch /diary/crashed; exit 3`),
    job: pod('job', 'echo done > /dev/termination-log', { restartPolicy: 'OnFailure' }),
    late: pod('late', STAYS, { activeDeadlineSeconds: 1 }),
  }
  const starts = (name: string) => readFileSync(join(diary, name), 'utf8').trim().split('\n').length
  const container = (name: string) => containerOf(bench.report(`shop/${name}`)?.status)
  const isReady = (status: JsonObject) => containerOf(status).isReady
  /** What is said of those pods, but for the time it was said at. */
  const told = () => ['web', 'crash', 'job', 'late'].map((name) => bench.report(`shop/${name}`))

  const assignAll = async (restarts: { readonly web: number; readonly crash: number }) => {
    for (const each of Object.values(pods)) bench.assign(each)
    const isAgain = (status: JsonObject, least: number) => isReady(status) && containerOf(status).restarts === least
    await bench.reported('shop/web', ({ status }) => isAgain(status, restarts.web))
    await bench.reported('shop/crash', ({ status }) => isAgain(status, restarts.crash))
    await bench.phase('shop/job', 'Succeeded')
    await bench.reported('shop/late', ({ status }) => status['reason'] === 'DeadlineExceeded')
  }
  /** All that was to happen has happened: a new pod has come and gone. */
  const otherPod = async () => {
    bench.assign(pod('other', STAYS))
    await bench.reported('shop/other', ({ status }) => isReady(status))
    bench.unassign('shop/other')
    await bench.retracted('shop/other')
  }
  const rebooted = async (isDiskLost: boolean) => {
    const { objects } = bench
    await bench.stop()
    await containerd.reboot({ folders: [directory], isDiskLost })
    if (isDiskLost) await containerd.addImage({ name: NEWER_IMAGE, env: ['VERSION=2'] })
    bench = new EdgedBench({ runtime: containerd.socket, directory })
    for (const [key, object] of objects) bench.objects.set(key, object)
    bench.isCloudAway = true
  }

  it('run on while Edged is restarted, and are known again', async () => {
    await assignAll({ web: 0, crash: 1 })
    const before = told()
    await bench.stop()
    bench.events.length = 0
    const changes: string[] = []
    using _watch = bench.bus.watch(podReports, ({ key, value }) => {
      if (!isSame(value, before)) changes.push(`${key} ${JSON.stringify(value)}`)
    })
    changes.length = 0
    await bench.start()
    await otherPod()
    assert.deepEqual(told(), before)
    assert.deepEqual(
      changes.filter((each) => !each.startsWith('shop/other ')),
      [],
    )
    assert.deepEqual(
      bench.events.filter((event) => /web|crash|job|late|RuntimeMissing/.test(event)),
      [],
    )
    assert.deepEqual(['web', 'crash', 'job', 'late'].map(starts), [1, 2, 1, 1])
  })

  it('start again after a reboot: all but those that are done, and those that this node has ended', async () => {
    await rebooted(false)
    await bench.start()
    await assignAll({ web: 1, crash: 2 })
    await otherPod()
    assert.deepEqual(['web', 'crash', 'job', 'late'].map(starts), [2, 3, 1, 1])
    assert.equal(readFileSync(join(diary, 'content'), 'utf8'), 'hello1234token of default for '.repeat(2))
    assert.equal(container('job').message, 'done\n')
  })

  it('start again where the runtime has forgotten them all', async () => {
    await rebooted(true)
    await bench.start()
    await assignAll({ web: 2, crash: 3 })
    await otherPod()
    assert.deepEqual(['web', 'crash', 'job', 'late'].map(starts), [3, 4, 1, 1])
    assert.equal(container('job').message, 'done\n')
  })

  it('are started again by their policy when they fail', async () => {
    const { restarts } = container('web')
    await killed(containerd, 'web')
    await bench.reported('shop/web', ({ status }) => isReady(status) && containerOf(status).restarts === restarts + 1)
    assert.equal(starts('web'), 4)
  })

  it('become what the cloud made of them meanwhile, and no other one is touched', async () => {
    bench.assign(pod('replaced', STAYS))
    bench.assign(pod('deleted', STAYS))
    bench.assign(pod('changed', STAYS))
    for (const name of ['replaced', 'deleted', 'changed'])
      await bench.reported(`shop/${name}`, ({ status }) => isReady(status))
    const [before, web] = [told(), container('web')]
    bench.isCloudAway = false
    for (const each of Object.values(pods)) bench.assign(each)
    const successor = pod('replaced', STAYS)
    bench.assign({ ...successor, metadata: { name: 'replaced', namespace: 'shop', uid: 'uid-of-another' } })
    bench.assign({
      ...pod('deleted', STAYS),
      metadata: {
        name: 'deleted',
        namespace: 'shop',
        uid: 'uid-of-deleted',
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 2,
      },
    })
    bench.assign(pod('changed', STAYS, {}, { image: NEWER_IMAGE }))
    await bench.reported('shop/replaced', ({ uid, status }) => uid === 'uid-of-another' && isReady(status))
    await bench.reported('shop/deleted', ({ isFinished }) => isFinished === true)
    await bench.reported('shop/changed', ({ status }) => isReady(status) && containerOf(status).restarts === 1)
    assert.equal(container('changed').image, NEWER_IMAGE)
    assert.deepEqual([told(), container('web')], [before, web])
    assert.deepEqual(
      ['web', 'crash', 'job', 'late', 'replaced', 'deleted', 'changed'].map(starts),
      [4, 4, 1, 1, 2, 1, 2],
    )
    const uids = new Set((await containerd.runtime.listSandboxes()).map(({ metadata }) => metadata.uid))
    assert.deepEqual(
      [uids.has('uid-of-another'), uids.has('uid-of-replaced'), uids.has('uid-of-deleted')],
      [true, false, false],
    )
  })

  it('leave nothing behind once nobody wants them', async () => {
    const names = [...Object.keys(pods), 'replaced', 'deleted', 'changed']
    for (const name of names) bench.unassign(`shop/${name}`)
    for (const name of names) await bench.retracted(`shop/${name}`)
    // Addresses of a runtime that has lost its disk are known to nobody, and logs are left to those who collect them.
    const traces = await tracesOf(containerd, { prefix: '10.233.52.' }, directory)
    assert.deepEqual(
      traces.filter((trace) => !/^(lease|log folder) /.test(trace)),
      [],
    )
  })
})

function containerOf(status: JsonObject | undefined) {
  const [container] = listIn(status, 'containerStatuses')
  const state = Reflect.get(Object(container), 'state')
  return {
    id: textIn(container, 'containerID'),
    image: textIn(container, 'image'),
    restarts: numberIn(container, 'restartCount') ?? -1,
    isReady: Reflect.get(Object(container), 'ready') === true,
    message: textIn(Reflect.get(Object(state), 'terminated'), 'message'),
  }
}

function isSame(report: unknown, reports: readonly unknown[]): boolean {
  return reports.some((each) => JSON.stringify(each) === JSON.stringify(report))
}

/** Ends the process of a pod's container as a crash does. */
async function killed({ socket }: TestContainerd, name: string): Promise<void> {
  const found = (await processesOf(socket)).find(({ command }) => command.includes(`echo ${name} >>`))
  assert.ok(found)
  process.kill(found.pid, 'SIGKILL')
}
