import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Kubernetes, kubernetesFromConfig, PODS } from '../../hub/cloud/kubernetes/index.ts'
import { silentLogger as log } from '../../platform/log/index.ts'
import { systemClock as clock } from '../../platform/time/index.ts'
import { Fleet, type Half } from '../../runtime/process/testing/fleet.ts'
import { eventually } from '../../runtime/process/testing/run.ts'
import { share, sorted } from '../hub/figures.ts'
import { undoLater } from '../hub/undo.ts'
import { row, wait } from '../print.ts'
import { cpuSeconds, residentMb } from '../running-edge.ts'
import { BareRuntime } from './bare.ts'
import { NAMESPACE, podManifest } from './manifests.ts'
import { PodWatch } from './pod-watch.ts'
import { millisecondsOf, openContainerd } from './stage.ts'

const EDGE = 'edge-1'
const ONE_BY_ONE = 10
const RESIDENTS = 30
const SETTLING_MS = 12_000
/** Without pods, and with them. */
const IDLE_MS = { empty: 15_000, full: 30_000 }
const PATIENCE_MS = 120_000

/** `skerry cloud` and `skerry edge` as people run them: a pod from the API to Running in the API, and what 30 pods cost the edge. */
export async function measureNode(): Promise<void> {
  const { containerd, folder } = await openContainerd()
  const bare = new BareRuntime(containerd.runtime, folder)
  const fleet = await Fleet.start()
  undoLater(() => fleet[Symbol.asyncDispose]())
  const text = await readFile(join(fleet.cloud.directory, 'kubeconfig'), 'utf8')
  const kubernetes = await kubernetesFromConfig({ text }, { clock, log })
  undoLater(async () => kubernetes[Symbol.dispose]())
  const edge = await fleet.join(EDGE, undefined, { edged: { runtime: containerd.socket } })
  await eventually('the edge is connected', async () => {
    if ((await edge.metric('skerry_edgehub_connected')) !== 1) throw new Error('it is not')
    if ((await edge.metric('skerry_edged_runtime_up')) !== 1) throw new Error('it has no container runtime')
    return true
  })
  await wait(SETTLING_MS)
  const empty = await usageOf(edge, IDLE_MS.empty)
  await using watch = await PodWatch.open(kubernetes, NAMESPACE)
  await wholeWay(kubernetes, watch, bare)
  for (let index = 0; index < RESIDENTS; index++) await create(kubernetes, watch, `resident-${index}`)
  await wait(SETTLING_MS)
  const full = await usageOf(edge, IDLE_MS.full)
  show(empty, full)
}

async function wholeWay(kubernetes: Kubernetes, watch: PodWatch, bare: BareRuntime): Promise<void> {
  const [wholeTimes, bareTimes]: [number[], number[]] = [[], []]
  for (let index = -1; index < ONE_BY_ONE; index++) {
    const name = `whole-${index + 1}`
    const whole = await millisecondsOf(() => create(kubernetes, watch, name))
    await kubernetes.delete(PODS, { namespace: NAMESPACE, name })
    await watch.gone(name, PATIENCE_MS)
    const start = await bare.prepare(name)
    const begin = performance.now()
    const pod = await start()
    const time = performance.now() - begin
    await bare.remove(pod)
    if (index < 0) continue
    wholeTimes.push(whole)
    bareTimes.push(time)
  }
  const [whole, alone] = [sorted('pods', wholeTimes, ONE_BY_ONE), sorted('bare', bareTimes, ONE_BY_ONE)]
  const at = (part: number) => share(whole, part).toFixed(0)
  const beside = `${(share(whole, 0.5) / share(alone, 0.5)).toFixed(2)} of bare, ${ONE_BY_ONE} pods`
  row('API, hub, edge, containerd and back: Running in a watch', `p50 ${at(0.5)} p90 ${at(0.9)} ms`, beside)
}

async function create(kubernetes: Kubernetes, watch: PodWatch, name: string): Promise<void> {
  const running = watch.running(name, PATIENCE_MS)
  await kubernetes.create(PODS, NAMESPACE, podManifest(name, { nodeName: EDGE }))
  await running
}

interface Usage {
  readonly residentMb: number
  /** Of a core. */
  readonly cpuPercent: number
  /** A second, by method. */
  readonly calls: ReadonlyMap<string, number>
}

const METHODS = ['ListPodSandbox', 'ListContainers', 'PodSandboxStatus', 'ContainerStatus', 'ImageStatus']

async function usageOf(edge: Half, milliseconds: number): Promise<Usage> {
  const { pid } = await edge.status()
  if (typeof pid !== 'number') throw new Error('skerry status does not tell the process of the edge')
  const counts = () =>
    Promise.all(
      ['', ...METHODS].map((method) =>
        edge.metric('skerry_edged_runtime_calls_total', method === '' ? '' : `method="${method}"`),
      ),
    )
  const before = await counts()
  const [cpu, begin] = [await cpuSeconds(pid), performance.now()]
  await wait(milliseconds)
  const seconds = (performance.now() - begin) / 1000
  const cpuPercent = (((await cpuSeconds(pid)) - cpu) / seconds) * 100
  const after = await counts()
  const calls = new Map(
    ['all', ...METHODS].map((name, index) => [name, ((after[index] ?? 0) - (before[index] ?? 0)) / seconds]),
  )
  return { residentMb: await residentMb(pid), cpuPercent, calls }
}

function show(empty: Usage, full: Usage): void {
  const resident = `${empty.residentMb.toFixed(0)} MB without, ${full.residentMb.toFixed(0)} MB with ${RESIDENTS} pods`
  const each = `${(((full.residentMb - empty.residentMb) * 1000) / RESIDENTS).toFixed(0)} kB per pod`
  row('edge process, resident', resident, each)
  const cpu = `${empty.cpuPercent.toFixed(2)} % without, ${full.cpuPercent.toFixed(2)} % with ${RESIDENTS} pods`
  row(`edge process, processor over ${IDLE_MS.full / 1000} s, of a core`, cpu, 'aim: under 1 %')
  for (const [method, calls] of full.calls)
    row(`CRI calls a second: ${method}`, calls.toFixed(2), `${(empty.calls.get(method) ?? 0).toFixed(2)} without pods`)
}
