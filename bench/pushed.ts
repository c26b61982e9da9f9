import { median, row, wait } from './print.ts'

const ROUNDS = 5
const ROUND_MS = 1500
const SETTLING_MS = 1000

/** Something that receives; `count` only grows. */
export interface Receiver extends AsyncDisposable {
  readonly count: number
}

interface Round {
  /** A second. */
  readonly rate: number
  /** Of one core. */
  readonly share: number
}

/** Receives the same with a bare client library and through mapper and host, in turns; both in this process, the sender in another. */
export async function comparePushed(
  what: string,
  bare: () => Promise<Receiver>,
  mapped: () => Promise<Receiver>,
): Promise<void> {
  const rounds: { readonly bare: Round; readonly mapped: Round }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ bare: await roundOf(bare), mapped: await roundOf(mapped) })
  }
  const show = (of: 'bare' | 'mapped') => {
    const [rate, share] = [median(rounds.map((each) => each[of].rate)), median(rounds.map((each) => each[of].share))]
    return `${rate.toFixed(0)}/s with ${(share * 100).toFixed(0)} % of a core`
  }
  const rate = median(rounds.map((each) => each.mapped.rate / each.bare.rate))
  const cost = median(rounds.map(({ bare, mapped }) => mapped.share / mapped.rate / (bare.share / bare.rate)))
  row(`${what}: bare client`, show('bare'))
  const ratio = `${rate.toFixed(2)} x bare client, ${cost.toFixed(2)} x its processor time for each`
  row(`${what}: mapper and host`, show('mapped'), ratio)
}

async function roundOf(open: () => Promise<Receiver>): Promise<Round> {
  await using receiver = await open()
  await wait(SETTLING_MS)
  const [count, cpu, time] = [receiver.count, process.cpuUsage(), performance.now()]
  await wait(ROUND_MS)
  const { user, system } = process.cpuUsage(cpu)
  const took = performance.now() - time
  return { rate: ((receiver.count - count) * 1000) / took, share: (user + system) / 1000 / took }
}
