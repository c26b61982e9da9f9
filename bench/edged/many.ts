import { forEach, share } from '../hub/figures.ts'
import { row } from '../print.ts'
import type { BarePod } from './bare.ts'
import { endPod, millisecondsOf, type Stage, startPod } from './stage.ts'

/** As many as Edged works on. */
const AT_ONCE = 10
/** Ten pods in turns; a hundred take long. */
const ROUNDS = { 10: 3, 100: 1 } as const

interface Times {
  readonly running: number
  readonly gone: number
}

/** Pods that come and go at once, by Edged and by the calls of CRI alone. */
export async function measureMany(stage: Stage): Promise<void> {
  for (const count of [10, 100] as const) {
    const [bare, edged]: [Times[], Times[]] = [[], []]
    for (let round = 0; round < ROUNDS[count]; round++) {
      const names = Array.from({ length: count }, (_, index) => `many-${count}-${round}-${index}`)
      bare.push(await bareTimes(stage, names))
      edged.push(await edgedTimes(stage, names))
    }
    const half = (times: readonly Times[], of: keyof Times) =>
      share(
        times.map((each) => each[of]).toSorted((a, b) => a - b),
        0.5,
      )
    const line = (what: string, of: keyof Times) => {
      const seconds = (times: readonly Times[]) => (half(times, of) / 1000).toFixed(2)
      const ratio = (half(edged, of) / half(bare, of)).toFixed(2)
      row(
        `${count} pods at once ${what}`,
        `${seconds(edged)} s`,
        `${ratio} of bare (${AT_ONCE} at a time): ${seconds(bare)} s`,
      )
    }
    line('until all run', 'running')
    line('until nothing is left of them', 'gone')
  }
}

async function bareTimes({ bare }: Stage, names: readonly string[]): Promise<Times> {
  const starts = await Promise.all(names.map((name) => bare.prepare(name)))
  const pods: BarePod[] = []
  const running = await millisecondsOf(() => forEach(starts, AT_ONCE, async (start) => pods.push(await start())))
  const gone = await millisecondsOf(() => forEach(pods, AT_ONCE, (pod) => bare.remove(pod)))
  return { running, gone }
}

async function edgedTimes(stage: Stage, names: readonly string[]): Promise<Times> {
  const running = await millisecondsOf(() => Promise.all(names.map((name) => startPod(stage, name))))
  const gone = await millisecondsOf(() => Promise.all(names.map((name) => endPod(stage, name))))
  return { running, gone }
}
