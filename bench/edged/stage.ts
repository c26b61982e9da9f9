import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startContainerd, type TestContainerd } from '../../runtime/edged/testing/containerd.ts'
import { EdgedBench } from '../../runtime/edged/testing/edged-bench.ts'
import { within } from '../hub/figures.ts'
import { undoLater } from '../hub/undo.ts'
import { BareRuntime } from './bare.ts'
import { assignedPod, NAMESPACE } from './manifests.ts'

/** Of the pods of this benchmark; no test has it. */
const SUBNET = '10.233.54.0/24'
/** Of one pod, on a machine that is slow. */
const PATIENCE_MS = 120_000

/** A real containerd, and two who make pods with it: Edged, and nobody but the calls. */
export interface Stage {
  readonly containerd: TestContainerd
  readonly folder: string
  readonly bare: BareRuntime
  readonly edged: EdgedBench
}

export async function openContainerd(): Promise<{ readonly containerd: TestContainerd; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  undoLater(() => rm(folder, { recursive: true, force: true }))
  const containerd = await startContainerd({ subnet: SUBNET })
  undoLater(async () => containerd[Symbol.asyncDispose]())
  return { containerd, folder }
}

export async function openStage(): Promise<Stage> {
  const { containerd, folder } = await openContainerd()
  const edged = new EdgedBench({ runtime: containerd.socket, directory: join(folder, 'edged') })
  await edged.start()
  undoLater(() => edged[Symbol.asyncDispose]())
  return { containerd, folder, edged, bare: new BareRuntime(containerd.runtime, folder) }
}

/** From the pod on the bus to its report that it runs. */
export async function startPod({ edged }: Stage, name: string): Promise<void> {
  const running = edged.phase(`${NAMESPACE}/${name}`, 'Running', PATIENCE_MS)
  edged.assign(assignedPod(name))
  await running
}

/** From the order that it ends until nothing of it is left. */
export async function endPod({ edged }: Stage, name: string): Promise<void> {
  const key = `${NAMESPACE}/${name}`
  const ended = edged.reported(key, ({ isFinished }) => isFinished === true, PATIENCE_MS)
  edged.assign(assignedPod(name, { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: 10 }))
  await ended
  edged.unassign(key)
  await within(`${name} is gone`, PATIENCE_MS, edged.retracted(key))
}

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
