import { TEST_IMAGE } from '../../runtime/edged/testing/containerd.ts'
import { writeImage } from '../../runtime/edged/testing/oci-image.ts'
import { runProgram } from '../../runtime/edged/testing/run-program.ts'
import { share, sorted } from '../hub/figures.ts'
import { row } from '../print.ts'
import type { BarePod } from './bare.ts'
import { COMMAND } from './manifests.ts'
import { endPod, millisecondsOf, type Stage, startPod } from './stage.ts'

const PODS = 20
const CTR_NAMESPACE = 'bench'

/** One pod after the other, in turns: by Edged, by the calls of CRI alone, and a container without network by `ctr run`. */
export async function measureStart(stage: Stage): Promise<void> {
  const ctr = await ctrOf(stage)
  const times: Readonly<Record<'edged' | 'bare' | 'ctr', number[]>> = { edged: [], bare: [], ctr: [] }
  // The first ones warm all three.
  for (let index = -1; index < PODS; index++) {
    const name = `start-${index + 1}`
    const edged = await millisecondsOf(() => startPod(stage, name))
    await endPod(stage, name)
    const bare = await bareTime(stage, name)
    const container = await ctr(name)
    if (index < 0) continue
    times.edged.push(edged)
    times.bare.push(bare)
    times.ctr.push(container)
  }
  const of = (what: keyof typeof times) => sorted(what, times[what], PODS)
  const [edged, bare] = [of('edged'), of('bare')]
  quantiles('bare CRI calls: sandbox, image, container, start', bare)
  // In pairs: what else the machine does is about the same for both of a turn.
  const more = times.edged.map((time, index) => time - (times.bare[index] ?? Number.NaN)).toSorted((a, b) => a - b)
  const ratio = (share(edged, 0.5) / share(bare, 0.5)).toFixed(2)
  quantiles('assigned on the bus to reported Running', edged, `${ratio} of bare`)
  row('what Edged adds, turn by turn', `p50 ${share(more, 0.5).toFixed(0)} ms`, 'aim: under 150 ms')
  quantiles('ctr run of the container alone, no sandbox, no network', of('ctr'))
}

function quantiles(what: string, times: readonly number[], beside = ''): void {
  const at = (part: number) => share(times, part).toFixed(0)
  row(
    what,
    `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} ms`,
    `${beside}${beside === '' ? '' : ', '}${times.length} pods`,
  )
}

async function bareTime({ bare }: Stage, name: string): Promise<number> {
  const start = await bare.prepare(name)
  let pod: BarePod | undefined
  const time = await millisecondsOf(async () => {
    pod = await start()
  })
  if (pod) await bare.remove(pod)
  return time
}

/** Milliseconds from the start of the program to its end; the container runs then. */
async function ctrOf({ containerd, folder }: Stage): Promise<(name: string) => Promise<number>> {
  const ctr = (...args: readonly string[]) =>
    runProgram('ctr', ['--address', containerd.socket, '--namespace', CTR_NAMESPACE, ...args])
  await ctr('images', 'import', '--digests=false', await writeImage(folder, { name: TEST_IMAGE, cmd: ['/bin/sh'] }))
  return async (name) => {
    const time = await millisecondsOf(() => ctr('run', '--detach', '--null-io', TEST_IMAGE, name, ...COMMAND))
    await ctr('tasks', 'rm', '--force', name)
    await ctr('containers', 'rm', name)
    return time
  }
}
