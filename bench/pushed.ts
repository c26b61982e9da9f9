import { row, wait } from './print.ts'

const ROUNDS = 3
const ROUND_MS = 2000
const SETTLING_MS = 1000

/** Something that receives; `count` only grows. */
export interface Receiver extends AsyncDisposable {
  readonly count: number
}

/** Receives the same with a bare client library and through mapper and host, in turns; each in this process, the sender in another. */
export async function comparePushed(
  what: string,
  bare: () => Promise<Receiver>,
  mapped: () => Promise<Receiver>,
): Promise<void> {
  const sums = { bare: { count: 0, cpu: 0, time: 0 }, mapped: { count: 0, cpu: 0, time: 0 } }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [open, sum] of [[bare, sums.bare] as const, [mapped, sums.mapped] as const]) {
      await using receiver = await open()
      await wait(SETTLING_MS)
      const [count, cpu, time] = [receiver.count, process.cpuUsage(), performance.now()]
      await wait(ROUND_MS)
      const { user, system } = process.cpuUsage(cpu)
      sum.count += receiver.count - count
      sum.cpu += user + system
      sum.time += performance.now() - time
    }
  }
  const show = ({ count, cpu, time }: typeof sums.bare) =>
    `${((count * 1000) / time).toFixed(0)}/s with ${(cpu / time / 10).toFixed(0)} % of a core`
  const rate = sums.mapped.count / sums.mapped.time / (sums.bare.count / sums.bare.time)
  const cost = sums.mapped.cpu / sums.mapped.count / (sums.bare.cpu / sums.bare.count)
  row(`${what}: bare client`, show(sums.bare))
  row(
    `${what}: mapper and host`,
    show(sums.mapped),
    `${rate.toFixed(2)} x bare client, ${cost.toFixed(2)} x its processor time for each`,
  )
}
